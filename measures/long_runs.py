"""Whether what won short runs wins long ones, and how the best moves with the length."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from typing import Final

import numpy as np

from measures.ties import MIN_PHOTOS, standard_error

DIVERGED_QUALITY: Final = 0.0
"""What a run that diverged counts as: it paints nothing, and quality has no less."""


class Verdict(StrEnum):
    """What a longer run says of a short run's winner."""

    WON = "won"
    TIED = "tied"
    LOST = "lost"


def lead(winner: Sequence[float], other: Sequence[float]) -> tuple[float, float | None]:
    """Return by how much one result is better than another, and the standard error of that, paired over photos.

    Args:
        winner: Quality by photo.
        other: Quality of the other by the same photos, in the same order.

    Returns:
        Mean difference of the qualities, and its standard error; None for fewer than two photos.
    """
    differences = [one - two for one, two in zip(winner, other, strict=True)]
    error = standard_error(differences) if len(differences) >= MIN_PHOTOS else None
    return float(np.mean(differences)), error


def verdict(winner: Sequence[float], others: Sequence[Sequence[float]]) -> Verdict:
    """Say whether a winner of short runs wins, paired over photos as `measures.ties` does.

    Two results tie if their mean difference is at most its own standard error; a single photo, which has no such error,
    tells nothing: only equal results tie then.

    Args:
        winner: Quality by photo of the winner's long run.
        others: The same of each other setting, at least one, photos in the same order.

    Returns:
        "lost" if another one is better beyond the error, "won" if it is better than all beyond the error, else "tied".
    """
    leads = [lead(winner, other) for other in others]
    if any(-difference > (error or 0.0) for difference, error in leads):
        return Verdict.LOST
    return Verdict.WON if all(difference > (error or 0.0) for difference, error in leads) else Verdict.TIED


def best_by_length(qualities: Sequence[Mapping[int, float]], values: Sequence[float]) -> dict[int, float]:
    """Return, by length, what the best setting has there: how the best moves as runs get longer.

    Args:
        qualities: Of each setting, its quality by length; one that diverged lacks the lengths after that.
        values: Of each setting, what shall be told of the best, such as its style weight over its content weight.
    """
    lengths = sorted({length for known in qualities for length in known})
    best: dict[int, float] = {}
    for length in lengths:
        reached = [index for index, known in enumerate(qualities) if length in known]
        best[length] = values[max(reached, key=lambda index: (qualities[index][length], -index))]
    return best


def doubled_lengths(short: int, long: int) -> tuple[int, ...]:
    """Return the lengths at which a long run is looked at: the short run's, then doublings, the last one its end.

    Args:
        short: Images of the short run.
        long: Images of the long run, as many or more.
    """
    lengths = [short]
    while lengths[-1] * 2 < long:
        lengths.append(lengths[-1] * 2)
    return tuple(dict.fromkeys((*lengths, long)))
