"""When two results cannot be told apart, as far as a few photos can tell."""

import math
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

MIN_PHOTOS: Final = 2
"""Photos that a standard error needs."""


def standard_error(values: Sequence[float]) -> float:
    """Standard error of a mean: sample standard deviation over the root of the number of values, at least two."""
    return float(np.std(values, ddof=1) / np.sqrt(len(values)))


def spread_behind(error: float, num_values: int) -> float:
    """Return the sample standard deviation of so many values, from the standard error of their mean.

    A standard error falls with every photo that is added; this spread over photos stays, and so says how many a wanted
    standard error takes: (spread / error)^2.
    """
    return error * math.sqrt(num_values)


def has_all(known: Mapping[str, float], photos: Sequence[str]) -> bool:
    """Return whether every one of the photos has a quality."""
    return all(photo in known for photo in photos)


def is_tie(best: Mapping[str, float], other: Mapping[str, float], photos: Sequence[str]) -> bool:
    """Return whether the mean difference of two qualities by photo is at most its own standard error.

    That is the standard error of the paired bootstrap over the photos, which needs no resampling for a mean. It says
    what other photos might have said; another seed may move a result farther (docs/noise.md).

    Args:
        best: Quality by photo of one result.
        other: Quality by photo of the other.
        photos: At least `MIN_PHOTOS` photos, each in both.
    """
    differences = [best[photo] - other[photo] for photo in photos]
    return abs(float(np.mean(differences))) <= standard_error(differences)
