import numpy as np
import pytest
import scipy.signal
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import gaussian_filter

from models.pictures.images import Image, resize
from objectives.judging.anchor_pictures import recolour, shuffle_tiles
from objectives.judging.copying import (
    COPIED_PATCHES,
    PATCH_SIDE,
    TOLERATED_PATCHES,
    StylePatches,
    copied_layout,
    fine_detail,
)
from tests.objectives.drawn_pictures import draw_photo, draw_style, stylise
from tests.objectives.quality_part_conformance import QualityPartConformance


class TestCopiedLayout(QualityPartConformance):
    lowest, highest, higher_is_better = 0.0, 1.0, False

    def measure(self, output: Image, *, photo: Image, style: Image) -> float:
        height, width = photo.shape[:2]
        pasted = resize(style, height=height, width=width)
        return copied_layout(fine_detail(output), photo=fine_detail(photo), style=fine_detail(pasted))

    def better_and_worse(self) -> tuple[Image, Image]:
        pasted = resize(draw_style(), height=64, width=96)
        return stylise(draw_photo(), draw_style(), strength=0.5), 0.5 * draw_photo() + 0.5 * pasted

    def test_a_pasted_copy_is_one_and_the_photo_zero(self) -> None:
        pasted = resize(draw_style(), height=64, width=96)
        assert self.measure(pasted, photo=draw_photo(), style=draw_style()) > 0.95
        assert self.measure(draw_photo(), photo=draw_photo(), style=draw_style()) == 0.0


class TestCopiedPatches(QualityPartConformance):
    lowest, highest, higher_is_better = 0.0, 1.0, False

    def measure(self, output: Image, *, photo: Image, style: Image) -> float:
        return StylePatches(style).copied_patches(fine_detail(output), photo=fine_detail(photo))

    def better_and_worse(self) -> tuple[Image, Image]:
        style = draw_style()
        return _noise(64, 96, seed=3), np.concatenate([style[:64, :64], style[-64:, -32:]], axis=1)


def test_pieces_of_the_style_image_are_found_anywhere_also_behind_the_photo() -> None:
    style, photo = _noise(160, 160, seed=0), _noise(128, 128, seed=1)
    tiles = shuffle_tiles(style, height=128, width=128, seed=2)
    patches = StylePatches(style)

    def copied(output: Image) -> float:
        return patches.copied_patches(fine_detail(output), photo=fine_detail(photo))

    assert copied(tiles) == 1.0
    assert copied(0.5 * photo + 0.5 * tiles) == 1.0
    assert copied(0.5 * recolour(photo, style) + 0.5 * tiles) == 1.0
    assert copied(photo) == 0.0
    assert copied(_noise(128, 128, seed=5)) == 0.0


def test_the_tolerated_correlation_is_zero_and_the_copied_one_is_one(monkeypatch: pytest.MonkeyPatch) -> None:
    patches, detail = StylePatches(draw_style()), fine_detail(draw_photo())
    for found, expected in [(TOLERATED_PATCHES, 0.0), (COPIED_PATCHES, 1.0), (0.0, 0.0), (1.0, 1.0)]:
        monkeypatch.setattr(StylePatches, "best_correlation", lambda *_, found=found, **__: found)
        assert patches.copied_patches(detail, photo=detail) == pytest.approx(expected)


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_best_correlation_is_that_of_a_plain_search(seed: int) -> None:
    style = _noise(80, 100, seed=seed)
    output = fine_detail(_noise(2 * PATCH_SIDE, 2 * PATCH_SIDE, seed=seed + 1))
    found = StylePatches(style).best_correlation(output, photo=np.zeros_like(output))

    plane, patch = fine_detail(style).astype(np.float64), output.astype(np.float64) - output.mean()
    windows = np.lib.stride_tricks.sliding_window_view(plane, patch.shape)
    products = scipy.signal.correlate(plane, patch, mode="valid", method="direct")
    expected = products / (patch.size * patch.std() * windows.std(axis=(2, 3)))
    assert found == pytest.approx(expected.max(), rel=1e-3)


@pytest.mark.parametrize("side", [16, 2 * PATCH_SIDE - 2])
def test_a_style_image_smaller_than_a_patch_holds_none(side: int) -> None:
    detail = fine_detail(draw_photo())
    assert StylePatches(_noise(side, side, seed=0)).copied_patches(detail, photo=detail) == 0.0


def test_flat_pictures_stay_finite() -> None:
    flat = np.full((64, 64, 3), 0.5, dtype=np.float32)
    for style, output in [(flat, _noise(64, 64, seed=0)), (_noise(64, 64, seed=0), flat), (flat, flat)]:
        assert StylePatches(style).copied_patches(fine_detail(output), photo=fine_detail(flat)) == 0.0


def _noise(height: int, width: int, *, seed: int) -> Image:
    """Soft noise with grains of a few pixels, in [0, 1]."""
    noise = gaussian_filter(np.random.default_rng(seed).normal(size=(height, width, 3)), (1.5, 1.5, 0.0))
    stretched: Image = np.clip(0.5 + noise / (6.0 * noise.std()), 0.0, 1.0).astype(np.float32)
    return stretched
