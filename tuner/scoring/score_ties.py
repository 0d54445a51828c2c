"""Which scored pictures are as good as the best, as far as their photos can tell."""

from collections.abc import Sequence

from measures.ties import MIN_PHOTOS, is_tie
from objectives.judging.scoring import OutputsScore


def tied_with_first(scores: Sequence[OutputsScore]) -> frozenset[int]:
    """Find the outputs that cannot be told from the first by the photos that both were made from.

    Args:
        scores: The best first.

    Returns:
        Places of those that tie with the first, by the rule of `measures.ties`; outputs of other photos, of fewer than
        two photos, or several of one photo do not.
    """
    best, *others = (_by_photo(scored) for scored in scores)
    photos = sorted(best)
    if len(photos) < MIN_PHOTOS:
        return frozenset()
    return frozenset(
        place for place, other in enumerate(others, start=1) if sorted(other) == photos and is_tie(best, other, photos)
    )


def _by_photo(scored: OutputsScore) -> dict[str, float]:
    """Quality by photo; nothing where a photo has several pictures."""
    qualities = {picture.photo: picture.quality.quality for picture in scored.pictures}
    return qualities if len(qualities) == len(scored.pictures) else {}
