"""Fields of a configuration: bounds, and messages that name the field, its value and what it must be."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given as given_values
from hypothesis import settings
from hypothesis import strategies as st

from measures.published_trainers import TRAINERS
from tuner.configuration.identity import defining_values
from tuner.configuration.loading import load_config, merge, validate_config
from tuner.configuration.search_choice import pruner_of
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError

WRONG: list[tuple[dict[str, Any], str]] = [
    ({"netwrok": {}}, "`netwrok` is not known. Did you mean 'network'?"),
    ({"network": {"widht": 8}}, "`network.widht` is not known. Did you mean 'width'?"),
    ({"data": {"held_out": {"rungs": 3}}}, "`data.held_out.rungs` is not known. Did you mean 'rung'?"),
    (
        {"network": {"zzz": 8}},
        "`network.zzz` is not known. Known: kernel_initializer, norm, num_residual_blocks, order, output, ",
    ),
    ({"data": {"crop_size": 50}}, "`data.crop_size` must be a multiple of 4. Received 50."),
    ({"full_training": {"crop_size": 254}}, "`full_training.crop_size` must be a multiple of 4. Received 254."),
    ({1: 2}, "`1` must be the name of a setting. Received 1."),
    ({"network": 5}, "`network` must be a group of settings. Received 5."),
    ({"network": {"width": "wide"}}, "`network.width` must be a whole number. Received "),
    ({"network": {"width": 8.5}}, "`network.width` must be a whole number. Received "),
    ({"network": {"width": 2}}, "`network.width` must be greater than or equal to 4. Received 2."),
    ({"network": {"norm": "layer"}}, "`network.norm` must be 'instance' or 'batch'. Received 'layer'."),
    ({"loss": {"network": "vgg18"}}, "`loss.network` must be 'vgg19' or 'vgg16'. Received 'vgg18'."),
    ({"loss": {"content_layers": "relu3_1"}}, "`loss.content_layers` must be a list. Received 'relu3_1'."),
    ({"loss": {"style_layers": []}}, "`loss.style_layers` must have at least one entry. Received []."),
    (
        {"loss": {"trainer": "pytorch-example"}},
        "`loss.trainer` must be one of lengstrom, jcjohnson, pytorch-examples, gordicaleksa, magenta. "
        "Did you mean 'pytorch-examples'? Received 'pytorch-example'.",
    ),
    ({"loss": {"trainer": "x"}}, "pytorch-examples, gordicaleksa, magenta. Received 'x'."),
    ({"loss": {"trainer": 5}}, "`loss.trainer` must be text. Received 5."),
    (
        {"loss": {"trainer": "pytorch-examples", "network": "vgg19"}},
        "`loss.network` is vgg19, and the trainer pytorch-examples has its own (vgg16); leave it out of "
        "the configuration's file or --set, wherever it is named, or leave out `loss.trainer` (--trainer).",
    ),
    (
        {"loss": {"trainer": "pytorch-examples", "source": "keras"}},
        "`loss.source` is keras, which has VGG-19 alone, and the trainer pytorch-examples looks through VGG-16;",
    ),
    (
        {"loss": {"trainer": "lengstrom", "content_layers": ["relu3_1"]}},
        "`loss.content_layers` is relu3_1, and the trainer lengstrom has its own (relu4_2);",
    ),
    ({"loss": {"trainer": "magenta", "style_layers": ["relu1_2"]}}, "`loss.style_layers` is relu1_2, and the trainer"),
    (
        {"loss": {"trainer": "magenta"}, "search": {"baseline": [1, 2, 0.1]}},
        "`search.baseline` is 1, 2, 0.1, and the first trial with `loss.trainer` magenta is its published weights;",
    ),
    (
        {"loss": {"trainer": "magenta"}, "search": {"baseline": [1, 1, 0.1]}},
        "`search.baseline` is 1, 1, 0.1, and the first trial with `loss.trainer` magenta is its published weights;",
    ),
    ({"data": {"crop_size": 8}}, "`data.crop_size` must be greater than or equal to 32. Received 8."),
    ({"seed": -1}, "`seed` must be greater than or equal to 0. Received -1."),
    ({"seed": "1e3"}, "`seed` must be a whole number. Received '1e3'."),
    ({"seed": "9" * 5000}, "`seed` must be a whole number. Received '999"),
    ({"seed": float("inf")}, "`seed` must be a finite number. Received inf."),
    ({"seed": True}, "`seed` must be a number. Received True."),
    ({"search": {"rungs": [True]}}, "`search.rungs.0` must be a number. Received True."),
    ({"search": {"rungs": 1}}, "`search.rungs` must be a list. Received 1."),
    ({"network": {"norm": False}}, "`network.norm` must be 'instance' or 'batch'. Received False."),
    ({"training": {"learning_rate": True}}, "`training.learning_rate` must be a number. Received True."),
    ({"data": {"num_crops": 1e9}}, "`data.num_crops` must be less than or equal to 10000000. Received 1000000000.0."),
    (
        {"data": {"num_crops": 5_000_000, "crop_size": 256}},
        "`data.num_crops` is 5000000 of `data.crop_size` 256 px: 916 GB, at most 64 GB; take fewer or smaller ones.",
    ),
    ({"data": {"crop_size": 96_000}}, "`data.crop_size` must be less than or equal to 4096. Received 96000."),
    ({"data": {"held_out": {"rung": 10**6}}}, "`data.held_out.rung` must be less than or equal to 1000."),
    (
        {"data": {"held_out": {"rung": 1000, "size": 4096}}},
        "`data.held_out.rung` is 1000 photos of `data.held_out.size` 4096 px: 188 GB, at most 16 GB;",
    ),
    (
        {"training": {"batch_size": 1024, "images": 10_000}, "data": {"crop_size": 512}},
        "`training.batch_size` is 1024 crops of `data.crop_size` 512 px: 268 megapixels, at most 67;",
    ),
    (
        {"full_training": {"batch_size": 1024, "crop_size": 512}},
        "`full_training.batch_size` is 1024 crops of `full_training.crop_size` 512 px: 268 megapixels, at most 67;",
    ),
    ({"training": {"images": 10**12}}, "`training.images` must be less than or equal to 10000000."),
    ({"full_training": {"images": 10**12}}, "`full_training.images` must be less than or equal to 100000000."),
    ({"search": {"trials": 10**9}}, "`search.trials` must be less than or equal to 1000000."),
    ({"search": {"rungs": [n / 101 for n in range(1, 102)]}}, "`search.rungs` must have at most 100 entries."),
    ({"search": {"style_to_content": [1e-300, 1]}}, "`search.style_to_content` must lie within 1e-06 to 1e+06."),
    ({"search": {"baseline": [0, 1, 1]}}, "`search.baseline` must be weights of content (above 0), style and total"),
    ({"search": {"baseline": [1, -1, 1]}}, "`search.baseline` must be weights of content (above 0), style and total"),
    ({"loss": {"style_layers": [""]}}, "`loss.style_layers` must name layers, such as relu3_1. Received [''"),
    ({"photos": [None]}, "`photos.0` must be a path. Received None."),
    ({"photos": "a\0b"}, "`photos.0` must be a path without a NUL."),
    ({"photos": ["p"] * 5001}, "`photos` must have at most 5000 entries."),
    ({"x" * 500: 1}, "`xxxxxxxxxxx"),
    ({"seed": 2**31}, "`seed` must be less than 2147483648."),
    ({"style": 5}, "`style` must be a path. Received 5."),
    ({"training": {"learning_rate": float("nan")}}, "`training.learning_rate` must be a finite number. Received nan."),
    ({"training": {"learning_rate": 0}}, "`training.learning_rate` must be greater than 0. Received 0."),
    ({"quality": {"content_exponent": 1.2}}, "`quality.content_exponent` must be less than or equal to 1."),
    ({"search": {"baseline": [1, float("inf"), 0]}}, "`search.baseline.1` must be a finite number. Received inf."),
    ({"search": {"baseline": [1, 2]}}, "`search.baseline.2` is missing from the list. Received [1, 2]."),
    ({"search": {"style_to_content": [1, 0.1]}}, "`search.style_to_content` must be two positive numbers"),
    ({"search": {"tv_to_content": [0, 1]}}, "`search.tv_to_content` must be two positive numbers"),
    ({"search": {"rungs": [0.5, 0.25, 1]}}, "`search.rungs` must be rising fractions of the run"),
    ({"search": {"rungs": [0.5, 0.5, 1]}}, "`search.rungs` must be rising fractions of the run"),
    ({"search": {"rungs": [0.5, 0.9]}}, "`search.rungs` must be rising fractions of the run"),
    ({"search": {"rungs": [0, 1]}}, "`search.rungs` must be rising fractions of the run"),
    ({"search": {"rungs": []}}, "`search.rungs` must have at least one entry. Received []."),
    ({"search": {"rungs": [float("nan"), 1]}}, "`search.rungs.0` must be a finite number. Received nan."),
    ({"training": {"images": 8, "batch_size": 4}}, "`training.images` is 8: fewer than one batch of 4 for each of 4"),
    (
        {"training": {"images": 40, "batch_size": 4}, "search": {"rungs": [0.1, 0.11, 1]}},
        "`search.rungs` are too close: 40 images in batches of 4 put them at 4, 4, 40 images",
    ),
    (
        {"search": {"start": "scout", "trials": 5}, "training": {"images": 1200}, "scout": {"images": 4800}},
        "`search.trials` is 5, and the scout's 4800 images are the price of 4 trials of 1200: 2 must be left",
    ),
    (
        {"search": {"start": "scout"}, "network": {"norm": "batch"}},
        "`search.start` must be noise or starter where `network.norm` is batch",
    ),
    ({"search": {"sampler": "grid"}}, "`search.sampler` is grid: say how many points it has with `search.grid`"),
    ({"search": {"grid": [4, 3]}}, "`search.grid` is for the sampler grid, and `search.sampler` is tpe; leave one"),
    ({"search": {"sampler": "grid", "grid": [4]}}, "`search.grid` must have at least 2 entries. Received [4]."),
    ({"search": {"sampler": "grid", "grid": [0, 3]}}, "`search.grid.0` must be greater than or equal to 1. Received 0"),
    *(
        (
            {"search": {"pruner": pruner, "rungs": [1]}},
            f"`search.pruner` is {pruner}, and `search.rungs` has no rung before the end",
        )
        for pruner in ("asha", "hyperband", "wilcoxon")
    ),
    ({"search": {"pruner": "wilcoxon"}}, "`search.pruner` is wilcoxon and `data.held_out.rung` 6: its test needs 8"),
]


@pytest.mark.parametrize(
    ("search", "beyond"),
    [
        ({"trials": 13}, 0),
        ({"trials": 15}, 2),
        ({"trials": 15, "baseline": None}, 3),
        ({"trials": 23, "start": "scout"}, 0),
        ({"trials": 24, "start": "scout"}, 1),
    ],
)
def test_trials_that_a_grid_has_no_point_for(search: dict[str, Any], beyond: int) -> None:
    """Twelve points and the baseline; a scout's six suggestions, and its price of four."""
    config = validate_config({"search": {"sampler": "grid", "grid": [4, 3], **search}}, source="test")
    assert config.trials_beyond_grid == beyond


