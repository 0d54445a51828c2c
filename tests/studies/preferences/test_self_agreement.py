"""How often raters choose as before, by hand and against a library."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from studies.preferences.answers import FIRST, SECOND, TIE
from studies.preferences.self_agreement import Asked, SelfAgreement, measure_self_agreement, wilson_interval

ANNA: Asked = ("anna", "a", 0, 1)


def agreement_of(*answers: str, asked: Asked = ANNA) -> SelfAgreement:
    return measure_self_agreement((asked, answer) for answer in answers)


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((FIRST, FIRST), (1, 0, 0, 0)),
        ((FIRST, SECOND), (0, 1, 0, 0)),
        ((FIRST, TIE), (0, 0, 1, 0)),
        ((TIE, SECOND), (0, 0, 1, 0)),
        ((TIE, TIE), (0, 0, 0, 1)),
        ((FIRST, SECOND, SECOND), (1, 1, 0, 0)),
        ((FIRST,), (0, 0, 0, 0)),
    ],
)
def test_each_repeat_is_held_against_the_answer_before(
    answers: tuple[str, ...], expected: tuple[int, int, int, int]
) -> None:
    found = agreement_of(*answers)
    assert (found.num_alike, found.num_unlike, found.num_half, found.num_even) == expected


def test_a_tie_against_a_choice_is_half_a_hit_and_two_ties_are_none() -> None:
    found = agreement_of(FIRST, FIRST, TIE, TIE, SECOND)
    assert (found.num_counted, found.hits, found.share) == (3, 2.0, pytest.approx(2 / 3))
    assert found.as_dict() == {
        "repeats": 3,
        "hits": 2.0,
        "share": pytest.approx(2 / 3),
        "interval": [*wilson_interval(2.0, 3, probability=0.9)],
        "ties_both_times": 1,
    }


@pytest.mark.parametrize("answers", [(), (FIRST,), (TIE, TIE)])
def test_without_a_repeat_that_tells_there_is_no_share(answers: tuple[str, ...]) -> None:
    found = agreement_of(*answers)
    assert (found.share, found.interval, found.as_dict()) == (None, None, None)


@pytest.mark.parametrize("other", [("ben", "a", 0, 1), ("anna", "b", 0, 1), ("anna", "a", 0, 2)])
def test_only_the_same_rater_and_pair_is_a_repeat(other: Asked) -> None:
    assert measure_self_agreement([(ANNA, FIRST), (other, FIRST)]).num_counted == 0


def test_other_questions_may_come_between() -> None:
    between = ("anna", "a", 4, 5)
    found = measure_self_agreement([(ANNA, FIRST), (between, SECOND), (ANNA, FIRST), (between, FIRST)])
    assert (found.num_alike, found.num_unlike) == (1, 1)


@given(st.integers(1, 60).flatmap(lambda number: st.tuples(st.integers(0, number), st.just(number))))
def test_the_interval_is_wilsons(counts: tuple[int, int]) -> None:
    hits, number = counts
    expected = binomtest(hits, number).proportion_ci(confidence_level=0.9, method="wilson")
    assert wilson_interval(hits, number, probability=0.9) == pytest.approx((expected.low, expected.high), abs=1e-9)
