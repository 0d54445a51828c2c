"""A rating session on a study that is renamed or deleted while people answer."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.errors import PreferenceError
from studies.preferences.answers import load_preferences
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.studies.storage.test_study_identity import rename_in_dashboard
from tests.tuner.rated_study import NAME, make_rated_study
from tuner.people.rating import RatingSession


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as opened:
        make_rated_study(opened)
        yield opened


def session(storage: StudyStorage, tmp_path: Path, *, name: str = NAME) -> RatingSession:
    return RatingSession(storage, summarise(storage, name), rater="ann", picture=tmp_path / "question.png", seed=0)


def test_answers_follow_a_study_that_is_renamed_between_two_questions(storage: StudyStorage, tmp_path: Path) -> None:
    asking = session(storage, tmp_path)
    assert asking.run(3, lambda _: "a") == 3
    rename_in_dashboard(storage, NAME, "renamed")
    assert asking.run(2, lambda _: "b") == 2
    summary = summarise(storage, "renamed")
    given = load_preferences(storage.engine, study_uuid=summary.uuid, who="ann")
    assert len(given) == 5
    again = session(storage, tmp_path, name="renamed")
    assert again.num_usable() == 5
    assert "of 30 pairs not asked about yet" in again.introduction
    assert "30 of 30" not in again.introduction


def test_earlier_questions_are_asked_again_in_a_later_session(storage: StudyStorage, tmp_path: Path) -> None:
    session(storage, tmp_path).run(8, lambda _: "a")
    earlier = load_preferences(storage.engine)
    pairs = {(answer.photo_sha256, answer.first_trial, answer.second_trial) for answer in earlier}
    again = session(storage, tmp_path)
    assert again.num_repeatable == len(pairs)
    assert again.run_again(99, lambda _: "b") == len(pairs)
    later = load_preferences(storage.engine)[len(earlier) :]
    assert {(answer.photo_sha256, answer.first_trial, answer.second_trial) for answer in later} == pairs
    assert again.run_again(2, lambda _: "q") == 0, "who stops has answered nothing"


def test_nothing_can_be_asked_again_before_anything_was_answered(storage: StudyStorage, tmp_path: Path) -> None:
    with pytest.raises(PreferenceError, match=r"ann has answered no question .* study prefer rated --rater ann"):
        session(storage, tmp_path).run_again(3, lambda _: "a")
    assert load_preferences(storage.engine) == []


def test_ties_follow_a_study_that_is_renamed(storage: StudyStorage) -> None:
    before = summarise(storage, NAME)
    rename_in_dashboard(storage, NAME, "renamed")
    after = summarise(storage, "renamed")
    assert (after.uuid, after.tied_with_best) == (before.uuid, before.tied_with_best)
    assert after.best == before.best


@pytest.mark.parametrize(
    ("answers_before", "consequence"), [(0, "The last answer is not stored"), (1, "There is nothing left to ask about")]
)
def test_a_study_deleted_meanwhile_takes_no_answer(
    storage: StudyStorage, tmp_path: Path, answers_before: int, consequence: str
) -> None:
    asking = session(storage, tmp_path)
    assert asking.run(answers_before, lambda _: "a") == answers_before

    def delete(_prompt: str = "") -> str:
        with StudyStorage.open(storage.url) as other:
            other.delete_study(NAME)
        return "a"

    if answers_before:
        delete()
    with pytest.raises(PreferenceError, match=f"'rated' was deleted meanwhile. {consequence}"):
        asking.run(1, delete)
