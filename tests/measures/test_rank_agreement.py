import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import kendalltau

from measures.rank_agreement import FEW, INTERVAL, MIN_INTERVAL, kendall_tau, tau_interval

PAIRS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=2, max_size=9)


def test_the_same_order_is_one_and_the_reverse_minus_one() -> None:
    assert kendall_tau([0.1, 0.2, 0.9], [3.0, 4.0, 5.0]) == 1.0
    assert kendall_tau([0.1, 0.2, 0.9], [5.0, 4.0, 3.0]) == -1.0


def test_one_of_three_pairs_in_reverse() -> None:
    assert kendall_tau([1, 2, 3], [1, 3, 2]) == pytest.approx(1 / 3)


@pytest.mark.parametrize(("one", "other"), [([], []), ([0.5], [0.5]), ([0.5, 0.5], [0.1, 0.2])])
def test_what_has_no_order_has_none_to_agree_with(one: list[float], other: list[float]) -> None:
    assert kendall_tau(one, other) is None
    assert kendall_tau(other, one) is None


@given(PAIRS)
def test_it_is_tau_b_of_scipy(pairs: list[tuple[int, int]]) -> None:
    one, other = zip(*pairs, strict=True)
    expected = float(kendalltau(one, other, variant="b").statistic)
    found = kendall_tau(one, other)
    assert (found is None) == math.isnan(expected)
    assert found is None or found == pytest.approx(expected)


@pytest.mark.parametrize("tau", [-1.0, -1 / 3, 0.0, 1 / 3, 1.0])
def test_an_interval_holds_what_was_found_and_narrows_with_more(tau: float) -> None:
    widths = []
    for num_ordered in (3, 5, 12, 100, 10_000):
        low, high = tau_interval(tau, num_ordered)
        assert -1 <= low <= tau + 1e-12
        assert tau - 1e-12 <= high <= 1
        widths.append(high - low)
    assert widths == sorted(widths, reverse=True)
    assert widths[-1] < 0.06


def test_two_things_tell_nothing_and_three_in_the_same_order_little() -> None:
    assert tau_interval(1.0, MIN_INTERVAL - 1) == (-1.0, 1.0)
    low, high = tau_interval(1.0, MIN_INTERVAL)
    assert low == pytest.approx(-0.438, abs=0.001)
    assert high == 1.0


def test_few_is_where_perfect_agreement_proves_little() -> None:
    assert tau_interval(1.0, FEW - 1)[0] < 0.1 < tau_interval(1.0, FEW)[0]


@pytest.mark.parametrize("num_ordered", [3, 4, 5, 8, 12])
@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.8, 0.95, 0.99])
def test_the_interval_holds_the_true_value_as_often_as_it_says(num_ordered: int, correlation: float) -> None:
    """Of normal pairs Kendall's tau is known: 2 / pi times the arcsine of their correlation (Greiner 1909)."""
    generator = np.random.default_rng(num_ordered)
    one = generator.normal(size=(1500, num_ordered))
    other = correlation * one + math.sqrt(1 - correlation**2) * generator.normal(size=one.shape)
    true = 2 / math.pi * math.asin(correlation)
    held = 0
    for values, others in zip(one, other, strict=True):
        tau = kendall_tau(list(values), list(others))
        assert tau is not None
        low, high = tau_interval(tau, num_ordered)
        held += low <= true <= high
    # Less two standard errors of the simulation itself.
    assert held / len(one) >= INTERVAL - 2 * math.sqrt(INTERVAL * (1 - INTERVAL) / len(one))
