"""Whether a search still gets anywhere: how many results have come since one was better than all before."""

from collections.abc import Mapping, Sequence

import numpy as np

from measures.ties import MIN_PHOTOS, has_all, is_tie


def last_improvement(results: Sequence[Mapping[str, float]], photos: Sequence[str]) -> int | None:
    """Return the place of the last result that was better than the last such before it by more than chance.

    The first result that has a quality for every photo is an improvement on none. A later one is if its mean quality
    is higher than that of the last improvement, by more than the standard error of the difference over the photos
    (`measures.ties`). Steps that are each too small add up: all are held against the same result.

    Args:
        results: Quality by photo, in [0, 1], higher is better, in the order in which they came; one that lacks a photo
            (a trial that was pruned, say) improves nothing.
        photos: What they are compared on; where there are fewer than two, any higher mean is an improvement.

    Returns:
        Its index; None if no result has a quality for every photo.
    """
    best: int | None = None
    for place, result in enumerate(results):
        if has_all(result, photos) and (best is None or _is_better(result, results[best], photos)):
            best = place
    return best


def _is_better(result: Mapping[str, float], best: Mapping[str, float], photos: Sequence[str]) -> bool:
    gain = float(np.mean([result[photo] - best[photo] for photo in photos])) if photos else 0.0
    return gain > 0 and (len(photos) < MIN_PHOTOS or not is_tie(best, result, photos))
