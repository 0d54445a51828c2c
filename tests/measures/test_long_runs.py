import itertools
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.long_runs import Verdict, best_by_length, doubled_lengths, lead, verdict
from measures.ties import is_tie

WINNER = (0.5, 0.6, 0.7)


def moved(by: float) -> tuple[float, ...]:
    return tuple(quality + by for quality in WINNER)


def test_a_lead_is_the_mean_difference_with_its_paired_standard_error() -> None:
    difference, error = lead((0.4, 0.8), (0.3, 0.4))
    assert difference == pytest.approx(0.25)
    assert error == pytest.approx(0.15)
    assert lead((0.4,), (0.5,)) == (pytest.approx(-0.1), None)


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([moved(-0.1), moved(-0.2)], Verdict.WON),
        ([moved(-0.1), moved(0.01)], Verdict.LOST),
        ([moved(-0.1), WINNER], Verdict.TIED),
        ([moved(-0.1), (0.4, 0.6, 0.9)], Verdict.TIED),
        ([(0.4, 0.6, 0.75)], Verdict.TIED),
        ([(0.4, 0.6, 0.9), moved(0.02)], Verdict.LOST),
    ],
)
def test_verdicts(others: list[tuple[float, ...]], expected: Verdict) -> None:
    assert verdict(WINNER, others) is expected


def test_one_photo_ties_only_with_the_same() -> None:
    assert verdict((0.5,), [(0.5,)]) is Verdict.TIED
    assert verdict((0.5,), [(0.51,)]) is Verdict.LOST
    assert verdict((0.5,), [(0.49,)]) is Verdict.WON


@given(st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=2, max_size=5))
def test_two_results_tie_as_trials_do(pairs: list[tuple[float, float]]) -> None:
    one, other = zip(*pairs, strict=True)
    photos = [str(place) for place in range(len(pairs))]
    tied = is_tie(dict(zip(photos, one, strict=True)), dict(zip(photos, other, strict=True)), photos)
    assert (verdict(one, [other]) is Verdict.TIED) == tied


def test_the_best_moves_with_the_length() -> None:
    qualities = [{100: 0.3, 200: 0.3, 400: 0.3}, {100: 0.1, 200: 0.2, 400: 0.4}, {100: 0.2}]
    assert best_by_length(qualities, [1.5, 4.0, 9.0]) == {100: 1.5, 200: 1.5, 400: 4.0}
    assert best_by_length([{}, {}], [1.0, 2.0]) == {}


@pytest.mark.parametrize(
    ("short", "long", "lengths"),
    [
        (100, 100, (100,)),
        (100, 104, (100, 104)),
        (100, 200, (100, 200)),
        (100, 400, (100, 200, 400)),
        (100, 500, (100, 200, 400, 500)),
    ],
)
def test_lengths_double_up_to_the_end(short: int, long: int, lengths: tuple[int, ...]) -> None:
    assert doubled_lengths(short, long) == lengths


@given(st.integers(1, 1000), st.integers(1, 10_000))
def test_no_length_is_more_than_twice_the_one_before(short: int, more: int) -> None:
    lengths = doubled_lengths(short, short + more)
    assert lengths[0] == short
    assert lengths[-1] == short + more
    assert all(1 < after / before <= 2 for before, after in itertools.pairwise(lengths))
    assert len(lengths) <= 2 + math.log2((short + more) / short)
