"""How much of the photo an output still shows: LPIPS against the photo, and how far their edges agree. NumPy only.

Differs from the plain LPIPS distance: a change of colour is not held against an output, because the distance is taken
to the photo or to the recoloured photo, whichever is nearer; and the edges are added because LPIPS saturates where
edges still tell a faint photo from none.
"""

from typing import Final

import numpy as np

from models.pictures.images import Image
from objectives.judging.luminance import Plane, correlation, halve, luminance

NUM_SCALES: Final = 3
"""Edges are compared at 1/2, 1/4 and 1/8 of the judged size: outlines and masses; at full size brush strokes rule."""

GRADIENT_VARIANCE_FLOOR: Final = 1e-5
"""Added to the variance of gradient magnitudes: spread 0.003, about one of 255 levels, the noise of 8-bit pictures."""

LPIPS_SHARE: Final = 0.5
"""Share of LPIPS against edges: the even mean, until measurements say otherwise."""

RECOGNISABLE: Final = 0.35
"""Below this a photo is hardly recognised, and what is left of it counts by its square. On the half that the judge was
tuned on, outputs that a person would take measured from 0.38 on, but for one of 0.24, and the first to lose animals and
boats 0.26, where the geometric mean alone lets more style make up for it."""

MIN_LPIPS_REFERENCE: Final = 0.1
"""Smallest distance that counts as "no content left": keeps the ratio finite where photo and style image are alike."""


def gradient_maps(image: Image) -> tuple[Plane, ...]:
    """Gradient magnitudes of the luminance at each scale.

    Args:
        image: RGB in [0, 1], shape (height, width, 3).

    Returns:
        `NUM_SCALES` planes, each half the size of the one before.
    """
    plane = luminance(image)
    maps = []
    for _ in range(NUM_SCALES):
        plane = halve(plane)
        maps.append(_gradient_magnitude(plane))
    return tuple(maps)


def gradient_correlation(output: tuple[Plane, ...], photo: tuple[Plane, ...]) -> float:
    """Mean correlation over scales of two pictures' gradient magnitudes.

    Args:
        output: `gradient_maps` of the output.
        photo: `gradient_maps` of the photo.

    Returns:
        In [-1, 1], 1 for equal edges, about 0 for unrelated ones; higher is better.
    """
    return float(
        np.mean(
            [
                correlation(one, other, variance_floor=GRADIENT_VARIANCE_FLOOR)
                for one, other in zip(output, photo, strict=True)
            ]
        )
    )


def content_preservation(*, lpips: float, lpips_reference: float, edges: float) -> float:
    """Content preservation before it is clipped; higher is better.

    Args:
        lpips: LPIPS of the output to the photo or the recoloured photo, whichever is nearer; at least 0.
        lpips_reference: LPIPS of the style image, stretched to the photo's size, to the photo: nothing is left.
        edges: `gradient_correlation` of output and photo.

    Returns:
        1 for the photo itself, about 0 for an unrelated picture, below 0 for noise; between 0 and `RECOGNISABLE` less
        than the mean of what LPIPS and edges say.
    """
    kept = 1.0 - lpips / max(lpips_reference, MIN_LPIPS_REFERENCE)
    mean = LPIPS_SHARE * kept + (1.0 - LPIPS_SHARE) * edges
    return mean**2 / RECOGNISABLE if 0.0 < mean < RECOGNISABLE else mean


def _gradient_magnitude(plane: Plane) -> Plane:
    if min(plane.shape) < 2:  # noqa: PLR2004 - a gradient needs two pixels
        return np.zeros_like(plane)
    rows, columns = np.gradient(plane)
    magnitude: Plane = np.hypot(rows, columns).astype(np.float32)
    return magnitude
