"""Faults that a single output shows, each as the excess over what the photo and the style image themselves show.

An excess is 0 where nothing is wrong and about 1 where the fault spoils the picture; excesses add up, and the artefact
factor is exp(-sum). NumPy only.
"""

from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from measures.quality import ArtefactExcess
from models.pictures.images import Image
from objectives.judging.luminance import luminance

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
