"""Faults that only show in several outputs of one network: a pattern at a fixed place, and collapse. NumPy only.

Pictures are looked at one by one; of each only a thumbnail is kept, and a running sum of the fine detail.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from models.pictures.images import Image
from objectives.judging.borders import deepest_strip
from objectives.judging.luminance import box_blur, luminance

PATTERN_TOLERANCE: Final = 0.02
"""Amplitude, in pixel values, of fine detail that outputs may share: five of 255 levels. Outputs of strong styles share
up to 0.023, since equal strokes fall on equal places by chance."""

PATTERN_UNIT: Final = 0.06
"""Amplitude beyond that, in pixel values, that spoils outputs: a weave of 15 levels covers every plain area."""

COLLAPSE_SHARE: Final = 0.5
"""Below half the photos' contrast, or half their differences, outputs begin to collapse."""

COLLAPSE_UNIT: Final = 1.0 / 3.0
"""Share of contrast or differences lost beyond `COLLAPSE_SHARE` that spoils the outputs: complete collapse counts 3."""

MIN_PICTURES: Final = 2
"""Outputs needed for the terms that compare outputs with each other."""

PATTERN_SIDE: Final = 1024
"""Pixels: of larger pictures the upper left part of this size is compared. What a network paints into everything is
found there as anywhere, and two running sums stay below 51 MB."""

_PATTERN_RADIUS: Final = 2  # fine detail is what a 5x5 mean does not keep, twice the period of an upsampling's pattern
_LAYOUT_SIDE: Final = 16  # pixels a side of the thumbnails whose differences tell outputs apart
_FLOOR: Final = 1e-2  # pixel values; below this neither contrast nor difference is seen


@final
@dataclass(frozen=True, kw_only=True)
class SetLevels:
    """What a set of pictures shows together.

    Attributes:
        contrasts: Standard deviation of each picture's luminance.
        shared_detail: Mean product of two pictures' fine detail at the same place, in squared pixel values, without the
            margins, where strips are a fault of their own; below 0 by chance; None for fewer than two.
        difference: Mean distance of two pictures' thumbnails in luminance, each in standard deviations of its own; None
            for fewer than two. A palette that all outputs share makes them no more alike.
    """

    contrasts: tuple[float, ...]
    shared_detail: float | None
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
        self._sum: NDArray[np.float64] = np.zeros((*(side - 2 * _margin(part) for side in part), 3))
        self._own = 0.0
        self._contrasts: list[float] = []
        self._thumbnails: list[NDArray[np.float32]] = []

    def add(self, image: Image) -> None:
        """Looks at a picture: RGB in [0, 1], shape (height, width, 3)."""
        height, width = self._part
        margin = _margin(self._part)
        detail = (image - box_blur(image, _PATTERN_RADIUS))[margin : height - margin, margin : width - margin]
        detail = detail - detail.mean(axis=(0, 1))
        self._sum += detail
        self._own += float(np.mean(detail**2, dtype=np.float64))
        self._contrasts.append(float(luminance(image).std()))
        self._thumbnails.append(_layout(image))

    def levels(self) -> SetLevels:
        """Returns what the pictures so far show together."""
        number = len(self._thumbnails)
        if number < MIN_PICTURES:
            return SetLevels(contrasts=tuple(self._contrasts), shared_detail=None, difference=None)
        # The square of a sum holds each pair twice, and each picture with itself.
        shared_detail = (float(np.mean(self._sum**2)) - self._own) / (number * (number - 1))
        return SetLevels(
            contrasts=tuple(self._contrasts),
            shared_detail=shared_detail,
            difference=_mean_difference(np.stack(self._thumbnails)),
        )


def common_part(shapes: Sequence[tuple[int, ...]]) -> tuple[int, int]:
    """Height and width of the upper left part that pictures of these shapes have in common, at most `PATTERN_SIDE`."""
    height, width = (min(PATTERN_SIDE, *(shape[axis] for shape in shapes)) for axis in (0, 1))
    return height, width


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
    if outputs.shared_detail is None or photos.shared_detail is None:
        return None
    amplitude = math.sqrt(max(0.0, outputs.shared_detail - max(0.0, photos.shared_detail)))
    return max(0.0, (amplitude - PATTERN_TOLERANCE) / PATTERN_UNIT)


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


def _margin(part: tuple[int, int]) -> int:
    """Pixels to which strips may change fine detail."""
    return deepest_strip(part) + _PATTERN_RADIUS


def _mean_difference(thumbnails: NDArray[np.float32]) -> float:
    """Mean over all pairs of the root mean square difference; shape (pictures, ...)."""
    flat = thumbnails.reshape(len(thumbnails), -1)
    distances = [np.sqrt(np.mean((flat[place + 1 :] - one) ** 2, axis=1)) for place, one in enumerate(flat[:-1])]
    return float(np.mean(np.concatenate(distances)))


def _layout(image: Image) -> NDArray[np.float32]:
    """Luminance of a thumbnail, mean 0 and standard deviation 1, or nearly 0 where nothing is seen."""
    plane = luminance(_thumbnail(image))
    layout: NDArray[np.float32] = (plane - plane.mean()) / (plane.std() + _FLOOR)
    return layout


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