@pytest.mark.parametrize("pruner", ["auto", "median", "none"])
def test_one_rung_goes_with_what_then_ends_no_trial(pruner: str) -> None:
    config = validate_config({"search": {"pruner": pruner, "rungs": [1]}}, source="test")
    assert pruner_of(config.search) == "none"


@pytest.mark.parametrize(("values", "message"), WRONG, ids=[message[:50] for _, message in WRONG])
def test_what_is_wrong_is_named(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)) as caught:
        validate_config(values, source="mine.yaml")
    text = str(caught.value)
    assert text.startswith("Configuration `mine.yaml`: ")
    assert "pydantic" not in text
    assert len(text.splitlines()) == 1


def test_each_wrong_field_has_its_line_and_a_long_value_is_cut() -> None:
    with pytest.raises(ConfigError) as caught:
        validate_config({"network": {"width": "x" * 500}, "seed": -1}, source="mine.yaml")
    lines = str(caught.value).splitlines()
    assert len(lines) == 2
    assert any("`network.width`" in line for line in lines)
    assert any("`seed`" in line for line in lines)
    assert max(map(len, lines)) < 200


def test_numbers_that_yaml_reads_as_text_are_numbers() -> None:
    assert validate_config({"training": {"learning_rate": "1e-3"}}, source="s").training.learning_rate == 0.001


