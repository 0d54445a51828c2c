"""Means of a few runs, and their error."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from measures.finals import error_of_mean, least_lead, paired_spread, pooled_spread, t_quantile


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


def test_what_a_seed_does_to_all_settings_is_no_part_of_the_paired_spread() -> None:
    """Rows differ by .1 and columns by .2: nothing is left; .04 more in one cell leaves four residuals of .01."""
    assert paired_spread([(0.1, 0.3), (0.2, 0.4)]) == (pytest.approx(0.0, abs=1e-12), 1)
    assert paired_spread([(0.1, 0.3), (0.2, 0.44)]) == (pytest.approx(0.02), 1)


def test_it_is_that_of_least_squares_with_settings_and_seeds() -> None:
    table = np.random.default_rng(4).random((4, 3))
    rows, columns = np.indices(table.shape)
    design = np.hstack([np.eye(4)[rows.ravel()], np.eye(3)[columns.ravel()]])
    left = table.ravel() - design @ np.linalg.lstsq(design, table.ravel(), rcond=None)[0]
    spread, degrees = paired_spread(table.tolist())
    assert degrees == 6
    assert spread == pytest.approx(np.sqrt(np.sum(left**2) / 6))


@pytest.mark.parametrize("groups", [[], [(0.1, 0.2)], [(0.1,), (0.2,)]])
def test_one_setting_or_one_seed_has_none(groups: list[tuple[float, ...]]) -> None:
    assert paired_spread(groups) == (None, 0)


def test_quantiles_are_those_of_students_t() -> None:
    for degrees in range(1, 31):
        assert t_quantile(degrees) == pytest.approx(stats.t.ppf(0.95, degrees), abs=6e-4)
    assert t_quantile(99) == t_quantile(30)


def test_a_lead_must_exceed_what_seeds_and_photos_do() -> None:
    """Two degrees of freedom have 2.920, and three photos too."""
    assert least_lead(0.1, 2, num_runs=2, photo_error=None, num_photos=1) == pytest.approx(0.292)
    assert least_lead(None, 0, num_runs=2, photo_error=0.1, num_photos=3) == pytest.approx(0.292)
    both = least_lead(0.3, 2, num_runs=2, photo_error=0.4, num_photos=3)
    assert both == pytest.approx(2.92 * 0.5)


@pytest.mark.parametrize(("num_settings", "at_most"), [(2, 0.11), (3, 0.07), (5, 0.035)])
def test_equal_settings_seldom_have_a_winner(num_settings: int, at_most: float) -> None:
    """Of 20,000 finals of equal settings with two seeds each, told by the seeds alone; see docs/finalists.md."""
    generator = np.random.default_rng(0)
    tables = generator.normal(size=(20_000, num_settings, 2)) + generator.normal(size=(20_000, 1, 2))
    won = 0
    for table in tables:
        second, first = np.sort(table.mean(axis=1))[-2:]
        spread, degrees = paired_spread(table)
        won += first - second > least_lead(spread, degrees, num_runs=2, photo_error=None, num_photos=1)
    assert 0.0 < won / len(tables) < at_most
