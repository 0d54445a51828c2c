"""Pictures that look painted, for losses to be compared on before anything is trained."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

STYLE_SHARE: Final = 0.3
"""Of the style image in each pixel. Of the mixtures tried, ratios found on this one are nearest to those on outputs
of a trained network (docs/trainers.md)."""

_FLAT: Final = 1e-3
"""Deviation of a channel below which it is not stretched any further: a quarter of one of 255 levels."""


def painted(photos: NDArray[np.float32], style: NDArray[np.float32], *, seed: int) -> NDArray[np.float32]:
    """Give photos the style image's colours, and lay pieces of it over them.

    Args:
        photos: (photos, size, size, 3) in [0, 1].
        style: The style image, (height, width, 3); it is mirrored at its ends where it is smaller than a photo.
        seed: Chooses the pieces.

    Returns:
        Of the photos' shape, in [0, 1].
    """
    generator = np.random.default_rng(seed)
    size = photos.shape[1]
    missing = [(0, max(0, size - side)) for side in style.shape[:2]]
    canvas = np.pad(style, [*missing, (0, 0)], mode="symmetric")
    mixed = np.empty_like(photos)
    for index, photo in enumerate(photos):
        row, column = (int(generator.integers(side - size + 1)) for side in canvas.shape[:2])
        piece = canvas[row : row + size, column : column + size]
        mixed[index] = (1 - STYLE_SHARE) * _recoloured(photo, style) + STYLE_SHARE * piece
    return mixed


def _recoloured(photo: NDArray[np.float32], style: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean and deviation of each channel are the style image's, before what leaves [0, 1] is cut off."""
    centred = photo - photo.mean(axis=(0, 1))
    stretched = centred / np.maximum(photo.std(axis=(0, 1)), _FLAT) * style.std(axis=(0, 1))
    recoloured: NDArray[np.float32] = np.clip(stretched + style.mean(axis=(0, 1)), 0.0, 1.0).astype(np.float32)
    return recoloured
