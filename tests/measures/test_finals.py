"""Means of a few runs, and their error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from measures.finals import error_of_lead, error_of_mean, pooled_spread


def test_the_spread_within_two_groups_of_two() -> None:
    """Each run lies .1 and .3 from its group's mean: squares of .02 and .18 over two degrees of freedom."""
    spread, degrees = pooled_spread([(0.4, 0.6), (0.2, 0.8)])
    assert spread == pytest.approx(np.sqrt((0.02 + 0.18) / 2))
    assert degrees == 2


def test_it_is_the_mean_square_within_groups_of_an_analysis_of_variance() -> None:
    groups = np.random.default_rng(3).random((4, 5))
    spread, degrees = pooled_spread(list(map(tuple, groups)))
    assert spread is not None
    between = groups.shape[1] * np.var(groups.mean(axis=1), ddof=1)
    assert between / spread**2 == pytest.approx(stats.f_oneway(*groups).statistic)
    assert degrees == 16


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=1), st.floats(-1, 1))
def test_how_good_a_setting_is_does_not_matter(groups: list[tuple[float, float]], shift: float) -> None:
    moved = [(one + shift, two + shift) if place else (one, two) for place, (one, two) in enumerate(groups)]
    assert pooled_spread(moved)[0] == pytest.approx(pooled_spread(groups)[0], abs=1e-9)


def test_single_runs_have_none() -> None:
    assert pooled_spread([(0.4,), (0.6,)]) == (None, 0)
    assert pooled_spread([]) == (None, 0)
    assert error_of_mean(None, num_runs=2) is None


def test_a_mean_of_two_is_better_by_the_root_of_two_and_a_difference_worse() -> None:
    error = error_of_mean(0.2, num_runs=2)
    assert error == pytest.approx(0.2 / np.sqrt(2))
    assert error_of_lead(error, None) == pytest.approx(0.2)
    assert error_of_lead(0.3 / np.sqrt(2), 0.4) == pytest.approx(0.5)
    assert error_of_lead(None, 0.4) == pytest.approx(0.4)
