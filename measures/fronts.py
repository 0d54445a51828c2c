"""The Pareto front: what nothing else is better than in every respect."""

from collections.abc import Sequence

import numpy as np


def non_dominated(points: Sequence[Sequence[float]]) -> list[int]:
    """Return the indices of the points that no other point dominates, in order.

    One point dominates another if it is nowhere lower and somewhere higher; so equal points all stay.

    Args:
        points: Finite values to maximise, the same number for each point.
    """
    values = np.asarray(points, dtype=np.float64)
    kept = []
    for index, point in enumerate(values):
        dominating = (values >= point).all(axis=1) & (values > point).any(axis=1)
        if not dominating.any():
            kept.append(index)
    return kept
