"""Faults of style networks, each measured as the excess over what the photo and the style image themselves show.

An excess is 0 where nothing is wrong and about 1 where the fault spoils the picture; excesses add up, and the artefact
factor is exp(-sum). NumPy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from measures.quality import ArtefactExcess
from models.pictures.images import Image
from objectives.judging.luminance import box_blur, luminance

CHECKERBOARD_TOLERANCE: Final = 1.25
"""An output may be so much rougher than the rougher of photo and style image: the acceptable pictures reach 1.1."""

CHECKERBOARD_UNIT: Final = 0.05
"""Nyquist amplitude, in pixel values, that spoils a picture: what a checkerboard of +-0.08 adds to fine texture."""

CLIPPING_TOLERANCE: Final = 0.05
"""Share of channel values that may clip beyond photo and style image: flat bright styles do so by nature."""

CLIPPING_UNIT: Final = 0.4
"""Share of clipped channel values that spoils a picture; gentle, for flat bright styles."""

CLIPPED_BELOW: Final = 2.0 / 255.0
"""At most two of 255 levels from the end counts as clipped: JPEG moves a clipped value that far."""

BORDER_WIDTHS: Final = (2, 4, 8)
"""Pixels: what zero padding disturbs after one, two and four 5x5 kernels."""

BORDER_TOLERANCE: Final = 1.25
"""A border may differ so much more than the photo's and the style image's own: restyling raises contrast."""

BORDER_SLACK: Final = 0.02
"""Step in pixel values that may always stand at a border: five of 255 levels, hardly seen."""

BORDER_UNIT: Final = 0.1
"""Step at the border, in pixel values, that spoils a picture."""

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
class ArtefactLevels:
    """What one picture shows of each fault that a single picture can show, in natural units.

    Attributes:
        checkerboard: Root mean square of the 2x2 Nyquist filter, at full size and over blocks of 2x2, shape (2,).
        clipping: Share of clipped channel values.
        border: Mean step at the four borders for each of `BORDER_WIDTHS`, shape (3,).
    """

    checkerboard: NDArray[np.float64]
    clipping: float
    border: NDArray[np.float64]


def measure_levels(image: Image) -> ArtefactLevels:
    """Measures one picture.

    Args:
        image: RGB in [0, 1], shape (height, width, 3), at its own size.
    """
    clipped = (image <= CLIPPED_BELOW) | (image >= 1.0 - CLIPPED_BELOW)
    border = np.array([_border_step(image, width) for width in BORDER_WIDTHS])
    return ArtefactLevels(checkerboard=_nyquist(image), clipping=float(clipped.mean()), border=border)


def picture_excess(output: ArtefactLevels, *, photo: ArtefactLevels, style: ArtefactLevels) -> ArtefactExcess:
    """Excess of one output over its photo and the style image; the terms of several outputs are None."""
    rough = output.checkerboard - CHECKERBOARD_TOLERANCE * np.maximum(photo.checkerboard, style.checkerboard)
    clipping = output.clipping - max(photo.clipping, style.clipping) - CLIPPING_TOLERANCE
    step = output.border - BORDER_TOLERANCE * np.maximum(photo.border, style.border) - BORDER_SLACK
    return ArtefactExcess(
        checkerboard=max(0.0, float(rough.max()) / CHECKERBOARD_UNIT),
        clipping=max(0.0, clipping / CLIPPING_UNIT),
        border=max(0.0, float(step.max()) / BORDER_UNIT),
        fixed_pattern=None,
        collapse=None,
    )


def fixed_pattern_excess(outputs: Sequence[Image], photos: Sequence[Image]) -> float | None:
    """Fine detail that different outputs share at the same place, beyond what their photos share.

    Args:
        outputs: RGB in [0, 1]; sizes may differ, the common upper left part is compared.
        photos: As many, of the same sizes.

    Returns:
        At least 0, lower is better; None for fewer than two outputs.
    """
    if len(outputs) < MIN_PICTURES:
        return None
    shared = _mean_correlation(outputs) - max(0.0, _mean_correlation(photos)) - PATTERN_TOLERANCE
    return max(0.0, shared / PATTERN_UNIT)


def collapse_excess(outputs: Sequence[Image], photos: Sequence[Image], *, style: Image) -> float | None:
    """Lost contrast, or outputs more alike than their photos, whichever is worse.

    Args:
        outputs: RGB in [0, 1]; sizes may differ.
        photos: As many.
        style: RGB in [0, 1], any size; a flat style image allows flat outputs.

    Returns:
        At least 0, lower is better; None for fewer than two outputs.
    """
    if len(outputs) < MIN_PICTURES:
        return None
    style_contrast = float(luminance(style).std())
    contrasts = [
        (float(luminance(output).std()) + _FLOOR) / (min(float(luminance(photo).std()), style_contrast) + _FLOOR)
        for output, photo in zip(outputs, photos, strict=True)
    ]
    differences = (_mean_difference(outputs) + _FLOOR) / (_mean_difference(photos) + _FLOOR)
    kept = min(float(np.mean(np.minimum(contrasts, COLLAPSE_SHARE))), differences)
    return max(0.0, (COLLAPSE_SHARE - kept) / COLLAPSE_SHARE / COLLAPSE_UNIT)


def _nyquist(image: Image) -> NDArray[np.float64]:
    blocks = (image[:-1, :-1] + image[1:, :-1] + image[:-1, 1:] + image[1:, 1:]) / 4.0
    levels = []
    for pixels, step in ((image, 1), (blocks, 2)):
        corners = pixels[:-step, :-step] - pixels[:-step, step:] - pixels[step:, :-step] + pixels[step:, step:]
        levels.append(np.sqrt(np.mean((corners / 4.0) ** 2, dtype=np.float64)))
    return np.array(levels)


def _border_step(image: Image, width: int) -> float:
    steps = []
    for quarter_turns in range(4):
        turned = np.rot90(image, quarter_turns)
        outer, inner = turned[:width], turned[width : 2 * width]
        colour = float(np.sqrt(np.mean((outer.mean(axis=(0, 1)) - inner.mean(axis=(0, 1))) ** 2)))
        steps.append(np.hypot(colour, float(luminance(outer).std()) - float(luminance(inner).std())))
    return float(np.mean(steps))


def _mean_correlation(images: Sequence[Image]) -> float:
    height, width = (min(image.shape[axis] for image in images) for axis in (0, 1))
    details = []
    for image in images:
        detail = (image - box_blur(image, _PATTERN_RADIUS))[:height, :width]
        detail = detail - detail.mean(axis=(0, 1))
        details.append(detail / (float(np.sqrt(np.mean(detail**2))) + _FLOOR))
    return float(np.mean([float(np.mean(one * other)) for one, other in combinations(details, 2)]))


def _mean_difference(images: Sequence[Image]) -> float:
    thumbnails = [_thumbnail(image) for image in images]
    return float(np.mean([np.sqrt(np.mean((one - other) ** 2)) for one, other in combinations(thumbnails, 2)]))


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