@given_values(
    num_batches=st.integers(1, 500),
    batch_size=st.integers(1, 16),
    extra=st.integers(0, 15),
    fractions=st.sets(st.floats(0.01, 0.99), max_size=5),
)
@settings(deadline=None)
def test_rungs_are_rising_whole_batches_that_end_with_the_run(
    num_batches: int, batch_size: int, extra: int, fractions: set[float]
) -> None:
    images = num_batches * batch_size + extra % batch_size
    values = {
        "training": {"images": images, "batch_size": batch_size},
        "search": {"rungs": [*sorted(fractions), 1.0]},
    }
    try:
        rungs = validate_config(values, source="s").rungs
    except ConfigError as error:
        assert re.search("too close|fewer than one batch", str(error))  # noqa: PT017  both outcomes are right
        return
    assert rungs[-1] == num_batches * batch_size
    assert all(rung % batch_size == 0 and rung > 0 for rung in rungs)
    assert list(rungs) == sorted(set(rungs))


def test_rungs_by_hand() -> None:
    values = {"training": {"images": 1202, "batch_size": 4}, "search": {"rungs": [0.25, 0.5, 1]}}
    assert validate_config(values, source="s").rungs == (300, 600, 1200)


def test_a_scout_costs_trials() -> None:
    values = {"training": {"images": 1200}, "scout": {"images": 2500}, "search": {"trials": 16}}
    plain = validate_config(values, source="s")
    scouted = validate_config(merge(values, {"search": {"start": "scout"}}), source="s")
    assert (plain.start_price, plain.num_trials) == (0, 16)
    assert (scouted.start_price, scouted.num_trials) == (3, 13)


