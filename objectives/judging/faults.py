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
from objectives.judging.borders import BorderSteps, deepest_strip, find_strips

CHECKERBOARD_TOLERANCE: Final = 1.25
"""An output may be so much rougher than the rougher of photo and style image: the acceptable pictures reach 1.1."""

CHECKERBOARD_UNIT: Final = 0.05
"""Nyquist amplitude, in pixel values, that spoils a picture: what a checkerboard of +-0.08 adds to fine texture."""

CLIPPING_TOLERANCE: Final = 0.02
"""Share of pixels that may clip beyond photo and style image: specks and highlights."""

CLIPPING_UNIT: Final = 0.25
"""Share of clipped pixels that spoils a picture."""

CLIPPED_BELOW: Final = 2.0 / 255.0
"""At most two of 255 levels from the end counts as clipped: JPEG moves a clipped value that far. A pixel counts where
all of its channels are: pure black, white or a pure colour. One channel at its end is what saturated styles paint
with."""

BORDER_UNIT_SHARE: Final = 1.0 / 1.5
"""Share of the picture that strips along its edges must cover to spoil it: a strip costs half as much again as the
share it covers, for it can be trimmed in a second."""


@final
@dataclass(frozen=True, kw_only=True)
class ArtefactLevels:
    """What one picture shows of each fault that a single picture can show, in natural units.

    Attributes:
        checkerboard: Root mean square of the 2x2 Nyquist filter, at full size and over blocks of 2x2, shape (2,).
        clipping: Share of clipped pixels, without the margins, where a black frame is a strip.
        border: Steps along the edges.
    """

    checkerboard: NDArray[np.float64]
    clipping: float
    border: BorderSteps


def measure_levels(image: Image, *, border: BorderSteps) -> ArtefactLevels:
    """Measures one picture.

    Args:
        image: RGB in [0, 1], shape (height, width, 3), at its own size.
        border: Its steps, or those of the picture that it was without its strips.
    """
    clipped = np.all((image <= CLIPPED_BELOW) | (image >= 1.0 - CLIPPED_BELOW), axis=-1)
    margin = deepest_strip(image.shape)
    inside = np.asarray(clipped)[margin:-margin, margin:-margin]
    return ArtefactLevels(checkerboard=_nyquist(image), clipping=float(inside.mean()), border=border)


def picture_excess(output: ArtefactLevels, *, photo: ArtefactLevels, style: ArtefactLevels) -> ArtefactExcess:
    """Excess of one output over its photo and the style image; the terms of several outputs are None."""
    rough = output.checkerboard - CHECKERBOARD_TOLERANCE * np.maximum(photo.checkerboard, style.checkerboard)
    clipping = output.clipping - max(photo.clipping, style.clipping) - CLIPPING_TOLERANCE
    return ArtefactExcess(
        checkerboard=max(0.0, float(rough.max()) / CHECKERBOARD_UNIT),
        clipping=max(0.0, clipping / CLIPPING_UNIT),
        border=find_strips(output.border, photo=photo.border).spoilt / BORDER_UNIT_SHARE,
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
