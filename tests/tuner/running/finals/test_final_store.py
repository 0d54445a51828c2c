"""What is kept of a final, by one command or two."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from studies.errors import StudyError
from studies.records.final import StudyFinal
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tests.studies.records.finals import FINAL, run_of
from tests.tuner.tiny_study import NAME
from tuner.running.finals.final_store import FinalStore

BEGUN = replace(FINAL, runs=())


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as created:
        create_study(created.optuna, NAME, num_objectives=1)
        yield created


def store(storage: StudyStorage, planned: StudyFinal = BEGUN) -> FinalStore:
    return FinalStore(storage, uuid_of(storage.read_study(NAME)), planned)


def test_runs_are_kept_one_by_one_whoever_did_them(storage: StudyStorage) -> None:
    one, other = store(storage), store(storage)
    assert one.begin() == BEGUN
    one.keep_run(run_of(1, 1, 0.5, 0.5))
    other.keep_run(run_of(2, 1, 0.6, 0.6))
    assert one.keep_run(run_of(2, 1, 0.9, 0.9)).runs[1].quality == pytest.approx(0.6), "the first one stays"
    assert [run.key for run in other.known().runs] == [(1, 1), (2, 1)]


def test_other_finalists_keep_the_runs_that_are_there(storage: StudyStorage) -> None:
    store(storage).keep_run(run_of(1, 1, 0.5, 0.5))
    later = store(storage, replace(BEGUN, wanted=(7, 1))).begin()
    assert later.wanted == (7, 1)
    assert later.missing == ((7, 1), (7, 2), (1, 2))


def test_another_judges_final_is_begun_anew(storage: StudyStorage) -> None:
    store(storage, replace(BEGUN, judge_version="3")).keep_run(run_of(1, 1, 0.5, 0.5))
    assert store(storage).begin() == BEGUN


def test_a_study_that_was_deleted_gets_nothing(storage: StudyStorage) -> None:
    one = store(storage)
    storage.delete_study(NAME)
    with pytest.raises(StudyError, match="was deleted"):
        one.keep_run(run_of(1, 1, 0.5, 0.5))
