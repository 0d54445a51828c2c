"""The search space: which Optuna parameters a trial samples, and what it is run with for them."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

import numpy as np
import optuna
from optuna.distributions import BaseDistribution, CategoricalDistribution, FloatDistribution

from measures.loss_weights import LossWeights
from measures.sampled_values import RATIOS, SampledValues
from studies.records.published_defaults import published_setting
from tuner.configuration.field_types import holds
from tuner.configuration.search_sections import SearchSection
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError

STYLE_TO_CONTENT: Final = "style_to_content"
TV_TO_CONTENT: Final = "tv_to_content"
STYLE_SIZE: Final = "style_size"
STYLE_TILT: Final = "style_tilt"
LEARNING_RATE: Final = "learning_rate"


def distributions(search: SearchSection) -> dict[str, BaseDistribution]:
    """Return each Optuna parameter's distribution: both ratios on logarithmic scales, and what is searched besides."""
    found: dict[str, BaseDistribution] = {
        name: FloatDistribution(low, high, log=True) for name, (low, high) in ratio_ranges(search).items()
    }
    if search.style_size is not None:
        found[STYLE_SIZE] = CategoricalDistribution(search.style_size)
    if search.style_tilt is not None:
        found[STYLE_TILT] = FloatDistribution(*search.style_tilt)
    if search.learning_rate is not None:
        found[LEARNING_RATE] = FloatDistribution(*search.learning_rate, log=True)
    return found


def suggest_values(trial: optuna.Trial, search: SearchSection) -> SampledValues:
    """Sample what a trial is run with, each parameter as `distributions` has it.

    A trial of published defaults is run with their ratios, of which Optuna's parameters are the nearest within the
    ranges.
    """
    sampled = SampledValues.from_dict({name: _suggest(trial, name, one) for name, one in distributions(search).items()})
    published = published_setting(trial.user_attrs)
    if published is None:
        return sampled
    return replace(sampled, style_to_content=published.style_to_content, tv_to_content=published.tv_to_content)


def parameters_within(ratios: Mapping[str, float], config: StudyConfig) -> dict[str, Any]:
    """Return the Optuna parameters nearest to some ratios: a logarithmic scale has no 0, and a range has ends.

    Optuna runs what is enqueued beyond a range, but refuses to have it in a copy of a study. What is searched besides
    is the configuration's own.
    """
    ranges = ratio_ranges(config.search)
    nearest = {name: float(np.clip(ratios[name], low, high)) for name, (low, high) in ranges.items()}
    return {**nearest, **own_values(config)}


def own_values(config: StudyConfig) -> dict[str, Any]:
    """Return what the configuration itself has of all that is searched besides the ratios, as Optuna's parameters."""
    own = {
        STYLE_SIZE: config.data.style_size,
        STYLE_TILT: config.loss.style_tilt,
        LEARNING_RATE: config.training.learning_rate,
    }
    return {name: own[name] for name in config.search.further}


def further_within(parameters: Mapping[str, Any], config: StudyConfig) -> dict[str, Any]:
    """Return what a setting has of all that is searched besides the ratios; the configuration's own of what it may not.

    Args:
        parameters: The setting's, by name, of this or of another search.
        config: Whose search it is for.
    """
    own, space = own_values(config), distributions(config.search)
    return {name: parameters[name] if _has(space[name], parameters.get(name)) else value for name, value in own.items()}


def with_values(config: StudyConfig, parameters: Mapping[str, Any]) -> StudyConfig:
    """Return the configuration that has a trial's values as its own, and searches the two ratios alone.

    A training by it with the trial's loss weights is the trial's.

    Args:
        config: The study's.
        parameters: The trial's, by name; what is not among them stays as the study has it.
    """
    # A grid has its points over both ratios first.
    points = None if config.search.grid is None else config.search.grid[: len(RATIOS)]
    search = config.search.model_copy(update={**dict.fromkeys(config.search.further), "grid": points})
    data, loss, training = config.data, config.loss, config.training
    size, tilt = parameters.get(STYLE_SIZE, data.style_size), parameters.get(STYLE_TILT, loss.style_tilt)
    rate = parameters.get(LEARNING_RATE, training.learning_rate)
    return config.model_copy(
        update={
            "search": search,
            "data": data.model_copy(update={"style_size": int(size)}),
            "loss": loss.model_copy(update={"style_tilt": float(tilt)}),
            "training": training.model_copy(update={"learning_rate": float(rate)}),
        }
    )


def parameters_of(weights: LossWeights, config: StudyConfig) -> dict[str, Any]:
    """Return the Optuna parameters that give these weights, and the configuration's own of what is searched besides.

    Raises:
        ConfigError: A ratio lies outside the search range.
    """
    parameters = SampledValues.of_weights(weights).to_dict()
    for name, (low, high) in ratio_ranges(config.search).items():
        value = parameters[name]
        if not holds((low, high), value):
            raise ConfigError(
                f"The weights give a `{name}` of {value:.4g}, outside this study's range of {low:g} to {high:g}.\n"
                f"Choose others, or start a study with `search.{name}: [..., ...]` that holds them."
            )
        parameters[name] = float(np.clip(value, low, high))
    return {**parameters, **own_values(config)}


def ratio_ranges(search: SearchSection) -> dict[str, tuple[float, float]]:
    """Return the range of each ratio, in the order in which they are sampled."""
    return {STYLE_TO_CONTENT: search.style_to_content, TV_TO_CONTENT: search.tv_to_content}


def _has(distribution: BaseDistribution, value: Any) -> bool:
    """Return whether a value is one that may be sampled; another study's may be of any type."""
    if isinstance(distribution, CategoricalDistribution):
        return value in distribution.choices
    number = isinstance(value, int | float) and not isinstance(value, bool)
    return number and isinstance(distribution, FloatDistribution) and distribution.low <= value <= distribution.high


def _suggest(trial: optuna.Trial, name: str, distribution: BaseDistribution) -> Any:
    if isinstance(distribution, CategoricalDistribution):
        chosen = trial.suggest_categorical(name, distribution.choices)
        # One that was enqueued may be an equal number of another type.
        return next(choice for choice in distribution.choices if choice == chosen)
    if isinstance(distribution, FloatDistribution):
        return trial.suggest_float(name, distribution.low, distribution.high, log=distribution.log)
    raise TypeError(f"`{name}` has no distribution of ours. Received {distribution!r}.")
