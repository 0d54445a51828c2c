"""Pictures that look painted: by hand, the same each time, of any size."""

import numpy as np
import pytest

from tests.objectives.drawn_pictures import draw_photo, draw_style
from tuner.converting.painted_pictures import STYLE_SHARE, painted


def test_a_photo_of_the_styles_colours_is_mixed_with_the_style() -> None:
    """By hand: the photo's mean and deviation are the style's already, so that it stays as it is."""
    style = np.zeros((4, 4, 3), np.float32)
    style[::2] = 0.5
    photo = style[::-1]
    (found,) = painted(photo[None], style, seed=0)
    np.testing.assert_allclose(found, (1 - STYLE_SHARE) * photo + STYLE_SHARE * style, atol=1e-6)


def test_the_seed_chooses_the_pieces() -> None:
    photos = np.stack([draw_photo(seed, height=32, width=32) for seed in range(3)])
    style = draw_style()
    first = painted(photos, style, seed=1)
    assert first.shape == photos.shape
    assert first.dtype == np.float32
    assert 0 <= first.min() <= first.max() <= 1
    np.testing.assert_array_equal(painted(photos, style, seed=1), first)
    assert not np.array_equal(painted(photos, style, seed=2), first)


@pytest.mark.parametrize(("height", "width"), [(32, 100), (40, 33), (150, 34)])
def test_a_style_image_smaller_than_the_photos(height: int, width: int) -> None:
    photos = np.stack([draw_photo(0, height=96, width=96)])
    assert painted(photos, draw_style(height=height, width=width), seed=0).shape == (1, 96, 96, 3)


def test_a_flat_photo_becomes_no_noise() -> None:
    flat = np.full((1, 16, 16, 3), 0.4, np.float32)
    found = painted(flat, draw_style(height=16, width=16), seed=0)
    assert np.isfinite(found).all()
