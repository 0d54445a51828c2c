import numpy as np
import pytest
from numpy.typing import NDArray

from models.pictures.images import Image
from objectives.judging.content_preservation import (
    GRADIENT_VARIANCE_FLOOR,
    NUM_SCALES,
    RECOGNISABLE,
    content_preservation,
    gradient_correlation,
    gradient_maps,
    place_agreement,
    place_vectors,
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


class TestPlaceAgreement(QualityPartConformance):
    lowest, highest, higher_is_better = -1.0, 1.0, True

    def measure(self, output: Image, *, photo: Image, style: Image) -> float:  # noqa: ARG002
        return place_agreement(*(place_vectors(blocks(picture)) for picture in (output, photo)))

    def better_and_worse(self) -> tuple[Image, Image]:
        return 0.5 * draw_photo() + 0.25, draw_photo(1)


def blocks(image: Image) -> NDArray[np.float32]:
    """Colours of 8 by 8 blocks stand in for a network's features; shape (8 x 8, channels)."""
    height, width = (side // 8 for side in image.shape[:2])
    return image[: 8 * height, : 8 * width].reshape(8, height, 8, width, 3).transpose(0, 2, 1, 3, 4).reshape(64, -1)


def vectors(places: int, *, seed: int = 0) -> NDArray[np.float32]:
    return place_vectors(np.random.default_rng(seed).standard_normal((places, 32)).astype(np.float32))


def test_places_of_the_same_picture_agree_of_another_do_not() -> None:
    assert place_agreement(vectors(100), vectors(100)) == 1.0
    assert place_agreement(vectors(100), vectors(100, seed=1)) == pytest.approx(0.0, abs=0.1)
    assert place_agreement(vectors(100), np.roll(vectors(100), 50, axis=0)) < 0.1


def test_agreement_is_the_area_under_the_roc_curve_both_ways() -> None:
    output, photo = vectors(7), (vectors(7) + 2 * vectors(7, seed=1)) / 3
    likeness = output @ photo.T
    areas = [
        np.mean(np.delete(others, place) < likeness[place, place])
        for place in range(7)
        for others in (likeness[place], likeness[:, place])
    ]
    assert place_agreement(output, photo) == pytest.approx(2 * np.mean(areas) - 1)


def test_places_do_not_see_what_changes_everywhere_alike() -> None:
    features = np.random.default_rng(0).random((50, 8), dtype=np.float32)
    shifted = 3 * features + np.arange(8, dtype=np.float32)
    assert place_agreement(place_vectors(shifted), place_vectors(features)) == 1.0


def test_a_flat_output_agrees_nowhere_and_a_flat_photo_loses_nothing() -> None:
    flat = place_vectors(np.ones((20, 32), np.float32))
    assert place_agreement(flat, vectors(20)) == 0.0
    assert place_agreement(vectors(20), flat) == 1.0
    assert place_agreement(vectors(1), vectors(1)) == 1.0


def test_the_photo_itself_is_one_and_an_unrelated_picture_zero() -> None:
    assert content_preservation(lpips=0.0, lpips_reference=0.7, edges=1.0, places=1.0) == 1.0
    assert content_preservation(lpips=0.7, lpips_reference=0.7, edges=0.0, places=0.0) == 0.0
    assert content_preservation(lpips=1.4, lpips_reference=0.7, edges=0.0, places=0.0) == pytest.approx(-1 / 3)


def test_the_three_parts_have_a_third_each() -> None:
    assert content_preservation(lpips=0.4, lpips_reference=1.0, edges=0.7, places=0.8) == pytest.approx(0.7)


def test_what_is_left_of_a_photo_that_is_gone_counts_little() -> None:
    def of(agreement: float, *, places: float) -> float:
        return content_preservation(lpips=0.5, lpips_reference=1.0, edges=2 * agreement - places, places=places)

    def mean(agreement: float) -> float:
        return (0.5 + 2 * agreement) / 3

    assert of(RECOGNISABLE, places=0.8) == pytest.approx(mean(RECOGNISABLE))
    assert of(RECOGNISABLE / 2, places=0.0) == pytest.approx(mean(RECOGNISABLE / 2) / 16)
    assert of(RECOGNISABLE / 2, places=0.6) == pytest.approx(mean(RECOGNISABLE / 2) / 16)
    every = [of(agreement, places=agreement) for agreement in np.linspace(0.01, 1.0, 100)]
    assert (np.diff(every) > 0).all()


def test_stays_finite_where_photo_and_style_image_are_equal() -> None:
    assert content_preservation(lpips=0.0, lpips_reference=0.0, edges=1.0, places=1.0) == 1.0
