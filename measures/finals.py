"""Who wins a final: means over a few fresh runs of each finalist, and how far such means are to be trusted."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np

_SETTINGS_AND_SEEDS: Final = 2
"""Axes of a table of qualities."""

_ONE_IN_TWENTY: Final = (
    *(6.314, 2.920, 2.353, 2.132, 2.015, 1.943, 1.895, 1.860, 1.833, 1.812),
    *(1.796, 1.782, 1.771, 1.761, 1.753, 1.746, 1.740, 1.734, 1.729, 1.725),
    *(1.721, 1.717, 1.714, 1.711, 1.708, 1.706, 1.703, 1.701, 1.699, 1.697),
)
"""95 % quantiles of Student's t by degrees of freedom, from 1; `scipy.special.stdtrit`, which nothing here may load."""


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


def paired_spread(groups: Sequence[Sequence[float]]) -> tuple[float | None, int]:
    """Return how far runs of one setting lie apart when what each seed does to all settings is taken away.

    That is the root of the mean square of the residuals of an analysis of variance with settings and seeds, without
    their interaction: all settings have the same crops in the same order under one seed.

    Args:
        groups: The qualities of each setting's runs, the same seeds in the same order in each.

    Returns:
        The standard deviation, and its degrees of freedom, (settings - 1) (seeds - 1); None and 0 where that is 0.
    """
    table = np.asarray(groups, dtype=float)
    degrees = (table.shape[0] - 1) * (table.shape[1] - 1) if table.ndim == _SETTINGS_AND_SEEDS else 0
    if degrees < 1:
        return None, 0
    means, seeds = table.mean(axis=1, keepdims=True), table.mean(axis=0, keepdims=True)
    squares = float(np.sum((table - means - seeds + table.mean()) ** 2))
    return math.sqrt(squares / degrees), degrees


def least_lead(
    spread: float | None, degrees: int, *, num_runs: int, photo_error: float | None, num_photos: int
) -> float:
    """Return how far two means must lie apart to be told from each other, seeds and photos taken together.

    Each error has its own quantile of Student's t, since both are estimated, from few values. The error over photos has
    a share of the seeds' in it, so that this is rather too large than too small.

    Args:
        spread: Of runs, as `paired_spread` has it; None where that is not known.
        degrees: Its degrees of freedom.
        num_runs: Of each mean.
        photo_error: Standard error of the difference, paired over the photos (`measures.long_runs.lead`).
        num_photos: How many.
    """
    by_seeds = 0.0 if spread is None else t_quantile(degrees) * spread * math.sqrt(2.0 / num_runs)
    by_photos = 0.0 if photo_error is None else t_quantile(num_photos - 1) * photo_error
    return math.hypot(by_seeds, by_photos)


def t_quantile(degrees: int) -> float:
    """Return what Student's t exceeds once in twenty times; beyond thirty degrees of freedom that of thirty.

    Args:
        degrees: Of freedom, at least 1.
    """
    return _ONE_IN_TWENTY[min(degrees, len(_ONE_IN_TWENTY)) - 1]
