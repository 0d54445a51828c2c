"""A study that somebody runs is not deleted, whenever they began."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import click
import pytest

from studies.claims.claiming import NoClaim, claim
from studies.claims.final_claims import FinalClaims
from studies.claims.processes import WorkerIdentity
from studies.errors import StudyError
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tests.studies.records.finals import FINAL
from tests.tuner.conftest import RunCli
from tests.tuner.rated_study import NAME, make_rated_study
from tuner.running.deletion import delete_idle_study, require_idle


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as made:
        make_rated_study(made)
        yield made


def uuid(storage: StudyStorage) -> str:
    return uuid_of(storage.load_study(NAME))


def begin(storage: StudyStorage) -> None:
    held = claim(storage, uuid(storage), total=100, worker=WorkerIdentity.current())
    assert not isinstance(held, NoClaim)


def test_idle_study_is_deleted(storage: StudyStorage) -> None:
    study_uuid = uuid(storage)
    require_idle(storage, study_uuid)
    delete_idle_study(storage, study_uuid)
    assert storage.study_names() == []


def test_study_that_is_run_is_refused(storage: StudyStorage) -> None:
    begin(storage)
    for attempt in (require_idle, delete_idle_study):
        with pytest.raises(StudyError, match="is being run by process"):
            attempt(storage, uuid(storage))
    assert storage.study_names() == [NAME]


def test_study_whose_final_is_being_trained_is_refused(storage: StudyStorage) -> None:
    storage.load_study(NAME).set_user_attr("final", replace(FINAL, runs=()).to_attribute())
    claims = FinalClaims(storage, uuid(storage))
    key = claims.take()
    assert key is not None
    for attempt in (require_idle, delete_idle_study):
        with pytest.raises(StudyError, match=r"is being run by process .* after a quarter of an hour"):
            attempt(storage, uuid(storage))
    claims.release(key)
    delete_idle_study(storage, uuid(storage))
    assert storage.study_names() == []


def test_run_that_begins_while_the_user_is_asked_is_seen(
    storage: StudyStorage, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    def answer_late(*_: object, **__: object) -> bool:
        begin(storage)
        return True

    monkeypatch.setattr(click, "confirm", answer_late)
    run_cli("study", "delete", NAME).require_refusal("is being run by process")
    assert storage.study_names() == [NAME]
