"""Who wins a final: means over a few fresh runs of each finalist, and how far such means are to be trusted."""

import math
from collections.abc import Sequence

import numpy as np


def pooled_spread(groups: Sequence[Sequence[float]]) -> tuple[float | None, int]:
    """Return how far runs of one setting lie apart, whatever the setting: the spread within groups, pooled.

    That is the root of the mean square within groups of an analysis of variance.

    Args:
        groups: The qualities of each setting's runs.

    Returns:
        The standard deviation, and its degrees of freedom, one fewer than runs for each group; None and 0 where no
        group has two runs.
    """
    degrees = sum(max(0, len(group) - 1) for group in groups)
    if not degrees:
        return None, 0
    squares = sum(float(np.sum((np.asarray(group) - np.mean(group)) ** 2)) for group in groups if len(group) > 1)
    return math.sqrt(squares / degrees), degrees


def error_of_mean(spread: float | None, *, num_runs: int) -> float | None:
    """Return the standard error of a mean of so many runs, from the spread of runs; None where that is not known."""
    return None if spread is None else spread / math.sqrt(num_runs)


def error_of_lead(seed_error: float | None, photo_error: float | None) -> float:
    """Return the standard error of the difference of two means, seeds and photos taken together.

    The error over photos has a share of the seeds' in it, so that this is rather too large than too small.

    Args:
        seed_error: Of each mean, as `error_of_mean` has it.
        photo_error: Of the difference, paired over the photos (`measures.long_runs.lead`).
    """
    return math.hypot(math.sqrt(2.0) * (seed_error or 0.0), photo_error or 0.0)
