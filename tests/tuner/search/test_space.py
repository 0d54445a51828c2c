"""The search space: weights and parameters are each other's inverse, inside the ranges."""

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues
from tuner.configuration.search_sections import SearchSection
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.search.space import (
    STYLE_TO_CONTENT,
    TV_TO_CONTENT,
    parameters_of,
    suggest_values,
)

SEARCH = SearchSection(style_to_content=(0.01, 10.0), tv_to_content=(0.001, 1.0))
CONFIG = StudyConfig(search=SEARCH)


@given(style=st.floats(0.01, 10), variation=st.floats(0.001, 1))
@settings(deadline=None)
def test_weights_and_parameters_are_each_others_inverse(style: float, variation: float) -> None:
    trial = optuna.trial.FixedTrial({STYLE_TO_CONTENT: style, TV_TO_CONTENT: variation})
    weights = suggest_values(trial, SEARCH).loss_weights()
    assert sum(weights.to_dict().values()) == pytest.approx(1)
    assert parameters_of(weights, CONFIG) == pytest.approx({STYLE_TO_CONTENT: style, TV_TO_CONTENT: variation})


def test_values_are_the_trials_parameters() -> None:
    trial = optuna.trial.FixedTrial({STYLE_TO_CONTENT: 2.0, TV_TO_CONTENT: 1.0})
    assert suggest_values(trial, SEARCH) == SampledValues(style_to_content=2.0, tv_to_content=1.0)


def test_rounding_at_the_ends_of_the_range_is_forgiven() -> None:
    weights = LossWeights.normalised(content=0.7, style=0.7 * 10, total_variation=0.7 * 0.001)
    parameters = parameters_of(weights, CONFIG)
    assert parameters[STYLE_TO_CONTENT] <= 10
    assert parameters[TV_TO_CONTENT] >= 0.001


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1, 20, 0.1), r"`style_to_content` of 20, outside this study's range of 0.01 to 10"),
        ((1, 0, 0.1), r"`style_to_content` of 0, outside"),
        ((1, 1, 2), r"`tv_to_content` of 2, outside this study's range of 0.001 to 1"),
    ],
)
def test_weights_outside_the_range_are_an_error(weights: tuple[float, float, float], message: str) -> None:
    content, style, variation = weights
    with pytest.raises(ConfigError, match=message):
        parameters_of(LossWeights.normalised(content=content, style=style, total_variation=variation), CONFIG)
