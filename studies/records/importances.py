"""How much what is searched matters for being among a study's best trials, and how much of that is chance."""

import math
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, final

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import FloatDistribution
from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances
from optuna.trial import FrozenTrial, TrialState, create_trial

from studies.records.trial_qualities import quality_of

FEWEST_TRIALS: Final = 10
"""Complete trials below which nothing is said: `BEST_TRIALS` would be more than half of them."""

BEST_TRIALS: Final = 5
"""Whose settings are held against those of all: Optuna advises at least five for PED-ANOVA."""

BEST_SHARE: Final = 0.25
"""Of many trials. Optuna's default, the best tenth, leaves so few of a study of tens of trials that chance decides."""

NUM_SHUFFLES: Final = 20
"""Of the qualities among the trials, each of which tells what chance alone comes to: a parameter that does nothing is
above all of them once in 21 times."""

FEW_TRIALS: Final = 40
"""Complete trials below which one of three parameters that alone decides nine tenths of the quality may well not be
told from chance (docs/dimensions.md)."""

MOST_TRIALS: Final = 1000
"""Of a longer study so many are taken, one every so often: all would take seconds for each thousand."""


@final
@dataclass(frozen=True, kw_only=True)
class Importances:
    """What PED-ANOVA says of a study's parameters (Watanabe, Bansal & Hutter, IJCAI 2023; arXiv 2304.10255).

    Attributes:
        shares: Of each parameter by name, in [0, 1], summing to 1, the most important first.
        as_much_by_chance: Of `NUM_SHUFFLES` times that the qualities were dealt out anew, how often each parameter's
            importance, before it becomes a share, was as large.
        num_trials: Complete trials that they follow from.
        num_best: How many of these count as the best.
        num_complete: Complete trials of the study: more than `MOST_TRIALS` are not all looked at.
    """

    shares: Mapping[str, float]
    as_much_by_chance: Mapping[str, int]
    num_trials: int
    num_best: int
    num_complete: int

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return asdict(self)

    def in_words(self) -> str:
        """Return a line: each share, whether chance alone comes to as much, what it rests on and cannot tell."""
        named = [
            f"{_in_words(name)} {share:.0%}" + (" (no more than chance)" if self.as_much_by_chance[name] else "")
            for name, share in self.shares.items()
        ]
        few = "" if self.num_trials >= FEW_TRIALS else ". So few trials may miss what matters"
        taken = f"{self.num_trials}" + (f" out of {self.num_complete}" if self.num_complete > self.num_trials else "")
        return (
            f"Importance for being among the best {self.num_best} of {taken} complete trials (PED-ANOVA): "
            f"{', '.join(named)}{few}"
        )


def find_importances(study: optuna.Study) -> Importances | None:
    """Return how important each parameter is for a high quality; None with fewer than `FEWEST_TRIALS` complete trials.

    Shares always sum to 1, even where nothing matters, and few trials scatter much: so each importance is held against
    those that come out when the same qualities belong to other trials.
    """
    trials = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    complete = [trial for trial in trials if _is_within(trial) and quality_of(trial) is not None]
    if len(complete) < FEWEST_TRIALS:
        return None
    num_taken = min(len(complete), MOST_TRIALS)
    rated = [complete[place * len(complete) // num_taken] for place in range(num_taken)]
    held = _held(rated)
    qualities = np.array([quality_of(trial) for trial in rated], dtype=np.float64)
    found = _importances(held, qualities)
    generator = np.random.default_rng(0)
    dealt = [_importances(held, generator.permutation(qualities)) for _ in range(NUM_SHUFFLES)]
    total = sum(found.values())
    return Importances(
        shares={name: value / total if total else 1 / len(found) for name, value in found.items()},
        as_much_by_chance={name: sum(one[name] >= value for one in dealt) for name, value in found.items()},
        num_trials=len(rated),
        num_best=_num_best(len(rated)),
        num_complete=len(complete),
    )


def _in_words(name: str) -> str:
    return name.replace("_to_", " : ").replace("_", " ")


def _is_within(trial: FrozenTrial) -> bool:
    """Whether a trial has parameters, each in its range: Optuna runs what is enqueued beyond, but copies none of it."""
    try:
        inside = [one.to_internal_repr(trial.params[name]) for name, one in trial.distributions.items()]
    except ValueError:
        return False  # a choice that is none
    return bool(inside) and all(
        not isinstance(one, FloatDistribution) or one.low <= value <= one.high
        for one, value in zip(trial.distributions.values(), inside, strict=True)
    )


def _num_best(num_trials: int) -> int:
    return max(BEST_TRIALS, math.ceil(BEST_SHARE * num_trials))


def _held(trials: Sequence[FrozenTrial]) -> optuna.Study:
    """Return a study in memory of the same settings, numbered from 0: it is asked many times."""
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # else it says that it was made
    try:
        study = optuna.create_study()
    finally:
        optuna.logging.set_verbosity(verbosity)
    study.add_trials(
        [create_trial(params=trial.params, distributions=trial.distributions, value=0.0) for trial in trials]
    )
    return study


def _importances(held: optuna.Study, qualities: NDArray[np.float64]) -> dict[str, float]:
    """Return what PED-ANOVA makes of trials of these qualities, the most important parameter first."""
    num_trials = len(qualities)
    evaluator = PedAnovaImportanceEvaluator(target_quantile=_num_best(num_trials) / num_trials)
    with warnings.catch_warnings():
        # That it looks for low values, and of a distribution that few trials have, as before a range was widened.
        warnings.simplefilter("ignore")
        return get_param_importances(
            held, evaluator=evaluator, target=lambda trial: -float(qualities[trial.number]), normalize=False
        )
