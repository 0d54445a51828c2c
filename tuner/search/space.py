"""The search space, and the sampler that walks it."""

from collections.abc import Callable
from typing import Any, Final, final

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler
from optuna.trial import FrozenTrial

from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues
from tuner.configuration.settings import SearchSection
from tuner.errors import ConfigError

STYLE_TO_CONTENT: Final = "style_to_content"
TV_TO_CONTENT: Final = "tv_to_content"

DEFAULT_STARTUP: Final = 10
"""Random trials with which Optuna's TPE begins by default."""

FEWEST_STARTUP: Final = 4
"""Below twenty trials ten random ones would be most of the study: a quarter, at least four, is left to chance."""

FEW_TRIALS: Final = 20


def suggest_values(trial: optuna.Trial, search: SearchSection) -> SampledValues:
    """Sample what a trial is run with: the two ratios of the loss weights, each on a logarithmic scale."""
    return SampledValues(
        style_to_content=trial.suggest_float(STYLE_TO_CONTENT, *search.style_to_content, log=True),
        tv_to_content=trial.suggest_float(TV_TO_CONTENT, *search.tv_to_content, log=True),
    )


def parameters_of(weights: LossWeights, search: SearchSection) -> dict[str, float]:
    """Return the Optuna parameters that give these weights.

    Raises:
        ConfigError: A ratio lies outside the search range.
    """
    parameters = SampledValues.of_weights(weights).to_dict()
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


def build_sampler(search: SearchSection, *, seed: int) -> BaseSampler:
    """Build the study's sampler: equal seed, trial number and earlier trials give equal parameters.

    A resumed study so continues where it was, and workers that begin at the same moment draw different trials.
    """
    if search.sampler == "random":
        return TrialSeededSampler(lambda trial_seed: optuna.samplers.RandomSampler(seed=trial_seed), seed=seed)
    startup = _num_startup(search)
    return TrialSeededSampler(
        lambda trial_seed: optuna.samplers.TPESampler(n_startup_trials=startup, seed=trial_seed), seed=seed
    )


@final
class TrialSeededSampler(BaseSampler):
    """Has another sampler draw each trial, made anew with a seed that follows from the study's and the trial's number.

    Optuna announces a trial before it samples anything for it. One trial at a time: each worker has its own.
    """

    def __init__(self, build: Callable[[int], BaseSampler], *, seed: int) -> None:
        """Take what builds the sampler of one trial from that trial's seed, and the study's seed."""
        self._build = build
        self._seed = seed
        self._sampler = self._of_trial(0)

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Make the sampler of this trial."""
        self._sampler = self._of_trial(trial.number)
        self._sampler.before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what is sampled together."""
        return self._sampler.infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample what is sampled together."""
        return self._sampler.sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one parameter."""
        return self._sampler.sample_independent(study, trial, param_name, param_distribution)

    def _of_trial(self, number: int) -> BaseSampler:
        return self._build(int(np.random.SeedSequence([self._seed, number]).generate_state(1)[0]))


def _num_startup(search: SearchSection) -> int:
    if search.trials >= FEW_TRIALS:
        return DEFAULT_STARTUP
    return max(FEWEST_STARTUP, search.trials // 4)
