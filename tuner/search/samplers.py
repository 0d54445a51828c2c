"""The samplers that walk the search space, by the names that a configuration gives them."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, final

import numpy as np
import optuna
from optuna.distributions import BaseDistribution
from optuna.samplers import BaseSampler, GPSampler, RandomSampler, TPESampler
from optuna.trial import FrozenTrial, TrialState

from studies.records.study_scout import ScoutVerdict, judge_scout
from studies.records.taken_from import num_taken, taken_marks
from tuner.configuration.search_choice import sampler_of
from tuner.configuration.search_sections import SearchSection
from tuner.search.shared_sequence import SharedSequenceSampler, grid, quasi_random
from tuner.search.space import distributions
from tuner.search.suggesting_sampler import SuggestingSampler

DEFAULT_STARTUP: Final = 10
"""Random trials with which Optuna's TPE and GP begin by default."""

FEWEST_STARTUP: Final = 4
"""Below twenty trials ten random ones would be most of the study: a quarter, at least four, is left to chance."""

FEW_TRIALS: Final = 20


def build_sampler(search: SearchSection, *, seed: int) -> BaseSampler:
    """Build the study's sampler: equal seed, trial number and earlier trials give equal parameters.

    A resumed study so continues where it was, and workers that begin at the same moment draw different trials.

    Args:
        search: Names the sampler, one of `SAMPLERS`.
        seed: The study's.
    """
    sampler = SAMPLERS[sampler_of(search)](search, seed)
    return SuggestingSampler(sampler, search) if search.start == "scout" else sampler


def _random(_search: SearchSection, seed: int) -> BaseSampler:
    return TrialSeededSampler(lambda trial_seed, _study: RandomSampler(seed=trial_seed), seed=seed)


def _tpe(search: SearchSection, seed: int) -> BaseSampler:
    """Model finished trials after some random ones."""
    return TrialSeededSampler(
        lambda trial_seed, study: TPESampler(n_startup_trials=_num_startup(search, study), seed=trial_seed), seed=seed
    )


def _gp(search: SearchSection, seed: int) -> BaseSampler:
    """Model complete trials by a Gaussian process, after as many random ones; what was pruned it does not see.

    Optuna loads Torch for it when it first models, and keeps Torch and NumPy to one thread meanwhile.
    """
    return TrialSeededSampler(
        lambda trial_seed, study: GPSampler(n_startup_trials=_num_startup(search, study), seed=trial_seed), seed=seed
    )


def _qmc(search: SearchSection, seed: int) -> BaseSampler:
    space = distributions(search)
    return SharedSequenceSampler(quasi_random(space, seed=seed), space, _random(search, seed))


def _grid(search: SearchSection, seed: int) -> BaseSampler:
    space = distributions(search)
    return SharedSequenceSampler(grid(space, num_points=search.grid or (), seed=seed), space, _random(search, seed))


SAMPLERS: Final[Mapping[str, Callable[[SearchSection, int], BaseSampler]]] = {
    "tpe": _tpe,
    "gp": _gp,
    "qmc": _qmc,
    "random": _random,
    "grid": _grid,
}
"""What builds a sampler from the search's settings and the study's seed, by its name in `search.sampler`.

One whose trials are independent draws belongs into a `TrialSeededSampler`. One whose trials are places of a single
sequence (a grid, quasi-random points) into a `SharedSequenceSampler`: it needs the same seed for all of them.
"""


@final
class TrialSeededSampler(BaseSampler):
    """Has each trial drawn by a sampler of its own, whose seed follows from the study's and the trial's number.

    All that Optuna asks or tells a sampler about a trial goes to that trial's; it is let go once the trial has ended.
    """

    def __init__(self, build: Callable[[int, optuna.Study | None], BaseSampler], *, seed: int) -> None:
        """Take what builds the sampler of one trial, and the study's seed.

        Args:
            build: Takes the trial's seed, and the study that it is drawn for; without one, to be named.
            seed: The study's.
        """
        self._build = build
        self._seed = seed
        self._samplers: dict[int, BaseSampler] = {}

    def __str__(self) -> str:
        """Return the name of the sampler that draws."""
        return str(self._build(self._seed, None))

    def before_trial(self, study: optuna.Study, trial: FrozenTrial) -> None:
        """Make the sampler of this trial."""
        self._of(study, trial).before_trial(study, trial)

    def infer_relative_search_space(self, study: optuna.Study, trial: FrozenTrial) -> dict[str, BaseDistribution]:
        """Return what is sampled together."""
        return self._of(study, trial).infer_relative_search_space(study, trial)

    def sample_relative(
        self, study: optuna.Study, trial: FrozenTrial, search_space: dict[str, BaseDistribution]
    ) -> dict[str, Any]:
        """Sample what is sampled together."""
        return self._of(study, trial).sample_relative(study, trial, search_space)

    def sample_independent(
        self, study: optuna.Study, trial: FrozenTrial, param_name: str, param_distribution: BaseDistribution
    ) -> Any:
        """Sample one parameter."""
        return self._of(study, trial).sample_independent(study, trial, param_name, param_distribution)

    def after_trial(
        self, study: optuna.Study, trial: FrozenTrial, state: TrialState, values: Sequence[float] | None
    ) -> None:
        """Tell the sampler of this trial how it ended, which may stop the study, and let it go."""
        self._of(study, trial).after_trial(study, trial, state, values)
        self._samplers.pop(trial.number, None)

    def reseed_rng(self) -> None:
        """Reseed the samplers of the trials that run; later ones have seeds of their own anyway."""
        for sampler in list(self._samplers.values()):
            sampler.reseed_rng()

    def _of(self, study: optuna.Study, trial: FrozenTrial) -> BaseSampler:
        if trial.number not in self._samplers:
            # Other styles' best settings may be draws of the same seed: they must not be drawn once more.
            entropy = [self._seed, trial.number, *taken_marks(study.get_trials(deepcopy=False))]
            seed = np.random.SeedSequence(entropy).generate_state(1)[0]
            self._samplers[trial.number] = self._build(int(seed), study)
        return self._samplers[trial.number]


def _num_startup(search: SearchSection, study: optuna.Study | None) -> int:
    """Return how many trials of any kind come before the model: as many of them random as without other styles'.

    Those that a scout suggested count among the random ones unless it was wrong; other styles' best never do.
    """
    startup = DEFAULT_STARTUP if search.trials >= FEW_TRIALS else max(FEWEST_STARTUP, search.trials // 4)
    if study is None:
        return startup
    trials = study.get_trials(deepcopy=False)
    startup += num_taken(trials)
    if search.start == "scout":
        finding = judge_scout(trials)
        if finding.verdict is ScoutVerdict.CONTRADICTED:
            startup += len(finding.suggested)
    return startup
