"""How much of the photo an output still shows: LPIPS, edges, and what is seen at each place. NumPy only.

Differs from the plain LPIPS distance: a change of colour is not held against an output, because the distance is taken
to the photo or to the recoloured photo, whichever is nearer; edges are added because LPIPS saturates where edges still
tell a faint photo from none; and both can be satisfied by strokes that follow the photo's outlines where its subject
is gone, so what is seen at each place is compared too, and decides with the edges whether the photo is recognised.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.pictures.images import Image
from objectives.judging.luminance import Plane, correlation, halve, luminance

NUM_SCALES: Final = 3
"""Edges are compared at 1/2, 1/4 and 1/8 of the judged size: outlines and masses; at full size brush strokes rule."""

GRADIENT_VARIANCE_FLOOR: Final = 1e-5
"""Added to the variance of gradient magnitudes: spread 0.003, about one of 255 levels, the noise of 8-bit pictures."""

PLACES_SHARE: Final = 1.0 / 3.0
"""Share of the agreement of places against LPIPS and edges together, which have even shares of the rest."""

LPIPS_SHARE: Final = 0.5
"""Share of LPIPS against edges: the even mean, until measurements say otherwise."""

RECOGNISABLE: Final = 0.66
"""Mean agreement of places and edges below which a photo is not recognised: strokes along its edges without its places,
or places without their outlines, are a photo that is gone. On the half that the judge was tuned on, outputs in which a
person finds the subject again measured from 0.70 on (but for one of 0.53), those that lost it up to 0.59."""

LOSS_EXPONENT: Final = 4.0
"""What is left of a photo that is not recognised falls with this power of that agreement: more style does not make up
for a lost photo, as the geometric mean alone would let it."""

MIN_LPIPS_REFERENCE: Final = 0.1
"""Smallest distance that counts as "no content left": keeps the ratio finite where photo and style image are alike."""


_SHORTEST_VECTOR: Final = 1e-6  # keeps the places of a flat picture finite


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


def place_vectors(features: NDArray[np.float32]) -> NDArray[np.float32]:
    """What a picture shows at each place, so that it can be compared with another picture's places.

    The picture's mean is taken away, since a style changes what is seen everywhere alike.

    Args:
        features: Of a deep layer, shape (places, channels).

    Returns:
        Directions of unit length, the same shape; 0 where a place shows nothing but the mean.
    """
    centred = features - features.mean(axis=0)
    lengths = np.linalg.norm(centred, axis=1, keepdims=True)
    vectors: NDArray[np.float32] = centred / np.maximum(lengths, _SHORTEST_VECTOR)
    return vectors


def place_agreement(output: NDArray[np.float32], photo: NDArray[np.float32]) -> float:
    """How far each place of an output shows what that place of the photo does, rather than what others do.

    The share of a picture's other places that resemble a place of the other picture less than its own does: the area
    under the ROC curve of finding a place again (as Mann and Whitney's U, 1947), meaned over places and both ways.

    Args:
        output: `place_vectors` of the output.
        photo: `place_vectors` of the photo, the same shape.

    Returns:
        In [-1, 1]: 1 where every place is found again, 0 for an unrelated picture; higher is better.
    """
    if not photo.any():  # a flat photo shows nothing that could be lost
        return 1.0
    likeness = output @ photo.T
    own = np.diag(likeness)
    others = len(likeness) - 1
    if others < 1:
        return 1.0
    found = 0.0
    for side in (likeness, likeness.T):
        less = (side < own[:, None]).sum(axis=1)
        equal = (side == own[:, None]).sum(axis=1) - 1
        found += float(np.mean((less + 0.5 * equal) / others))
    return found - 1.0


def content_preservation(*, lpips: float, lpips_reference: float, edges: float, places: float) -> float:
    """Content preservation before it is clipped; higher is better.

    Args:
        lpips: LPIPS of the output to the photo or the recoloured photo, whichever is nearer; at least 0.
        lpips_reference: LPIPS of the style image, stretched to the photo's size, to the photo: nothing is left.
        edges: `gradient_correlation` of output and photo.
        places: `place_agreement` of output and photo.

    Returns:
        1 for the photo itself, about 0 for an unrelated picture, below 0 for noise; less than the mean of the three
        where `places` and `edges` are below `RECOGNISABLE`.
    """
    kept = 1.0 - lpips / max(lpips_reference, MIN_LPIPS_REFERENCE)
    outlines = LPIPS_SHARE * kept + (1.0 - LPIPS_SHARE) * edges
    mean = (1.0 - PLACES_SHARE) * outlines + PLACES_SHARE * places
    recognised = min(1.0, max(0.5 * (places + edges), 0.0) / RECOGNISABLE)
    return mean * recognised**LOSS_EXPONENT if mean > 0.0 else mean


def _gradient_magnitude(plane: Plane) -> Plane:
    if min(plane.shape) < 2:  # noqa: PLR2004 - a gradient needs two pixels
        return np.zeros_like(plane)
    rows, columns = np.gradient(plane)
    magnitude: Plane = np.hypot(rows, columns).astype(np.float32)
    return magnitude
