from typing import Any

import pytest
from optuna.trial import FrozenTrial, TrialState, create_trial

from studies.records import attributes
from studies.records.rescored_from import RescoredFrom
from studies.records.scout_words import scout_in_words, verdict_in_words
from studies.records.study_scout import ScoutVerdict, StudyScout, judge_scout, num_suggestions_to_come

SCOUT = StudyScout(images=4800, sha256="ab", num_suggested=2)


def trial(
    number: int,
    *,
    quality: float | None = None,
    foretold: float | None = None,
    baseline: bool = False,
    state: TrialState = TrialState.COMPLETE,
) -> FrozenTrial:
    marks: dict[str, Any] = {attributes.BASELINE: True} if baseline else {}
    if foretold is not None:
        marks[attributes.FORETOLD] = {"quality": foretold, "standard_error": 0.01}
    made = create_trial(
        state=state,
        value=quality if state is TrialState.COMPLETE else None,
        user_attrs=marks,
        intermediate_values={} if quality is None else {8: quality},
    )
    made.number = number
    return made


BASELINE = trial(0, quality=0.4, baseline=True)


def test_what_is_written_is_read_again() -> None:
    assert StudyScout.parse(SCOUT.to_attribute()) == SCOUT


@pytest.mark.parametrize(
    "value", [None, "scout", {}, {"images": 3, "sha256": "ab"}, {**SCOUT.to_attribute(), "images": -1}]
)
def test_what_nobody_wrote_is_nothing(value: Any) -> None:
    assert StudyScout.parse(value) is None


@pytest.mark.parametrize(
    ("others", "verdict"),
    [
        ([trial(1, quality=0.5, foretold=0.6), trial(2, quality=0.3, foretold=0.5)], ScoutVerdict.HOLDS),
        ([trial(1, quality=0.4, foretold=0.6), trial(2, quality=0.3, foretold=0.5)], ScoutVerdict.CONTRADICTED),
        # A better one that the sampler drew says nothing of the scout.
        ([trial(1, quality=0.3, foretold=0.6), trial(2, quality=0.9)], ScoutVerdict.CONTRADICTED),
        # One that was pruned is not better, whatever it had at its rung.
        ([trial(1, quality=0.7, foretold=0.6, state=TrialState.PRUNED)], ScoutVerdict.CONTRADICTED),
        # One that failed has been enqueued again, or never will be.
        ([trial(1, foretold=0.6, state=TrialState.FAIL), trial(2, quality=0.5, foretold=0.6)], ScoutVerdict.HOLDS),
        ([trial(1, foretold=0.6, state=TrialState.FAIL)], ScoutVerdict.OPEN),
        ([trial(1, quality=0.5, foretold=0.6), trial(2, foretold=0.5, state=TrialState.WAITING)], ScoutVerdict.OPEN),
        ([trial(1, quality=0.5, foretold=0.6), trial(2, foretold=0.5, state=TrialState.RUNNING)], ScoutVerdict.OPEN),
        ([], ScoutVerdict.OPEN),
    ],
)
def test_a_scout_is_held_against_the_baseline(others: list[FrozenTrial], verdict: ScoutVerdict) -> None:
    assert judge_scout([BASELINE, *others]).verdict is verdict


def test_without_a_baseline_there_is_nothing_to_hold_it_against() -> None:
    suggested = trial(1, quality=0.5, foretold=0.6)
    finding = judge_scout([suggested, trial(2, quality=0.1)])
    assert finding.verdict is ScoutVerdict.OPEN
    assert scout_in_words(SCOUT, finding).endswith("1 is finished; there is no baseline to hold them against.")


def test_a_pruned_baseline_ends_worse_than_any_that_is_complete() -> None:
    pruned = trial(0, quality=0.6, baseline=True, state=TrialState.PRUNED)
    assert judge_scout([pruned, trial(1, quality=0.5, foretold=0.6)]).verdict is ScoutVerdict.HOLDS
    also_pruned = trial(1, quality=0.7, foretold=0.6, state=TrialState.PRUNED)
    assert judge_scout([pruned, also_pruned]).verdict is ScoutVerdict.CONTRADICTED


def test_one_that_was_never_judged_is_worth_nothing() -> None:
    finding = judge_scout([BASELINE, trial(1, foretold=0.6, state=TrialState.PRUNED)])
    assert finding.verdict is ScoutVerdict.CONTRADICTED
    assert "at best 0.000, foretold 0.600" in verdict_in_words(finding)


def test_suggestions_that_have_not_begun_leave_it_open() -> None:
    begun = [BASELINE, trial(1, quality=0.3, foretold=0.6)]
    assert num_suggestions_to_come(SCOUT, begun) == 1
    finding = judge_scout(begun, num_to_come=1)
    assert finding.verdict is ScoutVerdict.OPEN
    assert scout_in_words(SCOUT, finding).endswith(
        "Of its 2 suggestions, 1 is finished; so far none of them beats the baseline (quality 0.400; at best 0.300, "
        "foretold 0.600)."
    )
    assert judge_scout(begun).verdict is ScoutVerdict.CONTRADICTED


def test_in_words() -> None:
    begun = judge_scout(
        [BASELINE, trial(1, quality=0.5, foretold=0.6), trial(2, foretold=0.5, state=TrialState.WAITING)]
    )
    assert verdict_in_words(begun) == ""
    assert scout_in_words(SCOUT, begun) == (
        "Trials start from a scout of 4,800 images. Of its 2 suggestions, 1 is finished; so far the best of them beats "
        "the baseline (quality 0.400; at best 0.500, foretold 0.600)."
    )
    holds = judge_scout([BASELINE, trial(1, quality=0.3, foretold=0.7), trial(2, quality=0.5, foretold=0.6)])
    assert verdict_in_words(holds) == (
        "The best of its 2 suggestions, trial 2 (quality 0.500, foretold 0.600), beats the baseline (0.400)."
    )
    contradicted = judge_scout([BASELINE, trial(1, quality=0.3, foretold=0.7), trial(2, quality=0.2, foretold=0.6)])
    assert verdict_in_words(contradicted) == (
        "None of its 2 suggestions beats the baseline (quality 0.400; at best 0.300, foretold 0.700): the search does "
        "not count them as its random start."
    )
    rescored = RescoredFrom(uuid="u", name="waves", judge_version="3", num_trials=3, versions={})
    told = scout_in_words(SCOUT, holds, rescored_from=rescored)
    assert "4,800 images. It foretold by judge version 3. The best" in told
    alone = judge_scout([BASELINE, trial(1, quality=0.3, foretold=0.7)])
    assert verdict_in_words(alone).startswith("Its suggestion does not beat the baseline (quality 0.400; at best 0.300")
    assert contradicted.as_dict()["verdict"] == "contradicted"