def test_a_starter_costs_one_trial_and_may_have_batch_norms() -> None:
    values = {"network": {"norm": "batch"}, "search": {"start": "starter", "trials": 3}}
    config = validate_config(values, source="s")
    assert (config.start_images, config.start_price, config.num_trials) == (config.rungs[-1], 1, 2)
    with pytest.raises(ConfigError, match="the price of 1 trial of 1200: 2 must be left"):
        validate_config(merge(values, {"search": {"trials": 2}}), source="s")


def test_a_configuration_survives_being_stored() -> None:
    config = load_config("quick", overrides={"style": "a.png", "photos": ["p"], "search": {"baseline": None}})
    assert StudyConfig.model_validate(config.model_dump(mode="json")) == config


def leaves(values: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, value in values.items():
        yield (*above, key)
        if isinstance(value, dict):
            yield from leaves(value, (*above, key))


JUNK = [
    True,
    -1,
    0,
    1e9,
    10**400,
    float("nan"),
    float("-inf"),
    "",
    "1e3",
    "\0",
    [],
    [None],
    [[1]],
    {},
    {"a": 1},
    {1: 2},
]


SWITCHES = [("search", "published_baselines")]
"""Settings that are true, false or auto."""


@pytest.mark.parametrize("place", [*leaves(StudyConfig().model_dump(mode="json"))], ids=".".join)
def test_junk_is_a_configuration_or_one_error_and_never_another(place: tuple[str, ...]) -> None:
    for junk in JUNK:
        values: Any = junk
        for part in reversed(place):
            values = {part: values}
        try:
            config = validate_config(values, source="mine.yaml")
        except ConfigError as error:
            named = "`" + place[0]
            assert all(named in line or "`data.crop_size`" in line for line in str(error).splitlines())  # noqa: PT017
        else:
            assert not isinstance(junk, bool) or place in SWITCHES
            json.dumps(defining_values(config), allow_nan=False)


@pytest.mark.parametrize("name", TRAINERS)
def test_a_trainer_brings_its_network_and_layers(name: str) -> None:
    trainer = TRAINERS[name]
    loss = load_config("quick", overrides={"loss": {"trainer": name}}).loss
    assert (loss.network, loss.content_layers) == (trainer.loss_network, (trainer.content_layer,))
    assert loss.style_layers == trainer.style_layers


@pytest.mark.parametrize("search", [{}, {"baseline": None}, {"trials": 20}], ids=str)
def test_a_trainers_study_has_no_baseline_of_its_own_and_is_read_back(search: dict[str, Any]) -> None:
    config = validate_config({"loss": {"trainer": "magenta"}, "search": search}, source="test")
    assert config.search.baseline is config.own_baseline is None
    assert validate_config(config.model_dump(mode="json"), source="test") == config


def test_a_trainers_published_weights_are_no_point_of_a_grid() -> None:
    """They are trial 0 whether or not a baseline is wanted."""
    for baseline in ({}, {"baseline": None}):
        search = {"sampler": "grid", "grid": [4, 3], "trials": 15, **baseline}
        config = validate_config({"loss": {"trainer": "magenta"}, "search": search}, source="test")
        assert config.trials_beyond_grid == 2
