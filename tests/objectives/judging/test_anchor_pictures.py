import numpy as np
import pytest

from models.pictures.images import Image
from objectives.judging.anchor_pictures import match_histograms, recolour, shuffle_tiles
from tests.objectives.drawn_pictures import draw_photo, draw_style


def soft(seed: int, mean: float) -> Image:
    """Colours far from 0 and 1, so that nothing is clipped."""
    colours = np.random.default_rng(seed).normal(mean, 0.06, (40, 40, 3)).astype(np.float32)
    return np.clip(colours @ np.array([[1, 0.3, 0], [0, 1, 0.3], [0.2, 0, 1]], dtype=np.float32), 0, 1)


def test_recolour_gives_mean_and_covariance_of_the_style_image() -> None:
    style, moved = soft(1, 0.3), recolour(soft(0, 0.4), soft(1, 0.3))
    np.testing.assert_allclose(moved.mean(axis=(0, 1)), style.mean(axis=(0, 1)), atol=1e-5)
    np.testing.assert_allclose(np.cov(moved.reshape(-1, 3).T), np.cov(style.reshape(-1, 3).T), atol=2e-4)


def test_recolour_to_itself_is_the_photo() -> None:
    np.testing.assert_allclose(recolour(draw_photo(), draw_photo()), draw_photo(), atol=1e-6)


def test_matched_histograms_are_the_style_images() -> None:
    style, matched = soft(1, 0.3), match_histograms(soft(0, 0.4), soft(1, 0.3))
    levels = np.linspace(0.01, 0.99, 33)
    for channel in range(3):
        wanted = np.quantile(style[..., channel], levels)
        np.testing.assert_allclose(np.quantile(matched[..., channel], levels), wanted, atol=2e-3)


@pytest.mark.parametrize("change", [recolour, match_histograms])
def test_flat_pictures_stay_finite_and_in_range(change: object) -> None:
    flat = np.full((16, 20, 3), 0.5, dtype=np.float32)
    for photo, style in ((flat, draw_style()), (draw_photo(), flat), (flat, flat)):
        changed = change(photo, style)
        assert changed.shape == photo.shape
        assert np.isfinite(changed).all()
        assert changed.min() >= 0.0
        assert changed.max() <= 1.0


def test_tiles_come_from_the_style_image_and_depend_only_on_the_seed() -> None:
    style = draw_style()
    tiles = shuffle_tiles(style, height=64, width=50, seed=3)
    assert tiles.shape == (64, 50, 3)
    corner = tiles[:12, :12]
    found = [
        np.array_equal(style[row : row + 12, column : column + 12], corner)
        for row in range(style.shape[0] - 11)
        for column in range(style.shape[1] - 11)
    ]
    assert any(found)
    np.testing.assert_array_equal(tiles, shuffle_tiles(style, height=64, width=50, seed=3))
    assert not np.array_equal(tiles, shuffle_tiles(style, height=64, width=50, seed=4))


def test_smaller_tiles_are_cut_where_they_are_asked_for_but_none_that_shows_no_stroke() -> None:
    style = draw_style(height=128, width=128)
    eighths = shuffle_tiles(style, height=128, width=128, seed=3, per_side=8)
    assert not np.array_equal(eighths, shuffle_tiles(style, height=128, width=128, seed=3))
    sixteenths = shuffle_tiles(style, height=128, width=128, seed=3, per_side=16)
    np.testing.assert_array_equal(sixteenths, shuffle_tiles(style, height=128, width=128, seed=3, per_side=32))
    assert not np.array_equal(sixteenths, eighths)


def test_tiles_of_a_style_image_smaller_than_a_tile() -> None:
    assert shuffle_tiles(draw_style(height=16, width=16), height=100, width=130, seed=0).shape == (100, 130, 3)
