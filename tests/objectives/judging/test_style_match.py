from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from models.pictures.images import Image
from objectives.judging.anchor_pictures import shuffle_tiles
from objectives.judging.style_match import (
    BLURS,
    GRAIN_BLURS,
    GRAIN_LEVELS,
    MIN_TEXTURE_GAP,
    MIN_TEXTURE_GAP_SHARE,
    NUM_DIRECTIONS,
    NUM_QUANTILES,
    POOLED_SHARE,
    SHARPENINGS,
    STYLE_SCALES,
    TEXTURE_LAYERS,
    Quantiles,
    StyleAnchors,
    TextureMatches,
    ZeroCurve,
    blurred,
    colour_quantiles,
    feature_quantiles,
    grained,
    quantile_distances,
    quantile_spreads,
    sharpened,
    sharpness,
    style_match,
    texture_matches,
)
from tests.objectives.drawn_pictures import draw_photo, draw_style
from tests.objectives.quality_part_conformance import QualityPartConformance


def curve(*steps: tuple[float, float]) -> ZeroCurve:
    """Sharpness and distance of each step, at the largest scale; twice and three times as far at the others."""
    sharpnesses, distances = zip(*steps, strict=True)
    return ZeroCurve(sharpness=np.array(sharpnesses), distances=np.array(distances)[:, None] * [[1.0, 2.0, 3.0]])


ANCHORS = StyleAnchors(
    softened=curve((0.2, 0.7), (0.4, 0.5)),
    roughened=(curve((0.4, 0.5), (0.6, 0.3)), curve((0.4, 0.5), (0.8, 0.9))),
    texture_one=np.array([0.2, 0.2, 0.2]),
    colour_zero=0.15,
    colour_one=0.05,
)


def _quantiles(samples: NDArray[np.float32], *, seed: int = 0) -> Quantiles:
    """Quantiles of one layer that counts."""
    ignored = np.zeros((1, 1), dtype=np.float32)
    return feature_quantiles([ignored] * TEXTURE_LAYERS[0] + [samples], seed=seed)


class TestColourMatch(QualityPartConformance):
    lowest, highest, higher_is_better = 0.0, 1.0, True

    def measure(self, output: Image, *, photo: Image, style: Image) -> float:
        distance, zero, one = (
            float(quantile_distances(colour_quantiles(image, seed=0), colour_quantiles(style, seed=0))[0])
            for image in (output, photo, shuffle_tiles(style, height=16, width=16, seed=0))
        )
        return replace(ANCHORS, colour_zero=zero, colour_one=one).colour_match(distance)

    def better_and_worse(self) -> tuple[Image, Image]:
        return shuffle_tiles(draw_style(), height=64, width=96, seed=1), draw_photo()


def test_distance_of_shifted_colours_is_the_shift_along_an_average_direction() -> None:
    samples = np.random.default_rng(0).random((20, 25, 3), dtype=np.float32)
    shift = np.array([0.3, 0.0, 0.0], dtype=np.float32)
    first, second = colour_quantiles(samples, seed=4), colour_quantiles(samples + shift, seed=4)
    assert quantile_distances(first, second)[0] == pytest.approx(0.3 / np.sqrt(3), rel=0.01)


def test_features_are_compared_by_their_square_roots() -> None:
    first, second = (np.full((10, 4), value, dtype=np.float32) for value in (9.0, 1.0))
    one, other = _quantiles(first, seed=2), _quantiles(second, seed=2)
    assert one[0].shape == (NUM_QUANTILES, NUM_DIRECTIONS)
    assert quantile_distances(one, other)[0] == pytest.approx(3.0 - 1.0, rel=1e-5)


def test_only_the_layers_of_strokes_and_motifs_count() -> None:
    layers = [np.random.default_rng(number).random((10, 4), dtype=np.float32) for number in range(5)]
    wanted = feature_quantiles(layers, seed=0)
    assert len(wanted) == len(TEXTURE_LAYERS)
    changed = [layer if number in TEXTURE_LAYERS else layer + 1.0 for number, layer in enumerate(layers)]
    assert quantile_distances(feature_quantiles(changed, seed=0), wanted) == pytest.approx([0.0] * len(wanted))


def test_one_dimensional_distance_is_that_of_the_sorted_samples() -> None:
    first, second = np.random.default_rng(3).random((2, NUM_QUANTILES, 1), dtype=np.float32)
    distance = quantile_distances(*(_quantiles(samples**2) for samples in (first, second)))[0]
    sorted_difference = np.sort(first, axis=0) - np.sort(second, axis=0)
    assert distance == pytest.approx(np.sqrt(np.mean(sorted_difference**2)), rel=1e-4)


def test_a_single_position_and_a_flat_layer_stay_finite() -> None:
    one = _quantiles(np.ones((1, 8), dtype=np.float32))
    many = _quantiles(np.zeros((3000, 8), dtype=np.float32))
    assert np.isfinite(quantile_distances(one, many)).all()
    assert (quantile_spreads(many) > 0).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_distance_is_symmetric_zero_to_itself_and_blind_to_place(seed: int) -> None:
    generator = np.random.default_rng(seed)
    first, second = generator.random((2, 60, 5), dtype=np.float32)
    one, other = _quantiles(first), _quantiles(second)
    moved = _quantiles(generator.permutation(first))
    assert quantile_distances(one, other) == pytest.approx(quantile_distances(other, one))
    assert quantile_distances(one, moved) == pytest.approx([0.0], abs=1e-6)


