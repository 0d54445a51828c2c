import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.ties import MIN_PHOTOS, has_all, is_tie, spread_behind, standard_error

PHOTOS = ("a", "b", "c")


def by_photo(*qualities: float) -> dict[str, float]:
    return dict(zip(PHOTOS, qualities, strict=True))


def test_standard_error_is_the_sample_deviation_over_the_root_of_n() -> None:
    assert standard_error([1.0, 3.0]) == pytest.approx(math.sqrt(2.0) / math.sqrt(2.0))
    assert standard_error([0.5] * 4) == 0.0


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6))
def test_standard_error_is_that_of_all_bootstrap_means_but_for_the_small_sample(values: list[float]) -> None:
    """The variance of a resampled mean is the population's over n; a sample's own is n / (n - 1) of that."""
    expected = math.sqrt(np.var(values) / len(values) * len(values) / (len(values) - 1))
    assert standard_error(values) == pytest.approx(expected)


@given(st.lists(st.floats(0.0, 1.0), min_size=2, max_size=6))
def test_the_spread_behind_a_standard_error_is_the_sample_deviation(values: list[float]) -> None:
    assert spread_behind(standard_error(values), len(values)) == pytest.approx(np.std(values, ddof=1))


def test_equal_results_tie_and_a_constant_lead_does_not() -> None:
    best = by_photo(0.5, 0.6, 0.7)
    assert is_tie(best, best, PHOTOS)
    assert not is_tie(best, by_photo(0.4, 0.5, 0.6), PHOTOS)


def test_a_lead_within_its_own_standard_error_is_a_tie_whichever_is_better() -> None:
    best, other = by_photo(0.5, 0.6, 0.7), by_photo(0.6, 0.6, 0.5)
    assert is_tie(best, other, PHOTOS)
    assert is_tie(other, best, PHOTOS)


def test_photos_that_lack_a_quality_are_noticed() -> None:
    assert has_all(by_photo(0.1, 0.2, 0.3), PHOTOS[:MIN_PHOTOS])
    assert not has_all({"a": 0.1}, PHOTOS)
