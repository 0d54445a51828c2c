import datetime
import itertools

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from measures.quality import Exponents
from studies.errors import CalibrationError
from studies.preferences.answers import FIRST, SECOND, Preference, save_preferences
from studies.preferences.calibrated_ranking import (
    calibrated_qualities,
    load_choices,
    load_parts,
    rank_calibrated,
)
from studies.records.summaries import StudySummary, summarise
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, save_photo_quality
from tests.studies.waves import WAVES

NAME = "waves"
PARTS = ((0.9, 0.1), (0.7, 0.3), (0.5, 0.5), (0.3, 0.7), (0.1, 0.9), (0.6, 0.4), (0.4, 0.6))


@pytest.fixture
def filled(storage: StudyStorage, study: optuna.Study) -> StudySummary:
    """Complete trials scored on a rung and a calibration photo, at two rungs, and a pruned one."""
    study.set_user_attr("configuration", {"quality": {"content_exponent": 0.4}})
    study.set_user_attr("photos", {"rung": ["r"], "calibration": ["c"]})
    study.set_user_attr("judge_version", "2")
    records = []
    for number, (content, style) in enumerate(PARTS):
        study.add_trial(create_trial(value=content**0.4 * style**0.6))
        records += [record(number, 80, photo, content, style) for photo in ("r", "c")]
        records += [record(number, 40, "r", 0.01, 0.01)]
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values={40: 0.5}))
    save_photo_quality(storage.engine, [*records, record(len(PARTS), 40, "r", 0.9, 0.9)])
    return summarise(storage, NAME)


def record(trial: int, rung: int, photo: str, content: float, style: float) -> PhotoQualityRecord:
    return PhotoQualityRecord(
        study_uuid=WAVES,
        trial_number=trial,
        rung=rung,
        judge_version="2",
        photo_sha256=photo,
        quality=content**0.4 * style**0.6,
        content_preservation=content,
        style_match=style,
        artefact_factor=1.0,
        terms={},
    )


def answer(first: int, second: int, given: str, *, who: str = "anna", **changes: str) -> Preference:
    return Preference(
        who=who,
        answered_at=datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC),
        study_uuid=changes.get("study_uuid", WAVES),
        photo_sha256=changes.get("photo", "c"),
        first_trial=first,
        second_trial=second,
        left_trial=first,
        answer=given,
        judge_version=changes.get("judge_version", "2"),
    )


def choose_style(who: str = "anna") -> list[Preference]:
    """All 21 pairs, the output with more style always preferred."""
    return [
        answer(one, two, FIRST if PARTS[one][1] > PARTS[two][1] else SECOND, who=who)
        for one, two in itertools.combinations(range(len(PARTS)), 2)
    ]


def test_the_judges_own_exponent_gives_the_studys_ranking(storage: StudyStorage, filled: StudySummary) -> None:
    qualities, incomplete = calibrated_qualities(
        filled, load_parts(storage, filled), Exponents(content=filled.record.content_exponent)
    )
    assert incomplete == []
    complete = {trial.number: trial.quality for trial in filled.trials if trial.state == "COMPLETE"}
    assert qualities == pytest.approx(complete)
    assert list(qualities) == sorted(qualities, key=lambda number: -qualities[number])


def test_choices_rank_again_without_training(storage: StudyStorage, filled: StudySummary) -> None:
    save_preferences(storage.engine, choose_style())
    ranking = rank_calibrated(storage, filled, rater="anna")
    assert filled.best is not None
    assert filled.best.number == 6, "content and style as the exponents have them"
    assert next(iter(ranking.qualities)) == 4
    assert ranking.calibration.default.content == 0.4
    assert ranking.calibration.exponents.content < 0.2
    assert ranking.notes == ()
    plain = ranking.as_dict()
    assert (plain["choices"], next(iter(plain["qualities"]))) == (21, "4")


def test_what_cannot_be_used_is_counted_by_reason(storage: StudyStorage, filled: StudySummary) -> None:
    odd = [
        answer(0, 2, FIRST, study_uuid="other"),
        answer(0, 1, FIRST, judge_version="1"),
        answer(0, 99, FIRST),
        answer(0, 1, FIRST, photo="unknown"),
    ]
    save_preferences(storage.engine, [answer(0, 1, FIRST), *odd])
    choices = load_choices(storage, filled, load_parts(storage, filled), rater="anna")
    assert len(choices.usable) == 1
    assert choices.notes == (
        "Not used: 1 choice given in other studies.",
        "Not used: 1 choice given under judge version 1 (the study's is 2).",
        "Not used: 2 choices about outputs whose scores are missing.",
    )


def test_the_same_answer_in_the_study_that_it_was_carried_over_from_is_not_counted(
    storage: StudyStorage, filled: StudySummary
) -> None:
    save_preferences(storage.engine, [answer(0, 1, FIRST, study_uuid="old", judge_version="1"), answer(0, 1, FIRST)])
    choices = load_choices(storage, filled, load_parts(storage, filled), rater="anna")
    assert (len(choices.usable), choices.notes) == (1, ())


def test_everyone_is_all_raters_together(storage: StudyStorage, filled: StudySummary) -> None:
    save_preferences(storage.engine, [*choose_style()[:11], *choose_style("ben")[11:]])
    assert rank_calibrated(storage, filled, rater="everyone").calibration.num_choices == 21
    with pytest.raises(CalibrationError, match=r"Received 11 by anna in study 'waves'\. Ask for 9 more"):
        rank_calibrated(storage, filled, rater="anna")
    with pytest.raises(CalibrationError, match=r"Received 'bne'\. Did you mean 'ben'\?"):
        rank_calibrated(storage, filled, rater="bne")
