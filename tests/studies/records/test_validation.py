import json
from dataclasses import replace
from typing import Any

import pytest
import yaml

from measures.long_runs import Verdict
from studies.records.study_record import StudyRecord
from studies.records.validation import Validation, ValidationRun, parse_validations, put_last
from tests.studies.records.long_runs import VALIDATION, run_of


def test_what_is_written_is_read_again() -> None:
    stored = json.loads(json.dumps(VALIDATION.to_attribute()))
    assert Validation.parse(stored) == VALIDATION
    assert [ValidationRun.parse(run) for run in stored["runs"]] == list(VALIDATION.runs)


@pytest.mark.parametrize(
    "change",
    [
        {"images": None},
        {"images": 0},
        {"crop_size": "large"},
        {"short_run": -1},
        {"winner": None},
    ],
)
def test_what_is_not_whole_is_left_out(change: dict[str, Any]) -> None:
    stored = VALIDATION.to_attribute()
    assert parse_validations([stored | change, stored]) == (VALIDATION,)


@pytest.mark.parametrize("value", [None, "waves", 7, {}, [None, "x"], [{}]])
def test_what_nobody_wrote_is_nothing(value: Any) -> None:
    assert parse_validations(value) == ()


@pytest.mark.parametrize(
    "run",
    [
        None,
        {},
        {"trial": 3},
        run_of(3, 0.5).to_attribute() | {"trial_quality": "good"},
        run_of(3, 0.5).to_attribute() | {"photo_qualities": {"400": [0.5]}},
        run_of(1, 0.5).to_attribute() | {"photo_qualities": {"400": [0.3, "x"]}, "trial": -1},
    ],
)
def test_runs_that_cannot_be_compared_are_left_out(run: Any) -> None:
    stored = VALIDATION.to_attribute()
    found = Validation.parse(stored | {"runs": [*stored["runs"], run]})
    assert found == VALIDATION


def test_what_the_runs_say() -> None:
    outcome = VALIDATION.outcome()
    assert outcome is not None
    assert outcome.verdict is Verdict.LOST
    assert (outcome.challenger, outcome.lead) == (2, pytest.approx(-0.1))
    assert outcome.lead_error == pytest.approx(0.05)
    assert outcome.kendall_tau == pytest.approx(-1 / 3)
    assert outcome.tau_interval is not None
    assert outcome.tau_interval[0] < -1 / 3 < outcome.tau_interval[1]
    assert outcome.best_style_to_content == {100: 1.5, 200: 1.5, 400: 4.0}
    assert [run.trial for run in VALIDATION.ranked()] == [2, 0, 1]


def test_until_all_are_done_nothing_is_said() -> None:
    begun = replace(VALIDATION, wanted=(0, 1, 2, 7))
    assert begun.missing == (7,)
    assert begun.outcome() is None
    assert "verdict" not in begun.as_dict()
    assert replace(VALIDATION, winner=9).outcome() is None
    assert replace(VALIDATION, runs=VALIDATION.runs[:1], wanted=(0,)).outcome() is None


def test_a_run_that_diverged_is_the_worst() -> None:
    runs = (replace(VALIDATION.runs[0], photo_qualities={100: (0.6, 0.6)}, diverged="diverged"), *VALIDATION.runs[1:])
    found = replace(VALIDATION, runs=runs)
    outcome = found.outcome()
    assert outcome is not None
    assert (outcome.verdict, outcome.challenger, outcome.lead) == (Verdict.LOST, 2, pytest.approx(-0.5))
    assert outcome.best_style_to_content == {100: 1.5, 200: 1.0, 400: 4.0}
    assert [run.trial for run in found.ranked()] == [2, 1, 0]
    nothing = replace(found, runs=tuple(replace(run, photo_qualities={}, diverged="diverged") for run in runs))
    outcome = nothing.outcome()
    assert outcome is not None
    assert (outcome.verdict, outcome.kendall_tau, outcome.best_style_to_content) == (Verdict.TIED, None, {})


def test_as_values_that_json_and_yaml_hold() -> None:
    told = VALIDATION.as_dict()
    assert json.loads(json.dumps(told)) == yaml.safe_load(yaml.safe_dump(told)) == told
    assert (told["verdict"], told["winner"], told["missing"]) == ("lost", 0, [])
    assert [run["trial"] for run in told["runs"]] == [2, 0, 1]
    assert told["runs"][0]["qualities"]["400"] == pytest.approx(0.5)


def test_one_validation_for_each_length_and_size() -> None:
    longer, larger = replace(VALIDATION, images=800), replace(VALIDATION, crop_size=256)
    kept = put_last(put_last(put_last([], VALIDATION), longer), larger)
    assert kept == [VALIDATION, longer, larger]
    again = replace(VALIDATION, sheet="new")
    assert put_last(kept, again) == [longer, larger, again]


def test_a_study_tells_the_last_that_was_done_by_its_own_judge() -> None:
    begun, foreign = replace(VALIDATION, images=800, wanted=(0, 9)), replace(VALIDATION, judge_version="9")
    attributes = {
        "judge_version": VALIDATION.judge_version,
        "validations": [found.to_attribute() for found in (VALIDATION, begun, foreign)],
    }
    record = StudyRecord.parse(attributes)
    assert record.validations == (VALIDATION, begun)
    assert record.validation == VALIDATION
    assert record.later_artifacts == {
        "validation_400_images_32_px": "a-sheet",
        "validation_400_images_32_px_trial_2": "outputs-2",
        "validation_800_images_32_px": "a-sheet",
        "validation_800_images_32_px_trial_2": "outputs-2",
    }
    attributes["validations"] = [begun.to_attribute()]
    assert StudyRecord.parse(attributes).validation == begun
    assert StudyRecord.parse({}).validation is None
