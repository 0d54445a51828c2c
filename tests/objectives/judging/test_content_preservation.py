import numpy as np
import pytest

from models.pictures.images import Image
from objectives.judging.content_preservation import (
    GRADIENT_VARIANCE_FLOOR,
    NUM_SCALES,
    RECOGNISABLE,
    content_preservation,
    gradient_correlation,
    gradient_maps,
)
from tests.objectives.drawn_pictures import draw_photo
from tests.objectives.quality_part_conformance import QualityPartConformance


class TestGradientCorrelation(QualityPartConformance):
    lowest, highest, higher_is_better = -1.0, 1.0, True

    def measure(self, output: Image, *, photo: Image, style: Image) -> float:  # noqa: ARG002
        return gradient_correlation(gradient_maps(output), gradient_maps(photo))

    def better_and_worse(self) -> tuple[Image, Image]:
        return 0.5 * draw_photo() + 0.25, draw_photo(1)


def test_equal_pictures_have_correlation_one() -> None:
    maps = gradient_maps(draw_photo())
    assert gradient_correlation(maps, maps) == pytest.approx(1.0, abs=1e-6)


def test_recolouring_by_a_constant_changes_nothing() -> None:
    photo = draw_photo()
    shifted = photo * 0.8 + np.array([0.0, 0.1, 0.2], dtype=np.float32)
    assert gradient_correlation(gradient_maps(shifted), gradient_maps(photo)) > 0.98


def test_equals_numpy_correlation_of_gradients() -> None:
    output, photo = draw_photo(1), draw_photo(0)
    wanted = []
    for scale in (2, 4, 8):
        magnitudes = []
        for picture in (output, photo):
            grey = picture @ np.array([0.299, 0.587, 0.114])
            coarse = grey.reshape(64 // scale, scale, 96 // scale, scale).mean(axis=(1, 3))
            magnitudes.append(np.hypot(*np.gradient(coarse)).ravel())
        first, second = (magnitude - magnitude.mean() for magnitude in magnitudes)
        floor = GRADIENT_VARIANCE_FLOOR
        denominator = np.sqrt(((first**2).mean() + floor) * ((second**2).mean() + floor))
        wanted.append(((first * second).mean() + floor) / denominator)
    assert len(wanted) == NUM_SCALES
    assert gradient_correlation(gradient_maps(output), gradient_maps(photo)) == pytest.approx(np.mean(wanted), abs=1e-5)


def test_the_photo_itself_is_one_and_an_unrelated_picture_zero() -> None:
    assert content_preservation(lpips=0.0, lpips_reference=0.7, edges=1.0) == 1.0
    assert content_preservation(lpips=0.7, lpips_reference=0.7, edges=0.0) == 0.0
    assert content_preservation(lpips=1.4, lpips_reference=0.7, edges=0.0) == pytest.approx(-0.5)


def test_what_is_left_of_a_photo_that_is_hardly_recognised_counts_by_its_square() -> None:
    def of(mean: float) -> float:
        return content_preservation(lpips=1.0 - mean, lpips_reference=1.0, edges=mean)

    assert of(RECOGNISABLE) == pytest.approx(RECOGNISABLE)
    assert of(RECOGNISABLE / 2) == pytest.approx(RECOGNISABLE / 4)
    assert of(2 * RECOGNISABLE) == pytest.approx(2 * RECOGNISABLE)
    every = [of(mean) for mean in np.linspace(-1.0, 1.0, 201)]
    assert (np.diff(every) > 0).all()


def test_stays_finite_where_photo_and_style_image_are_equal() -> None:
    assert content_preservation(lpips=0.0, lpips_reference=0.0, edges=1.0) == 1.0
