import datetime
from dataclasses import replace

import pytest
import sqlalchemy

from studies.errors import CalibrationError
from studies.preferences.answers import (
    EVERYONE,
    MAX_RATER_LENGTH,
    Preference,
    check_rater,
    load_preferences,
    save_preferences,
)
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import delete_study_records
from tests.studies.waves import WAVES

MOMENT = datetime.datetime(2026, 11, 24, 12, 30, tzinfo=datetime.UTC)
ANSWER = Preference(
    who="anna",
    answered_at=MOMENT,
    study_uuid=WAVES,
    photo_sha256="a" * 64,
    first_trial=2,
    second_trial=7,
    left_trial=7,
    answer="first",
    judge_version="2",
)


def test_answers_come_back_as_they_were_given(storage: StudyStorage) -> None:
    answers = [ANSWER, replace(ANSWER, who="ben", answer="tie"), replace(ANSWER, study_uuid="other"), ANSWER]
    save_preferences(storage.engine, answers)
    assert load_preferences(storage.engine) == answers, "in their order, repeated ones too"
    assert load_preferences(storage.engine, study_uuid=WAVES, who="anna") == [ANSWER, ANSWER]
    assert load_preferences(storage.engine, who="nobody") == []


def test_times_of_other_zones_are_kept_as_utc(storage: StudyStorage) -> None:
    zone = datetime.timezone(datetime.timedelta(hours=5, minutes=30))
    save_preferences(storage.engine, [replace(ANSWER, answered_at=MOMENT.astimezone(zone))])
    assert load_preferences(storage.engine)[0].answered_at == MOMENT


def test_answers_of_a_deleted_study_go_with_it(storage: StudyStorage) -> None:
    save_preferences(storage.engine, [ANSWER, replace(ANSWER, study_uuid="other")])
    delete_study_records(storage.engine, WAVES)
    assert [answer.study_uuid for answer in load_preferences(storage.engine)] == ["other"]


def test_a_database_of_before_there_were_answers_has_none() -> None:
    assert load_preferences(sqlalchemy.create_engine("sqlite://")) == []


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"answer": "both"}, r"`answer` must be one of first, second, tie\. Received 'both'"),
        ({"first_trial": 7}, "`first_trial` must be below"),
        ({"left_trial": 3}, "`left_trial` must be 2 or 7"),
        ({"answered_at": MOMENT.replace(tzinfo=None)}, "`answered_at` must have a time zone"),
    ],
)
def test_answers_that_cannot_be_are_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(CalibrationError, match=message):
        replace(ANSWER, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["", "  ", "a" * (MAX_RATER_LENGTH + 1), "a\nb", EVERYONE])
def test_names_that_nobody_has_are_refused(name: str) -> None:
    with pytest.raises(CalibrationError, match="`rater` must be"):
        check_rater(name)
    assert check_rater("Anna Müller <anna@example.org>")
