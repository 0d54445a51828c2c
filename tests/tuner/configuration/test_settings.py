"""Configurations: what lies over what, and messages that name the field, its value and what it must be."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given as given_values
from hypothesis import settings
from hypothesis import strategies as st

from tuner.configuration.preset_files import list_presets, read_preset
from tuner.configuration.settings import StudyConfig, digest, given, load_config, merge, parse_setting, validate_config
from tuner.errors import ConfigError


def write_yaml(path: Path, values: Any) -> Path:
    path.write_text(yaml.safe_dump(values), encoding="utf-8")
    return path


@pytest.mark.parametrize("preset", list_presets())
def test_presets_are_valid_and_self_consistent(preset: str) -> None:
    config = load_config(preset, overrides={})
    assert config.preset == preset
    values = read_preset(preset)
    assert config.network.width == values["network"]["width"]
    assert config.rungs[-1] == config.training.images // config.training.batch_size * config.training.batch_size
    assert config.full_training.crop_size >= config.data.crop_size
    assert config.full_training.images >= config.training.images


def test_the_presets_of_the_issue_are_there() -> None:
    assert {"demo", "quick", "gpu"} <= set(list_presets())


def test_flag_over_file_over_preset_over_default(tmp_path: Path) -> None:
    preset = read_preset("quick")
    default = StudyConfig()
    file = {
        "preset": "quick",
        "training": {"images": 800, "learning_rate": 0.003},
        "search": {"trials": 5},
        "network": {"norm": "batch"},
    }
    path = write_yaml(tmp_path / "mine.yaml", file)
    config = load_config(str(path), overrides={"search": {"trials": 3}, "network": {"width": 8}})
    assert (config.search.trials, config.network.width) == (3, 8)
    assert (config.training.images, config.training.learning_rate, config.network.norm) == (800, 0.003, "batch")
    assert config.training.batch_size == preset["training"]["batch_size"]
    assert config.data.num_crops == preset["data"]["num_crops"]
    assert config.network.num_residual_blocks == default.network.num_residual_blocks
    assert config.preset == "quick"


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    path = tmp_path / "empty.yml"
    path.touch()
    assert load_config(str(path), overrides={}) == StudyConfig()


def test_paths_in_a_file_are_relative_to_the_file(tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / "elsewhere"
    path = write_yaml(tmp_path / "mine.yaml", {"style": "a.png", "photos": ["photos", str(elsewhere)]})
    config = load_config(str(path), overrides={})
    assert config.style == tmp_path / "a.png"
    assert config.photos == (tmp_path / "photos", elsewhere)
    single = load_config(str(write_yaml(path, {"photos": "photos"})), overrides={"style": "b.png"})
    assert single.photos == (tmp_path / "photos",)
    assert single.style == Path("b.png")


def test_a_file_may_take_back_what_has_a_default(tmp_path: Path) -> None:
    path = write_yaml(tmp_path / "mine.yaml", {"preset": "quick", "search": {"baseline": None}, "training": None})
    config = load_config(str(path), overrides={})
    assert config.search.baseline is None
    assert config.training.batch_size == read_preset("quick")["training"]["batch_size"]
    assert load_config("quick", overrides=parse_setting("search.baseline=null")).search.baseline is None


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("quik", "`quik` is neither a preset nor a file. Did you mean `quick`?"),
        ("missing.yaml", "Configuration missing.yaml cannot be read: No such file"),
        ("xyzzy", "Presets: demo, gpu, quick; a file's name ends in .yaml."),
    ],
)
def test_a_source_that_is_not_there(source: str, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(source, overrides={})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("network: {width: 8", "is no YAML"),
        ("- a\n- b\n", "must be a mapping of settings. Received a list"),
        ("just words", "must be a mapping of settings. Received a str"),
        ("style: !!python/object:os.system {}", "is no YAML"),
        ("preset: quik", "Did you mean `quick`?"),
    ],
)
def test_a_file_that_is_no_configuration(text: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(message)):
        load_config(str(path), overrides={})


def test_a_file_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(b"\xff\xfe\x00\xd8")
    with pytest.raises(ConfigError, match="is no YAML"):
        load_config(str(path), overrides={})


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"netwrok": {}}, "`netwrok` is no setting. Did you mean `network`?"),
    ({"network": {"widht": 8}}, "`network.widht` is no setting. Did you mean `width`?"),
    ({"data": {"held_out": {"rungs": 3}}}, "`data.held_out.rungs` is no setting. Did you mean `rung`?"),
    ({"network": {"zzz": 8}}, "`network.zzz` is no setting."),
    ({1: 2}, "`1` must be the name of a setting. Received 1."),
    ({"network": 5}, "`network` must be a group of settings. Received 5."),
    ({"network": {"width": "wide"}}, "`network.width` must be a valid integer"),
    ({"network": {"width": 8.5}}, "`network.width` must be a valid integer"),
    ({"network": {"width": 2}}, "`network.width` must be greater than or equal to 4. Received 2."),
    ({"network": {"norm": "layer"}}, "`network.norm` must be 'instance' or 'batch'. Received 'layer'."),
    ({"loss": {"network": "vgg18"}}, "`loss.network` must be 'vgg19' or 'vgg16'. Received 'vgg18'."),
    ({"loss": {"content_layers": "relu3_1"}}, "`loss.content_layers` must be a list. Received 'relu3_1'."),
    ({"loss": {"style_layers": []}}, "`loss.style_layers` must have at least one entry. Received []."),
    ({"data": {"crop_size": 8}}, "`data.crop_size` must be greater than or equal to 32. Received 8."),
    ({"seed": -1}, "`seed` must be greater than or equal to 0. Received -1."),
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
]


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


@pytest.mark.parametrize(
    ("text", "nested"),
    [
        ("seed=3", {"seed": 3}),
        ("network.width=8", {"network": {"width": 8}}),
        ("data.held_out.rung=2", {"data": {"held_out": {"rung": 2}}}),
        ("search.rungs=[0.5, 1]", {"search": {"rungs": [0.5, 1]}}),
        ("network.norm=batch", {"network": {"norm": "batch"}}),
        ("style=a=b.png", {"style": "a=b.png"}),
        ("search.baseline=null", {"search": {"baseline": None}}),
    ],
)
def test_parse_setting(text: str, nested: dict[str, Any]) -> None:
    assert parse_setting(text) == nested


@pytest.mark.parametrize("text", ["network.width", "", "=8"])
def test_a_setting_without_a_name_or_an_equals_sign(text: str) -> None:
    with pytest.raises(ConfigError, match=r"`--set` must be name=value\. Received .* Example: --set network.width=16"):
        parse_setting(text)


def test_a_preset_is_no_setting() -> None:
    """Its values lie below the file's: laid on top it would be a label only."""
    with pytest.raises(ConfigError, match=r"`--set preset` comes too late.*styletuner study run gpu"):
        parse_setting("preset=gpu")


