"""Rules that read more than the last score of a short run: held against the long runs, a table of fidelity.py.

Each gives every setting a number whose order is to be that of the long runs.
"""

from collections.abc import Callable, Sequence

import numpy as np
from early_and_late import held_against
from fidelity_runs import RUNGS, SHORT_RUN
from fidelity_truth import Truth

NEIGHBOURHOOD = 0.4
"""Width of the mean over neighbours: standard deviation, in natural logarithms of style : content."""

DRIFT = 1.25
"""Within `measures.length_drift.FACTORS`; chosen when they were those of the first three styles."""

FALL = 0.10
"""A run goes on, to four short runs at most, while its loss falls by more than this in a doubling of its length."""

_RUNGS = np.array(RUNGS["64"])
_SHORT = RUNGS["64"].index(SHORT_RUN)
_LONGEST = _SHORT + 2

Rule = Callable[[Truth], tuple[np.ndarray, float]]
"""Returns what orders the settings, and the images trained, in short runs a setting."""


def print_rules(truths: Sequence[Truth]) -> None:
    """Print each rule's agreement with the long runs, style by style."""
    print("\n### Rules that read more than the last score of the short runs\n")
    print("| style | rule | short runs a setting | tau-b, all | better half | regret of the best | of three |")
    print("|---|---|---|---|---|---|---|")
    for truth in truths:
        for name, rule in RULES.items():
            foretold, cost = rule(truth)
            cells = held_against(foretold, truth.quality[:, -1])
            print(f"| {truth.style} | {name} | {cost:.1f} | {' | '.join(cells)} |")


def _last_score(truth: Truth) -> tuple[np.ndarray, float]:
    return truth.quality[:, _SHORT], 1.0


def _extrapolated(truth: Truth, damping: float) -> tuple[np.ndarray, float]:
    """Go on for the three doublings to the long run's end as in the last one, or a share of it."""
    score, before = truth.quality[:, _SHORT], truth.quality[:, _SHORT - 1]
    return score + damping * (len(_RUNGS) - 1 - _SHORT) * (score - before), 1.0


def _neighbours(truth: Truth) -> tuple[np.ndarray, float]:
    """Mean over settings of a like ratio: what one run's luck gives or takes, its neighbours do not share."""
    logs = np.log(truth.ratios)
    shares = np.exp(-0.5 * ((logs[:, None] - logs[None, :]) / NEIGHBOURHOOD) ** 2)
    return shares @ truth.quality[:, _SHORT] / shares.sum(axis=1), 1.0


def _moved(truth: Truth, values: np.ndarray) -> tuple[np.ndarray, float]:
    """A setting is worth what the ratio is that comes to its own where ratios move as the best one does."""
    logs = np.log(truth.ratios)
    return np.interp(logs - np.log(DRIFT), logs, values), 1.0


def _strongest_of_equals(truth: Truth) -> tuple[np.ndarray, float]:
    """Ranks within the noise: whatever is within its standard error of the best is tied, and the strongest wins."""
    score, errors = truth.quality[:, _SHORT], truth.errors[:, _SHORT]
    tied = score + errors >= score.max()
    return np.where(tied, score.max() + truth.ratios, score), 1.0


def _until_flat(truth: Truth) -> tuple[np.ndarray, float]:
    """Compare settings where their loss has come to fall as slowly as the others', not at equal images."""
    falls = 1 - truth.losses[:, 1:] / truth.losses[:, :-1]
    ends = [next((at for at in range(_SHORT - 1, _LONGEST) if fall[at - 1] < FALL), _LONGEST) for fall in falls]
    return truth.quality[np.arange(len(ends)), ends], float(np.mean(_RUNGS[ends]) / SHORT_RUN)


RULES: dict[str, Rule] = {
    "the last score": _last_score,
    "extrapolated by the last doubling": lambda truth: _extrapolated(truth, 1.0),
    "by a quarter of it": lambda truth: _extrapolated(truth, 0.25),
    "the strongest of those tied within the error": _strongest_of_equals,
    "where the loss has flattened": _until_flat,
    "mean over neighbours": _neighbours,
    "moved by the drift": lambda truth: _moved(truth, truth.quality[:, _SHORT]),
    "mean over neighbours, moved": lambda truth: _moved(truth, _neighbours(truth)[0]),
}
