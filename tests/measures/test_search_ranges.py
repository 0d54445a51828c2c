import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.search_ranges import GROWTH, End, NearEnd, beyond, end_near, middle_of_new_part, near_ends

BOUNDS = (1e-6, 1e6)
RATIOS = st.floats(1e-6, 1e6)


@pytest.mark.parametrize(
    ("value", "end"),
    [
        (1.0, End.LOWER),
        (10.0, End.LOWER),
        (10.1, None),
        (1e5, None),
        (0.99e9, None),
        (1e9, End.UPPER),
        (1e10, End.UPPER),
        (0.5, End.LOWER),
        (2e10, End.UPPER),
    ],
)
def test_a_tenth_of_ten_decades_is_one_decade(value: float, end: End | None) -> None:
    assert end_near(value, (1.0, 1e10)) == end


def test_the_default_range_of_the_style_ratio() -> None:
    """From 10 / 200^.1 = 5.89 on: the Great Wave's best in the long run, 9.5, lies there, its best of the study not."""
    assert (end_near(9.5, (0.05, 10.0)), end_near(1.5, (0.05, 10.0))) == (End.UPPER, None)
    assert (end_near(5.88, (0.05, 10.0)), end_near(5.9, (0.05, 10.0))) == (None, End.UPPER)


@given(RATIOS, RATIOS, RATIOS)
def test_near_is_what_numpy_says_of_the_logarithms(value: float, low: float, high: float) -> None:
    low, high = min(low, high), max(low, high) * 1.01
    nearest = np.log10(np.array([value / low, high / value])) / np.log10(high / low)
    if np.abs(nearest - 0.1).min() < 1e-6:
        return
    expected = End.LOWER if nearest[0] < 0.1 else End.UPPER if nearest[1] < 0.1 else None
    assert end_near(value, (low, high)) == expected


def test_which_values_lie_near_an_end() -> None:
    ranges = {"one": (0.05, 10.0), "two": (0.003, 1.0), "three": (1.0, 2.0)}
    assert near_ends({"two": 0.003, "one": 9, "three": 1.5, "four": 1.0}, ranges) == (
        NearEnd(name="one", value=9.0, limits=(0.05, 10.0), end=End.UPPER),
        NearEnd(name="two", value=0.003, limits=(0.003, 1.0), end=End.LOWER),
    )
    assert near_ends({"one": 9}, {}) == ()


@pytest.mark.parametrize("value", [None, "9", True, 0.0, -1, math.nan, math.inf])
def test_what_is_no_number_above_zero_lies_nowhere(value: object) -> None:
    assert near_ends({"one": value}, {"one": (0.05, 10.0)}) == ()


@pytest.mark.parametrize(
    ("limits", "end", "wider"),
    [
        ((0.05, 10.0), End.UPPER, (0.05, 40.0)),
        ((0.05, 10.0), End.LOWER, (0.0125, 10.0)),
        ((0.003, 1.0), End.LOWER, (0.00075, 1.0)),
        ((0.003, 5e5), End.UPPER, (0.003, 1e6)),
        ((2e-6, 1.0), End.LOWER, (1e-6, 1.0)),
        ((0.003, 1e6), End.UPPER, (0.003, 1e6)),
        ((1e-7, 1e7), End.UPPER, (1e-7, 1e7)),
    ],
)
def test_a_range_goes_on_by_a_factor_within_bounds(
    limits: tuple[float, float], end: End, wider: tuple[float, float]
) -> None:
    assert beyond(limits, end, bounds=BOUNDS) == wider


def test_half_way_into_the_new_part() -> None:
    assert middle_of_new_part((0.05, 10.0), (0.05, 40.0)) == pytest.approx(20.0)
    assert middle_of_new_part((0.05, 10.0), (0.0125, 10.0)) == pytest.approx(0.025)


@given(RATIOS, RATIOS, st.sampled_from(End))
def test_the_middle_is_as_far_from_the_old_end_as_from_the_new_one(low: float, high: float, end: End) -> None:
    limits = min(low, high), max(low, high) * 1.01
    wider = beyond(limits, end, bounds=(1e-9, 1e9))
    middle = middle_of_new_part(limits, wider)
    old, new = (limits[0], wider[0]) if end is End.LOWER else (limits[1], wider[1])
    assert old / middle == pytest.approx(middle / new)
    assert max(old / new, new / old) == pytest.approx(GROWTH)
    assert not limits[0] <= middle <= limits[1]
