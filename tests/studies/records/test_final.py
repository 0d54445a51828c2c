"""Who wins a final, and what is read of one."""

import json
from dataclasses import replace
from typing import Any

import pytest

from studies.records.final import StudyFinal
from tests.studies.records.finals import FINAL, run_of


def test_the_best_mean_of_the_fresh_runs_wins() -> None:
    """The squares of trial 1's runs, .05 apart, are all there is: .00125 over three degrees of freedom."""
    outcome = FINAL.outcome()
    assert outcome is not None
    assert [(found.trial, round(found.mean, 9)) for found in outcome.finalists] == [(2, 0.5), (1, 0.475), (0, 0.2)]
    assert outcome.winner.qualities == {1: 0.5, 2: 0.5}
    assert outcome.error == pytest.approx((0.00125 / 3 / 2) ** 0.5)
    assert (outcome.degrees, outcome.num_photos, outcome.tied) == (3, 2, (1,))


def test_its_own_run_counts_for_nothing_but_equal_means() -> None:
    alike = [run_of(trial, seed, 0.5, own=own) for trial, own in ((3, 0.2), (4, 0.9)) for seed in (1, 2)]
    final = replace(FINAL, wanted=(4, 3), runs=tuple(alike))
    outcome = final.outcome()
    assert outcome is not None
    assert [found.trial for found in outcome.finalists] == [4, 3]
    assert outcome.tied == (3,)


def test_a_difference_beyond_both_errors_is_no_tie() -> None:
    far = [run_of(trial, seed, base, base + 0.01 * seed) for trial, base in ((0, 0.3), (1, 0.6)) for seed in (1, 2)]
    outcome = replace(FINAL, wanted=(0, 1), runs=tuple(far)).outcome()
    assert outcome is not None
    assert (outcome.winner.trial, outcome.tied) == (1, ())


def test_those_that_have_all_their_runs_are_judged_while_others_run() -> None:
    begun = replace(FINAL, runs=FINAL.runs[:-2])
    assert begun.missing == ((2, 1), (2, 2))
    outcome = begun.outcome()
    assert outcome is not None
    assert ([found.trial for found in outcome.finalists], outcome.num_missing) == ([1, 0], 2)
    one = replace(FINAL, runs=FINAL.runs[:3])
    assert (one.outcome(), one.placed) == (None, ())
    assert replace(begun, runs=()).missing == ((1, 1), (2, 1), (0, 1), (1, 2), (2, 2), (0, 2)), "seed by seed"


def test_who_was_in_it_before_may_still_win() -> None:
    """Trial 7 takes the place of trial 2, which stays the best; trial 0 is neither wanted nor the winner."""
    runs = (*FINAL.runs, run_of(7, 1, 0.3, 0.3), run_of(7, 2, 0.3, 0.3))
    later = replace(FINAL, wanted=(7, 1), runs=runs)
    outcome = later.outcome()
    assert outcome is not None
    assert (outcome.winner.trial, later.placed) == (2, (2, 1, 7))


def test_a_finalist_of_which_a_run_diverged_comes_behind_those_without_and_is_no_spread() -> None:
    """The mean of trial 1, .45, is above that of trial 0."""
    runs = (*FINAL.runs[:2], run_of(1, 1, 0.9, 0.9), run_of(1, 2, diverged="diverged at once"), *FINAL.runs[4:])
    outcome = replace(FINAL, runs=runs).outcome()
    assert outcome is not None
    assert [(found.trial, round(found.mean, 9)) for found in outcome.finalists] == [(2, 0.5), (0, 0.2), (1, 0.45)]
    assert (outcome.finalists[2].diverged, outcome.finalists[2].is_tied) == ("diverged at once", False)
    assert (outcome.error, outcome.degrees, outcome.decides) == (pytest.approx(0.0), 2, True)


def test_all_diverged() -> None:
    runs = tuple(run_of(trial, seed, diverged="diverged") for trial in (0, 1) for seed in (1, 2))
    outcome = replace(FINAL, wanted=(0, 1), runs=runs).outcome()
    assert outcome is not None
    assert (outcome.winner.mean, outcome.error, outcome.num_photos, outcome.tied) == (0.0, None, 0, ())
    assert not outcome.decides


def test_a_final_that_nobody_wants_any_more_waits_for_nothing_and_keeps_its_runs() -> None:
    begun = replace(FINAL, runs=FINAL.runs[:-1]).without_missing()
    assert (begun.wanted, begun.missing) == ((1, 0), ())
    hardly = replace(FINAL, runs=FINAL.runs[:3]).without_missing()
    assert (hardly.wanted, hardly.missing, len(hardly.runs)) == ((), (), 3)
    assert StudyFinal.parse(json.loads(json.dumps(hardly.to_attribute()))) == hardly


def test_a_run_is_kept_once() -> None:
    assert FINAL.with_run(run_of(1, 1, 0.9, 0.9)) == FINAL
    more = FINAL.with_run(run_of(1, 3, 0.9, 0.9))
    assert len(more.runs) == 7


def test_it_is_read_as_it_was_written() -> None:
    written = json.loads(json.dumps(FINAL.to_attribute()))
    assert StudyFinal.parse(written) == FINAL
    json.dumps(FINAL.as_dict())
    assert FINAL.as_dict()["winner"] == 2


@pytest.mark.parametrize("value", [None, 3, [], {}, {"seeds": [1]}, {"seeds": [1], "wanted": [4]}, {"wanted": [1, 2]}])
def test_what_is_none_is_none(value: object) -> None:
    assert StudyFinal.parse(value) is None


@pytest.mark.parametrize(
    "changed",
    [
        {"trial": None},
        {"seed": "x"},
        {"photo_qualities": [0.1, "x"]},
        {"photo_qualities": [0.1]},
        {"trial_quality": None},
    ],
)
def test_a_run_that_is_not_whole_is_left_out(changed: dict[str, Any]) -> None:
    written = FINAL.to_attribute()
    written["runs"][3] |= changed
    found = StudyFinal.parse(written)
    assert found is not None
    assert [run.key for run in found.runs] == [run.key for run in FINAL.runs if run.key != (1, 2)]
