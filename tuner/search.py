"""The search space, and the sampler and pruner that walk it."""

from typing import Final

import numpy as np
import optuna

from objectives.loss_weights import LossWeights
from tuner.config import SearchSection
from tuner.errors import ConfigError

STYLE_TO_CONTENT: Final = "style_to_content"
TV_TO_CONTENT: Final = "tv_to_content"

DEFAULT_STARTUP: Final = 10
"""Random trials with which Optuna's TPE begins by default."""

FEWEST_STARTUP: Final = 4
"""Below twenty trials ten random ones would be most of the study: a quarter, at least four, is left to chance."""

FEW_TRIALS: Final = 20


def suggest_weights(trial: optuna.Trial, search: SearchSection) -> LossWeights:
    """Sample the two ratios of the loss weights, each on a logarithmic scale, and return the weights.

    The three weights have two degrees of freedom: Adam hardly sees the scale of the objective.
    """
    style = trial.suggest_float(STYLE_TO_CONTENT, *search.style_to_content, log=True)
    variation = trial.suggest_float(TV_TO_CONTENT, *search.tv_to_content, log=True)
    return LossWeights.normalised(content=1.0, style=style, total_variation=variation)


def parameters_of(weights: LossWeights, search: SearchSection) -> dict[str, float]:
    """Return the Optuna parameters that give these weights.

    Raises:
        ConfigError: A ratio lies outside the search range.
    """
    parameters = {
        STYLE_TO_CONTENT: weights.style / weights.content,
        TV_TO_CONTENT: weights.total_variation / weights.content,
    }
    ranges = {STYLE_TO_CONTENT: search.style_to_content, TV_TO_CONTENT: search.tv_to_content}
    for name, value in parameters.items():
        low, high = ranges[name]
        if not low * (1 - 1e-9) <= value <= high * (1 + 1e-9):
            raise ConfigError(
                f"The weights give a `{name}` of {value:.4g}, outside this study's range of {low:g} to {high:g}.\n"
                f"Choose others, or start a study with `search.{name}: [..., ...]` that holds them."
            )
        parameters[name] = float(np.clip(value, low, high))
    return parameters


def build_sampler(search: SearchSection, *, seed: int, num_trials: int) -> optuna.samplers.BaseSampler:
    """Build the sampler of the study's next trial.

    Args:
        search: The search settings.
        seed: The study's seed.
        num_trials: Trials that the study already has. They go into the seed: a resumed study continues where it was,
            rather than sampling its first trials once more.
    """
    trial_seed = int(np.random.SeedSequence([seed, num_trials]).generate_state(1)[0])
    if search.sampler == "random":
        return optuna.samplers.RandomSampler(seed=trial_seed)
    return optuna.samplers.TPESampler(n_startup_trials=_num_startup(search), seed=trial_seed)


def build_pruner(search: SearchSection) -> optuna.pruners.BasePruner:
    """Build the pruner: below the median of the earlier trials at the same rung, once there are enough of them."""
    if search.pruner == "none":
        return optuna.pruners.NopPruner()
    return optuna.pruners.MedianPruner(n_startup_trials=min(_num_startup(search), FEWEST_STARTUP))


def _num_startup(search: SearchSection) -> int:
    if search.trials >= FEW_TRIALS:
        return DEFAULT_STARTUP
    return max(FEWEST_STARTUP, search.trials // 4)
