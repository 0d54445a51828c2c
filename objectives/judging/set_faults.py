"""Faults that only show in several outputs of one network: a pattern at a fixed place, and collapse. NumPy only.

Pictures are looked at one by one; of each only a thumbnail is kept, and a running sum of the fine detail.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from models.pictures.images import Image
from objectives.judging.luminance import box_blur, luminance

PATTERN_TOLERANCE: Final = 0.05
"""Correlation of two outputs' fine detail that chance reaches at 96 px: three standard errors."""

PATTERN_UNIT: Final = 0.25
"""Correlation of two outputs' fine detail that spoils them: the pattern is a quarter of all detail."""

COLLAPSE_SHARE: Final = 0.5
"""Below half the photos' contrast, or half their differences, outputs begin to collapse."""

COLLAPSE_UNIT: Final = 1.0 / 3.0
"""Share of contrast or differences lost beyond `COLLAPSE_SHARE` that spoils the outputs: complete collapse counts 3."""

MIN_PICTURES: Final = 2
"""Outputs needed for the terms that compare outputs with each other."""

_PATTERN_RADIUS: Final = 2  # fine detail is what a 5x5 mean does not keep, twice the period of an upsampling's pattern
_LAYOUT_SIDE: Final = 16  # pixels a side of the thumbnails whose differences tell outputs apart
_FLOOR: Final = 1e-2  # pixel values; below this neither contrast nor difference is seen


@final
@dataclass(frozen=True, kw_only=True)
class SetLevels:
    """What a set of pictures shows together.

    Attributes:
        contrasts: Standard deviation of each picture's luminance.
        correlation: Mean correlation of two pictures' fine detail at the same place; None for fewer than two.
        difference: Mean distance of two pictures' thumbnails, in pixel values; None for fewer than two.
    """

    contrasts: tuple[float, ...]
    correlation: float | None
    difference: float | None


@final
class SetMeasurer:
    """Looks at the pictures of a set one after another."""

    def __init__(self, part: tuple[int, int]) -> None:
        """Begin without a picture.

        Args:
            part: Height and width of the upper left part whose fine detail is compared: no picture has fewer pixels.
        """
        self._part = part
        self._sum: NDArray[np.float64] = np.zeros((*part, 3))
        self._own = 0.0
        self._contrasts: list[float] = []
        self._thumbnails: list[NDArray[np.float32]] = []

    def add(self, image: Image) -> None:
        """Looks at a picture: RGB in [0, 1], shape (height, width, 3)."""
        height, width = self._part
        detail = (image - box_blur(image, _PATTERN_RADIUS))[:height, :width]
        detail = detail - detail.mean(axis=(0, 1))
        detail = detail / (float(np.sqrt(np.mean(detail**2))) + _FLOOR)
        self._sum += detail
        self._own += float(np.mean(detail**2, dtype=np.float64))
        self._contrasts.append(float(luminance(image).std()))
        self._thumbnails.append(_thumbnail(image))

    def levels(self) -> SetLevels:
        """Returns what the pictures so far show together."""
        number = len(self._thumbnails)
        if number < MIN_PICTURES:
            return SetLevels(contrasts=tuple(self._contrasts), correlation=None, difference=None)
        # The square of a sum holds each pair twice, and each picture with itself.
        correlation = (float(np.mean(self._sum**2)) - self._own) / (number * (number - 1))
        return SetLevels(
            contrasts=tuple(self._contrasts),
            correlation=correlation,
            difference=_mean_difference(np.stack(self._thumbnails)),
        )


def common_part(shapes: Sequence[tuple[int, ...]]) -> tuple[int, int]:
    """Height and width of the upper left part that pictures of these shapes have in common."""
    return min(shape[0] for shape in shapes), min(shape[1] for shape in shapes)


def measure_set(pictures: Sequence[Image]) -> SetLevels:
    """Looks at pictures that are all at hand: RGB in [0, 1], of one size or several."""
    measurer = SetMeasurer(common_part([picture.shape for picture in pictures]))
    for picture in pictures:
        measurer.add(picture)
    return measurer.levels()


def fixed_pattern_excess(outputs: SetLevels, photos: SetLevels) -> float | None:
    """Fine detail that different outputs share at the same place, beyond what their photos share.

    Args:
        outputs: Of a network.
        photos: As many, of the same sizes.

    Returns:
        At least 0, lower is better; None for fewer than two outputs.
    """
    if outputs.correlation is None or photos.correlation is None:
        return None
    shared = outputs.correlation - max(0.0, photos.correlation) - PATTERN_TOLERANCE
    return max(0.0, shared / PATTERN_UNIT)


def collapse_excess(outputs: SetLevels, photos: SetLevels, *, style_contrast: float) -> float | None:
    """Lost contrast, or outputs more alike than their photos, whichever is worse.

    Args:
        outputs: Of a network.
        photos: As many, in the same order.
        style_contrast: Standard deviation of the style image's luminance; a flat one allows flat outputs.

    Returns:
        At least 0, lower is better; None for fewer than two outputs.
    """
    if outputs.difference is None or photos.difference is None:
        return None
    contrasts = [
        (output + _FLOOR) / (min(photo, style_contrast) + _FLOOR)
        for output, photo in zip(outputs.contrasts, photos.contrasts, strict=True)
    ]
    differences = (outputs.difference + _FLOOR) / (photos.difference + _FLOOR)
    kept = min(float(np.mean(np.minimum(contrasts, COLLAPSE_SHARE))), differences)
    return max(0.0, (COLLAPSE_SHARE - kept) / COLLAPSE_SHARE / COLLAPSE_UNIT)


def _mean_difference(thumbnails: NDArray[np.float32]) -> float:
    """Mean over all pairs of the root mean square difference; shape (pictures, ...)."""
    flat = thumbnails.reshape(len(thumbnails), -1)
    distances = [np.sqrt(np.mean((flat[place + 1 :] - one) ** 2, axis=1)) for place, one in enumerate(flat[:-1])]
    return float(np.mean(np.concatenate(distances)))


def _thumbnail(image: Image) -> Image:
    thumbnail: NDArray[Any] = image
    for axis in (0, 1):
        count = thumbnail.shape[axis]
        edges = np.linspace(0, count, min(_LAYOUT_SIDE, count), endpoint=False).astype(np.intp)
        sizes = np.diff(np.append(edges, count)).astype(np.float32)
        shape = [1, 1, 1]
        shape[axis] = len(sizes)
        thumbnail = np.add.reduceat(thumbnail, edges, axis=axis) / sizes.reshape(shape)
    return thumbnail.astype(np.float32)
