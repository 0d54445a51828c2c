"""Strips that a network paints along the edges of its outputs: how deep they are, and how much they spoil.

A strip is a step that runs the whole length of an edge, stronger than what the photo shows at that place and than what
the output itself shows farther inside. A bright corner or a horizon is no such step. NumPy only.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from models.pictures.images import Image
from objectives.judging.luminance import luminance

DEEPEST_SHARE: Final = 1.0 / 16.0
"""Of the shorter side: how deep a strip is looked for. Deeper ones are taken for composition."""

SHALLOWEST_LIMIT: Final = 4
"""Pixels: strips are looked for at least so deep, also in small pictures."""

BORDER_TOLERANCE: Final = 1.25
"""A step may be so much stronger than the photo's at the same place: restyling raises contrast."""

BORDER_SLACK: Final = 0.02
"""Step in pixel values that may always stand at a border: five of 255 levels, hardly seen."""

BORDER_UNIT: Final = 0.1
"""Step beyond that, in pixel values, by which a strip is spoilt to 1 - 1/e: 25 of 255 levels, plain to see."""

_WINDOW: Final = 2  # lines on each side of a step that are averaged: a step blurred over two pixels is still one
_SAME_STRIP: Final = 0.5  # of the strongest excess: the deepest step that is as strong ends the strip


@final
@dataclass(frozen=True, kw_only=True)
class BorderSteps:
    """Steps across lines that run along the edges.

    Attributes:
        outer: Step at depth 1 to the deepest, in pixel values, for top, right, bottom and left, shape (4, depths).
        inner: The strongest step behind the deepest, up to twice as deep, shape (4,).
        share_a_pixel: Share of the picture that one line of pixels covers, shape (4,).
    """

    outer: NDArray[np.float64]
    inner: NDArray[np.float64]
    share_a_pixel: NDArray[np.float64]


def deepest_strip(shape: Sequence[int]) -> int:
    """Pixels to which strips are looked for in a picture of this height and width."""
    return max(SHALLOWEST_LIMIT, int(min(shape[:2]) * DEEPEST_SHARE))


def measure_border(image: Image) -> BorderSteps:
    """Measures the steps along the edges of one picture.

    Args:
        image: RGB in [0, 1], shape (height, width, 3), at its own size.
    """
    deepest = deepest_strip(image.shape)
    steps = np.array([_steps(np.rot90(image, turns), 2 * deepest) for turns in range(4)])
    height, width = image.shape[:2]
    return BorderSteps(
        outer=steps[:, :deepest],
        inner=steps[:, deepest:].max(axis=1),
        share_a_pixel=np.array([1.0 / height, 1.0 / width] * 2),
    )


@final
@dataclass(frozen=True, kw_only=True)
class Strips:
    """Strips along the edges of an output that its photo does not show.

    Attributes:
        depths: Pixels of each at top, right, bottom and left; 0 where there is none.
        spoilt: Share of the picture that they cover, each times how plain it is to see; in [0, 1], lower is better.
    """

    depths: tuple[int, int, int, int]
    spoilt: float


def find_strips(output: BorderSteps, *, photo: BorderSteps) -> Strips:
    """Finds the strips of an output.

    Args:
        output: Of the output.
        photo: Of its photo, the same size.
    """
    allowed = np.maximum(BORDER_TOLERANCE * photo.outer, output.inner[:, None]) + BORDER_SLACK
    excess = output.outer - allowed
    strongest = excess.max(axis=1)
    depths = [
        int(np.flatnonzero(side >= _SAME_STRIP * most)[-1]) + 1 if most > 0.0 else 0
        for side, most in zip(excess, strongest, strict=True)
    ]
    plain = 1.0 - np.exp(-np.maximum(strongest, 0.0) / BORDER_UNIT)
    spoilt = float((np.array(depths) * output.share_a_pixel * plain).sum())
    return Strips(depths=(depths[0], depths[1], depths[2], depths[3]), spoilt=min(spoilt, 1.0))


def without_strips(image: Image, strips: Strips) -> Image:
    """Fills strips with what lies next to them, mirrored: what is left when a person looks past a frame.

    Args:
        image: RGB in [0, 1], shape (height, width, 3).
        strips: Of the same picture.

    Returns:
        The same shape.
    """
    top, right, bottom, left = strips.depths
    height, width = image.shape[:2]
    inside = image[top : height - bottom, left : width - right]
    filled: Image = np.pad(inside, [(top, bottom), (left, right), (0, 0)], mode="symmetric")
    return filled


def _steps(image: Image, count: int) -> NDArray[np.float64]:
    """Steps below the first to the `count`-th line, in mean colour and in contrast along the lines."""
    lines = image[: count + _WINDOW]
    colours = lines.mean(axis=1, dtype=np.float64)
    contrasts = luminance(np.ascontiguousarray(lines)).std(axis=1, dtype=np.float64)
    steps = []
    for depth in range(1, count + 1):
        above, below = slice(max(0, depth - _WINDOW), depth), slice(depth, depth + _WINDOW)
        colour = np.sqrt(np.mean((colours[above].mean(axis=0) - colours[below].mean(axis=0)) ** 2))
        steps.append(np.hypot(colour, contrasts[above].mean() - contrasts[below].mean()))
    return np.array(steps)
