"""The square of both loss-weight ratios: there and back, its code, and how places are drawn."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.errors import SampledValuesError
from measures.ratio_space import CODE_SIZE, END_SHARE, RatioSpace, draw_positions, encode
from measures.sampled_values import SampledValues

SPACE = RatioSpace(style_to_content=(0.1, 10.0), tv_to_content=(0.01, 1.0))
PLACES = st.tuples(st.floats(0, 1), st.floats(0, 1))


def test_ends_and_middle_of_the_ranges_are_ends_and_middle_of_the_square() -> None:
    values = [
        SampledValues(style_to_content=0.1, tv_to_content=1.0),
        SampledValues(style_to_content=1.0, tv_to_content=0.1),
        SampledValues(style_to_content=10.0, tv_to_content=0.01),
    ]
    np.testing.assert_allclose(SPACE.positions(values), [[0, 1], [0.5, 0.5], [1, 0]], atol=1e-12)


@given(PLACES)
def test_values_at_a_place_lie_there(place: tuple[float, float]) -> None:
    np.testing.assert_allclose(SPACE.positions(SPACE.at(np.array([place]))), [place], atol=1e-9)


def test_a_ratio_outside_its_range_is_named() -> None:
    with pytest.raises(SampledValuesError, match=r"`tv_to_content` must be from 0.01 to 1. Received 1.2"):
        SPACE.positions([SampledValues(style_to_content=1.0, tv_to_content=1.2)])
    with pytest.raises(SampledValuesError, match="`style_to_content` must be from"):
        SPACE.positions([SampledValues(style_to_content=0.0, tv_to_content=0.1)])


@pytest.mark.parametrize("limits", [(0.0, 1.0), (1.0, 1.0), (2.0, 1.0), (1.0, float("inf")), (float("nan"), 1.0)])
def test_a_range_must_be_one(limits: tuple[float, float]) -> None:
    with pytest.raises(SampledValuesError, match="`style_to_content` must be a range above 0"):
        RatioSpace(style_to_content=limits, tv_to_content=(0.01, 1.0))


def test_a_space_can_be_written_down() -> None:
    assert RatioSpace.from_dict({"style_to_content": [0.1, 10], "tv_to_content": [0.01, 1]}) == SPACE
    assert RatioSpace.from_dict(SPACE.to_dict()) == SPACE


def test_the_code_is_a_quarter_turn_along_each_axis() -> None:
    half = np.sqrt(0.5)
    wanted = [[1, 1, 0, 0], [0, half, 1, half]]
    np.testing.assert_allclose(encode(np.array([[0.0, 0.0], [1.0, 0.5]])), wanted, atol=1e-7)


@given(PLACES)
def test_every_code_has_the_same_norm(place: tuple[float, float]) -> None:
    code = encode(np.array([place]))
    assert code.shape == (1, CODE_SIZE)
    np.testing.assert_allclose(np.linalg.norm(code), np.sqrt(2), rtol=1e-6)


def test_drawn_places_fill_strips_and_visit_the_ends_more() -> None:
    places = draw_positions(1000, np.random.default_rng(0))
    for axis in range(2):
        along = np.sort(places[:, axis])
        at_ends = (along == 0).sum(), (along == 1).sum()
        np.testing.assert_allclose(at_ends, [1000 * END_SHARE / 2] * 2, atol=1)
        between = along[(along > 0) & (along < 1)]
        np.testing.assert_allclose(between, np.linspace(0, 1, len(between)), atol=0.003)
    assert abs(np.corrcoef(places.T)[0, 1]) < 0.1


def test_draws_follow_from_the_generator() -> None:
    one, same, other = (draw_positions(8, np.random.default_rng(seed)) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, same)
    assert (one != other).any()
