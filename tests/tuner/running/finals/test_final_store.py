"""What is kept of a final, by one command or two."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from dashboards.shown_pictures import read_strip
from studies.errors import StudyError
from studies.records.final import FinalRun, StudyFinal
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tests.studies.records.finals import FINAL, run_of
from tests.tuner.tiny_study import NAME
from tuner.running.finals.final_store import FinalStore

BEGUN = replace(FINAL, runs=())
PHOTOS, PAINTED = (np.full((2, 8, 8, 3), np.float32(value) / np.float32(255)) for value in (204, 102))


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as created:
        create_study(created.optuna, NAME, num_objectives=1)
        yield created


def store(storage: StudyStorage, planned: StudyFinal = BEGUN) -> FinalStore:
    return FinalStore(storage, uuid_of(storage.read_study(NAME)), planned)


def keep(kept: FinalStore, run: FinalRun) -> StudyFinal:
    return kept.keep_run(run, None if run.diverged else PAINTED, photos=PHOTOS)


def test_runs_are_kept_one_by_one_whoever_did_them(storage: StudyStorage) -> None:
    one, other = store(storage), store(storage)
    assert one.begin() == BEGUN
    keep(one, run_of(1, 1, 0.5, 0.5))
    keep(other, run_of(2, 1, 0.6, 0.6))
    assert keep(one, run_of(2, 1, 0.9, 0.9)).runs[1].quality == pytest.approx(0.6), "the first one stays"
    found = other.known()
    assert [run.key for run in found.runs] == [(1, 1), (2, 1)]
    assert len(list(storage.artifacts.path.iterdir())) == 3, "the photos once, and what two runs painted"
    for run in found.runs:
        np.testing.assert_array_equal(read_strip(storage, str(run.outputs), num_pictures=2), PAINTED)
    np.testing.assert_array_equal(read_strip(storage, str(found.photos), num_pictures=2), PHOTOS)


def test_a_sheet_is_of_the_finalists_that_are_wanted(storage: StudyStorage) -> None:
    one = store(storage)
    for run in FINAL.runs:
        assert not one.known().needs_sheet(storage.artifacts.has)
        keep(one, run)
    assert one.known().needs_sheet(storage.artifacts.has)
    sheet = one.keep_sheet(b"a sheet").sheet
    assert storage.artifacts.read(str(sheet)) == b"a sheet"
    assert (one.begin().sheet, one.known().needs_sheet(storage.artifacts.has)) == (sheet, False)
    assert store(storage, replace(BEGUN, wanted=(2, 0))).begin().needs_sheet(storage.artifacts.has), (
        "others are wanted, and all is there"
    )


def test_a_sheet_whose_file_is_gone_is_drawn_again(storage: StudyStorage) -> None:
    one = store(storage)
    for run in FINAL.runs:
        keep(one, run)
    sheet = one.keep_sheet(b"a sheet").sheet
    storage.artifacts.path_of(str(sheet)).unlink()
    assert one.known().needs_sheet(storage.artifacts.has)


def test_other_finalists_keep_the_runs_that_are_there(storage: StudyStorage) -> None:
    keep(store(storage), run_of(1, 1, 0.5, 0.5))
    later = store(storage, replace(BEGUN, wanted=(7, 1))).begin()
    assert later.wanted == (7, 1)
    assert later.missing == ((7, 1), (7, 2), (1, 2))


def test_another_judges_final_is_begun_anew(storage: StudyStorage) -> None:
    keep(store(storage, replace(BEGUN, judge_version="3")), run_of(1, 1, 0.5, 0.5))
    assert store(storage).begin() == BEGUN


def test_a_study_that_was_deleted_gets_nothing(storage: StudyStorage) -> None:
    one = store(storage)
    storage.delete_study(NAME)
    with pytest.raises(StudyError, match="was deleted"):
        keep(one, run_of(1, 1, 0.5, 0.5))
