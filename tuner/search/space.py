"""The search space: which Optuna parameters a trial samples, and the loss weights that they stand for."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final

import numpy as np
import optuna
from optuna.distributions import FloatDistribution

from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues
from studies.records.published_defaults import published_setting
from tuner.configuration.field_types import holds
from tuner.configuration.settings import SearchSection
from tuner.errors import ConfigError

STYLE_TO_CONTENT: Final = "style_to_content"
TV_TO_CONTENT: Final = "tv_to_content"


def distributions(search: SearchSection) -> dict[str, FloatDistribution]:
    """Return each Optuna parameter's distribution: both ratios on logarithmic scales."""
    return {name: FloatDistribution(low, high, log=True) for name, (low, high) in _ranges(search).items()}


def suggest_values(trial: optuna.Trial, search: SearchSection) -> SampledValues:
    """Sample what a trial is run with: the two ratios of the loss weights, each on a logarithmic scale.

    A trial of published defaults is run with these, of which Optuna's parameters are the nearest within the ranges.
    """
    sampled = SampledValues.from_dict(
        {name: trial.suggest_float(name, low, high, log=True) for name, (low, high) in _ranges(search).items()}
    )
    published = published_setting(trial.user_attrs)
    return sampled if published is None else replace(sampled, **published.ratios())


def parameters_within(ratios: Mapping[str, float], search: SearchSection) -> dict[str, float]:
    """Return the Optuna parameters nearest to some ratios: a logarithmic scale has no 0, and a range has ends.

    Optuna runs what is enqueued beyond a range, but refuses to have it in a copy of a study.
    """
    return {name: float(np.clip(ratios[name], low, high)) for name, (low, high) in _ranges(search).items()}


def parameters_of(weights: LossWeights, search: SearchSection) -> dict[str, float]:
    """Return the Optuna parameters that give these weights.

    Raises:
        ConfigError: A ratio lies outside the search range.
    """
    parameters = SampledValues.of_weights(weights).to_dict()
    for name, (low, high) in _ranges(search).items():
        value = parameters[name]
        if not holds((low, high), value):
            raise ConfigError(
                f"The weights give a `{name}` of {value:.4g}, outside this study's range of {low:g} to {high:g}.\n"
                f"Choose others, or start a study with `search.{name}: [..., ...]` that holds them."
            )
        parameters[name] = float(np.clip(value, low, high))
    return parameters


def _ranges(search: SearchSection) -> dict[str, tuple[float, float]]:
    """Return the range of each Optuna parameter, in the order in which they are sampled."""
    return {STYLE_TO_CONTENT: search.style_to_content, TV_TO_CONTENT: search.tv_to_content}