def match(distances: list[list[float]], *, zeros: list[list[float]], one: float = 0.0) -> TextureMatches:
    """Of outputs at three scales."""
    return texture_matches(np.array(distances), zeros=np.array(zeros), ones=np.full(np.shape(zeros), one))


def test_colour_match_is_zero_as_far_as_the_photo_and_one_as_near_as_tiles() -> None:
    assert ANCHORS.colour_match(0.15) == pytest.approx(0.0)
    assert ANCHORS.colour_match(0.1) == pytest.approx(0.5)
    assert ANCHORS.colour_match(0.01) == 1.0


def test_zero_is_the_recoloured_photo_at_the_outputs_own_sharpness() -> None:
    assert ANCHORS.texture_zero(0.4) == pytest.approx([0.5, 1.0, 1.5])
    assert ANCHORS.texture_zero(0.3)[0] == pytest.approx(0.6)
    assert ANCHORS.texture_zero(0.1)[0] == pytest.approx(0.7)


def test_zero_of_an_output_sharper_than_the_photo_is_the_nearest_of_grain_and_sharpening() -> None:
    assert ANCHORS.texture_zero(0.5)[0] == pytest.approx(0.4)
    assert ANCHORS.texture_zero(0.9)[0] == pytest.approx(0.3)
    assert replace(ANCHORS, roughened=ANCHORS.roughened[1:]).texture_zero(0.8)[0] == pytest.approx(0.5)


def test_matches_are_zero_at_the_zero_point_and_one_at_the_tiles() -> None:
    found = match([[0.6, 0.6, 0.6], [0.2, 0.6, 0.6], [0.8, 0.6, 0.6]], zeros=[[0.6] * 3] * 3, one=0.2)
    assert found.scale == STYLE_SCALES[0]
    assert found.matches == pytest.approx([0.0, 1.0, -0.5])


def test_the_scale_is_the_one_at_which_all_outputs_together_match_best() -> None:
    found = match([[0.5, 0.2, 0.1], [0.5, 0.2, 0.9]], zeros=[[1.0] * 3] * 2)
    assert found.scale == STYLE_SCALES[1]
    assert found.matches == pytest.approx([0.8, 0.8])
    assert found.distances == pytest.approx([0.2, 0.2])


def test_a_share_of_the_zero_point_is_that_of_all_photos() -> None:
    found = match([[0.3] * 3, [0.3] * 3], zeros=[[1.0] * 3, [0.6] * 3])
    zeros = [1.0 - POOLED_SHARE * 0.2, 0.6 + POOLED_SHARE * 0.2]
    assert found.matches == pytest.approx([(zero - 0.3) / zero for zero in zeros])


def test_where_a_recoloured_photo_is_as_near_as_tiles_the_gap_is_that_of_the_others() -> None:
    found = match([[0.3] * 3, [0.3] * 3], zeros=[[0.8] * 3, [0.3] * 3], one=0.3)
    assert found.matches[1] == pytest.approx((0.3 + POOLED_SHARE * 0.25 - 0.3) / (MIN_TEXTURE_GAP_SHARE * 0.25))


def test_anchors_that_meet_stay_finite() -> None:
    found = match([[0.0] * 3, [0.04] * 3], zeros=[[0.0] * 3] * 2)
    assert found.matches == pytest.approx([0.0, -0.04 / MIN_TEXTURE_GAP])
    assert replace(ANCHORS, colour_zero=0.0, colour_one=0.0).colour_match(0.0) == 1.0


def test_blur_lowers_sharpness_and_a_flat_picture_has_none() -> None:
    photo = draw_photo()
    measured = [sharpness(blurred(photo, deviation)) for deviation in BLURS]

    assert measured == sorted(measured, reverse=True)
    assert sharpness(np.full((32, 32, 3), 0.5, np.float32)) == pytest.approx(0.0, abs=1e-5)
    np.testing.assert_array_equal(blurred(photo, 0.0), photo)


def test_grain_and_sharpening_raise_sharpness() -> None:
    photo = draw_photo()
    for blur in GRAIN_BLURS:
        grains = [sharpness(grained(photo, level, blur=blur, seed=0)) for level in GRAIN_LEVELS]
        assert sharpness(photo) < grains[0] < grains[1]
    sharper = [sharpness(sharpened(photo, times)) for times in SHARPENINGS]
    assert sharpness(photo) < sharper[0] < sharper[1]
    np.testing.assert_array_equal(grained(photo, 0.1, blur=1.0, seed=3), grained(photo, 0.1, blur=1.0, seed=3))
    grey = np.full((64, 64, 3), 0.5, np.float32)
    assert grained(grey, 0.05, blur=1.5, seed=0).std() == pytest.approx(0.05, rel=0.01)


def test_colour_alone_earns_nothing_and_a_copy_is_not_painted() -> None:
    assert style_match(texture=0.0, colour=1.0, copied=0.0) == 0.0
    assert style_match(texture=0.8, colour=1.0, copied=0.0) == pytest.approx(0.8)
    assert style_match(texture=0.8, colour=0.0, copied=0.0) == pytest.approx(0.4)
    assert style_match(texture=1.4, colour=1.0, copied=1.0) == pytest.approx(0.0)
    assert style_match(texture=-0.3, colour=1.0, copied=0.0) == -0.3
