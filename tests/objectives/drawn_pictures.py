"""Small pictures for the tests, drawn here; nothing is read from disk."""

import numpy as np

from models.pictures.images import Image
from objectives.judging.luminance import box_blur


def draw_photo(seed: int = 0, *, height: int = 64, width: int = 96) -> Image:
    """A smooth scene: soft ground, a few discs and bars with sharp outlines."""
    generator = np.random.default_rng(seed)
    rows, columns = np.mgrid[0:height, 0:width]
    photo = 0.3 + 0.3 * np.stack([rows / height, columns / width, 1 - rows / height], axis=-1)
    for _ in range(6):
        row, column = generator.uniform(0, height), generator.uniform(0, width)
        radius = generator.uniform(min(height, width) / 12, min(height, width) / 4)
        photo[np.hypot(rows - row, columns - column) < radius] = generator.uniform(0.1, 0.9, 3)
    return box_blur(photo.astype(np.float32), 1)


def draw_style(seed: int = 100, *, height: int = 80, width: int = 80) -> Image:
    """A painting of short strokes in blue and yellow."""
    generator = np.random.default_rng(seed)
    style = np.empty((height, width, 3))
    style[:] = (0.15, 0.25, 0.55)
    palette = np.array([(0.9, 0.75, 0.2), (0.1, 0.15, 0.4), (0.35, 0.5, 0.75), (0.85, 0.85, 0.7)])
    for _ in range(height * width // 20):
        row, column = generator.integers(0, height), generator.integers(0, width)
        turn = 3 * np.sin(row / height * 4) + column / width * 3
        along = np.arange(7)
        at = (row + np.sin(turn) * along).astype(int) % height, (column + np.cos(turn) * along).astype(int) % width
        style[at] = palette[generator.integers(len(palette))]
    return style.astype(np.float32)


def stylise(photo: Image, style: Image, *, strength: float, seed: int = 7) -> Image:
    """Stands in for a style network: new strokes as `draw_style` makes them, in the style image's colours."""
    strokes = draw_style(1000 + seed, height=photo.shape[0], width=photo.shape[1])
    colours = (photo - photo.mean(axis=(0, 1))) * 1.2 + style.mean(axis=(0, 1))
    mixed = (1 - strength) * colours + strength * strokes
    return np.clip(mixed, 0.0, 1.0).astype(np.float32)


def checkerboard(height: int, width: int) -> Image:
    """+1 and -1 in turn, shape (height, width, 1)."""
    signs = 1 - 2 * (np.indices((height, width)).sum(axis=0) % 2)
    return signs[..., None].astype(np.float32)
