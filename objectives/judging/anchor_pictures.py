"""Pictures without a style network that anchor the style match: a recoloured photo is 0, shuffled style tiles are 1."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from models.pictures.images import Image

COLOUR_VARIANCE_FLOOR: Final = 4e-4
"""Added to each colour direction's variance: a spread of 0.02, below which `read_style_image` calls a picture flat."""

TILES_PER_SIDE: Final = 4
"""Tiles along the shorter side: large enough for a motif, small enough to lose the style image's layout."""

MIN_TILE: Final = 8
"""Pixels: a smaller tile shows no stroke."""


def recolour(photo: Image, style: Image) -> Image:
    """Gives a photo the style image's mean colour and colour covariance, by the linear map that moves colours least.

    The Monge-Kantorovich map of Pitie and Kokaram, "The linear Monge-Kantorovitch linear colour mapping for
    example-based colour transfer" (CVMP 2007).

    Args:
        photo: RGB in [0, 1], shape (height, width, 3).
        style: RGB in [0, 1], any size.

    Returns:
        RGB in [0, 1], the photo's shape.
    """
    photo_colours, style_colours = photo.reshape(-1, 3).astype(np.float64), style.reshape(-1, 3).astype(np.float64)
    root = _square_root(_covariance(photo_colours))
    inverse = np.linalg.inv(root)
    mapping = inverse @ _square_root(root @ _covariance(style_colours) @ root) @ inverse
    moved = (photo_colours - photo_colours.mean(axis=0)) @ mapping + style_colours.mean(axis=0)
    recoloured: Image = np.clip(moved, 0.0, 1.0).reshape(photo.shape).astype(np.float32)
    return recoloured


def match_histograms(photo: Image, style: Image) -> Image:
    """Gives each colour channel of a photo the style image's histogram; the stronger, less faithful recolouring.

    Differs from `skimage.exposure.match_histograms`, which takes a level at the upper end of its share of the pixels,
    not at the middle: a style image of few colours came out up to 0.48 apart.

    Args:
        photo: RGB in [0, 1], shape (height, width, 3).
        style: RGB in [0, 1], any size.

    Returns:
        RGB in [0, 1], the photo's shape.
    """
    matched = np.empty_like(photo, dtype=np.float32)
    for channel in range(3):
        values, wanted = photo[..., channel].ravel(), np.sort(style[..., channel].ravel())
        levels, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
        share = (np.cumsum(counts) - 0.5 * counts) / values.size
        moved = np.interp(share, (np.arange(wanted.size) + 0.5) / wanted.size, wanted)
        matched[..., channel] = moved[inverse].reshape(photo.shape[:2]) if levels.size > 1 else wanted.mean()
    return matched


def shuffle_tiles(style: Image, *, height: int, width: int, seed: int, per_side: int = TILES_PER_SIDE) -> Image:
    """Fills a picture with square tiles cut at random from the style image: its texture without its composition.

    Args:
        style: RGB in [0, 1], any size.
        height: Pixels of the result.
        width: Pixels of the result.
        seed: Same seed, same tiles.
        per_side: Tiles along the shorter side; fewer where they would be smaller than `MIN_TILE`.

    Returns:
        RGB in [0, 1], shape (height, width, 3).
    """
    generator = np.random.default_rng(seed)
    side = min(max(MIN_TILE, min(height, width) // per_side), *style.shape[:2])
    num_rows, num_columns = -(-height // side), -(-width // side)
    tiled = np.empty((num_rows * side, num_columns * side, 3), dtype=np.float32)
    for top in range(0, tiled.shape[0], side):
        for left in range(0, tiled.shape[1], side):
            row, column = generator.integers(0, (style.shape[0] - side + 1, style.shape[1] - side + 1))
            tiled[top : top + side, left : left + side] = style[row : row + side, column : column + side]
    return tiled[:height, :width]


def _covariance(colours: NDArray[np.float64]) -> NDArray[np.float64]:
    covariance: NDArray[np.float64] = np.cov(colours, rowvar=False) + COLOUR_VARIANCE_FLOOR * np.eye(3)
    return covariance


def _square_root(matrix: NDArray[np.float64]) -> NDArray[np.float64]:
    values, vectors = np.linalg.eigh(matrix)
    root: NDArray[np.float64] = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T
    return root