def test_a_setting_whose_value_is_no_yaml() -> None:
    with pytest.raises(ConfigError, match=re.escape("`--set search.rungs` has a value that is no YAML. Received '[1'")):
        parse_setting("search.rungs=[1")


@pytest.mark.parametrize("text", ["network..width=8", "network.width.deep=8", "nothing=1"])
def test_a_setting_that_does_not_exist(text: str) -> None:
    with pytest.raises(ConfigError, match=r"is no setting|must be a valid integer"):
        load_config("quick", overrides=parse_setting(text))


def test_merge_lays_one_over_the_other_and_changes_neither() -> None:
    base = {"a": 1, "b": {"c": 2, "d": 3}, "e": {"f": 4}, "g": 5}
    top = {"b": {"c": 20, "new": 6}, "e": None, "g": None, "h": None}
    before = (repr(base), repr(top))
    merged = merge(base, top)
    assert merged == {"a": 1, "b": {"c": 20, "d": 3, "new": 6}, "e": {"f": 4}, "g": None, "h": None}
    assert (repr(base), repr(top)) == before


def test_given_leaves_out_flags_that_were_not_given() -> None:
    assert given({"style": None, "seed": 0, "search": {"trials": None}}) == {"seed": 0, "search": {}}


def test_what_defines_a_study_leaves_out_what_may_change() -> None:
    one = load_config("quick", overrides={})
    two = load_config(
        "quick",
        overrides={
            "style": "elsewhere/a.png",
            "photos": ["p"],
            "search": {"trials": 99},
            "data": {"feature_cache_megabytes": 1},
            "full_training": {"images": 5},
        },
    )
    other = load_config("quick", overrides={"seed": 1})
    assert digest(one.defining_values()) == digest(two.defining_values())
    assert digest(one.defining_values()) != digest(other.defining_values())


def test_digest_does_not_see_the_order() -> None:
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_a_configuration_survives_being_stored() -> None:
    config = load_config("quick", overrides={"style": "a.png", "photos": ["p"], "search": {"baseline": None}})
    assert StudyConfig.model_validate(config.model_dump(mode="json")) == config
