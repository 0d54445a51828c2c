"""What several quality parts see of a picture: its luminance, and that at coarser scales. NumPy and SciPy only."""

from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

Plane = NDArray[np.float32]
"""One value a pixel, shape (height, width)."""

LUMINANCE_WEIGHTS: Final = (0.299, 0.587, 0.114)
"""Red, green and blue in luma; ITU-R BT.601."""


def luminance(image: NDArray[np.float32]) -> Plane:
    """Luma of a picture.

    Args:
        image: RGB in [0, 1], shape (height, width, 3).

    Returns:
        Shape (height, width), in [0, 1].
    """
    plane: Plane = image @ np.asarray(LUMINANCE_WEIGHTS, dtype=np.float32)
    return plane


def halve(plane: NDArray[np.float32]) -> NDArray[np.float32]:
    """Averages 2x2 blocks; an odd last row or column is dropped, a side of 1 stays.

    Args:
        plane: Shape (height, width) or (height, width, channels).

    Returns:
        Shape (max(1, height // 2), max(1, width // 2), ...).
    """
    for axis in (0, 1):
        count = plane.shape[axis] // 2
        if count:
            even = plane.take(range(0, 2 * count, 2), axis=axis)
            odd = plane.take(range(1, 2 * count, 2), axis=axis)
            plane = (even + odd) / np.float32(2.0)
    return plane


def box_blur(plane: NDArray[np.float32], radius: int) -> NDArray[np.float32]:
    """Mean over a square window, edges repeated outwards.

    Args:
        plane: Shape (height, width) or (height, width, channels).
        radius: Pixels on each side of the centre; the window is 2 x radius + 1 wide.

    Returns:
        The same shape.
    """
    blurred: NDArray[np.float32] = uniform_filter(plane, 2 * radius + 1, mode="nearest", axes=(0, 1))
    return blurred


def correlation(first: NDArray[np.float32], second: NDArray[np.float32], *, variance_floor: float) -> float:
    """Pearson correlation that stays finite, and near 0, where one side hardly varies.

    Args:
        first: Any shape.
        second: The same shape.
        variance_floor: Added to both variances and to the covariance; two constant inputs correlate with 1, a constant
            and a varied one with sqrt(variance_floor / variance).

    Returns:
        In [-1, 1].
    """
    first_centred, second_centred = first - first.mean(), second - second.mean()
    covariance = float((first_centred * second_centred).mean()) + variance_floor
    first_variance = float((first_centred**2).mean()) + variance_floor
    second_variance = float((second_centred**2).mean()) + variance_floor
    return float(np.clip(covariance / np.sqrt(first_variance * second_variance), -1.0, 1.0))
