"""A study is its UUID: studies made again under a name, and studies renamed by optuna-dashboard."""

import datetime
import io
import json
import uuid
from collections.abc import Iterator
from wsgiref.util import setup_testing_defaults

import optuna
import optuna_dashboard
import pytest
import sqlalchemy

from studies.claims.claiming import NoClaim, claim
from studies.claims.processes import WorkerIdentity
from studies.errors import StudyError
from studies.preferences.answers import Preference, load_preferences, save_preferences
from studies.records.summaries import summarise
from studies.storage.study_identity import create_study, find_by_name, find_by_uuid, give_uuid, names_with, uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, load_photo_quality, save_photo_quality
from tests.studies.waves import WAVES


@pytest.fixture
def other(storage_url: str, storage: StudyStorage) -> Iterator[StudyStorage]:
    """The same database as another process has it open."""
    assert storage.url
    with StudyStorage.open(storage_url) as opened:
        yield opened


def run_trials(study: optuna.Study, num_trials: int) -> None:
    study.optimize(lambda _: 0.5, n_trials=num_trials)


def keep_scores_and_choices(storage: StudyStorage) -> None:
    record = PhotoQualityRecord(
        study_uuid=WAVES,
        trial_number=0,
        rung=8,
        judge_version="1",
        photo_sha256="a",
        quality=0.5,
        content_preservation=0.5,
        style_match=0.5,
        artefact_factor=1,
    )
    save_photo_quality(storage.engine, [record])
    choice = Preference(
        who="anna",
        answered_at=datetime.datetime(2026, 11, 24, tzinfo=datetime.UTC),
        study_uuid=WAVES,
        photo_sha256="a",
        first_trial=0,
        second_trial=1,
        left_trial=0,
        answer="first",
        judge_version="1",
    )
    save_preferences(storage.engine, [choice])


def rename_in_dashboard(storage: StudyStorage, name: str, new_name: str) -> None:
    """What optuna-dashboard does when somebody types another name there."""
    place = find_by_name(storage.read_engine, name)
    assert place is not None
    content = json.dumps({"study_name": new_name}).encode()
    environment: dict[str, object] = {}
    setup_testing_defaults(environment)
    environment |= {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": f"/api/studies/{place.optuna_id}/rename",
        "CONTENT_TYPE": "application/json",
        "CONTENT_LENGTH": str(len(content)),
    }
    environment["wsgi.input"] = io.BytesIO(content)
    statuses: list[str] = []
    application = optuna_dashboard.wsgi(storage.optuna)
    list(application(environment, lambda status, *_: statuses.append(status)))
    assert statuses[0].startswith("201"), statuses


def test_a_study_gets_a_uuid_when_it_is_made(storage: StudyStorage) -> None:
    made = create_study(storage.optuna, "waves")
    assert uuid.UUID(uuid_of(made)).version == 4
    assert uuid_of(storage.read_study("waves")) == uuid_of(made)
    place = find_by_uuid(storage.read_engine, uuid_of(made))
    assert place is not None
    assert place == find_by_name(storage.read_engine, "waves")
    assert (place.name, place.uuid) == ("waves", uuid_of(made))


def test_a_study_is_found_in_one_statement(storage: StudyStorage) -> None:
    made = uuid_of(create_study(storage.optuna, "waves"))
    statements: list[str] = []

    def count(*arguments: object) -> None:
        statements.append(str(arguments[2]))

    sqlalchemy.event.listen(storage.read_engine, "before_cursor_execute", count)
    assert find_by_uuid(storage.read_engine, made) is not None
    assert find_by_name(storage.read_engine, "waves") is not None
    assert sum("SELECT" in statement for statement in statements) == 2


def test_a_study_that_optuna_made_gets_one_at_first_writing(storage: StudyStorage) -> None:
    optuna.create_study(study_name="waves", storage=storage.optuna)
    assert uuid_of(storage.read_study("waves")) == "", "reading writes nothing"
    given = uuid_of(storage.load_study("waves"))
    assert uuid.UUID(given)
    assert uuid_of(storage.load_study("waves")) == uuid_of(storage.read_study("waves")) == given


def test_two_processes_give_one_uuid(storage: StudyStorage, other: StudyStorage) -> None:
    optuna.create_study(study_name="waves", storage=storage.optuna)
    place = find_by_name(storage.read_engine, "waves")
    assert place is not None
    give_uuid(storage.engine, place)
    given = uuid_of(storage.load_study("waves"))
    give_uuid(other.engine, place)
    assert uuid_of(other.load_study("waves")) == given


def test_unknown_uuid_and_name(storage: StudyStorage) -> None:
    assert find_by_uuid(storage.read_engine, WAVES) is None
    assert find_by_name(storage.read_engine, "waves") is None
    for load in (storage.load_by_uuid, storage.read_by_uuid):
        with pytest.raises(StudyError, match=f"was deleted.*{WAVES}"):
            load(WAVES)


def test_a_study_made_again_under_its_name_is_another_one(
    storage: StudyStorage, other: StudyStorage, study: optuna.Study
) -> None:
    """SQLite gives it the same id, and its trials the same ids."""
    run_trials(study, 2)
    assert summarise(storage, "waves").num_by_state == {"COMPLETE": 2}
    keep_scores_and_choices(storage)
    worker = WorkerIdentity.current()
    assert claim(storage, WAVES, total=2, worker=worker) is NoClaim.DONE
    other.delete_study("waves")
    again = create_study(other.optuna, "waves")
    assert summarise(storage, "waves").num_by_state == {}
    assert summarise(storage, "waves").uuid == uuid_of(again)
    assert load_photo_quality(storage.engine, uuid_of(again)) == []
    assert load_preferences(storage.engine, study_uuid=uuid_of(again)) == []
    run_trials(again, 1)
    assert not isinstance(claim(storage, uuid_of(again), total=2, worker=worker), NoClaim)
    with pytest.raises(StudyError, match="was deleted"):
        claim(storage, WAVES, total=2, worker=worker)


def test_a_study_of_optunas_made_again_is_read_anew(storage: StudyStorage, other: StudyStorage) -> None:
    run_trials(optuna.create_study(study_name="waves", storage=other.optuna), 2)
    assert summarise(storage, "waves").num_by_state == {"COMPLETE": 2}
    optuna.delete_study(study_name="waves", storage=other.optuna)
    run_trials(optuna.create_study(study_name="waves", storage=other.optuna), 1)
    assert summarise(storage, "waves").num_by_state == {"COMPLETE": 1}


def test_scores_and_choices_follow_a_study_that_is_renamed(
    storage: StudyStorage, other: StudyStorage, study: optuna.Study
) -> None:
    run_trials(study, 2)
    keep_scores_and_choices(storage)
    assert summarise(storage, "waves").uuid == WAVES
    rename_in_dashboard(other, "waves", "tides")
    assert storage.study_names() == ["tides"]
    renamed = summarise(storage, "tides")
    assert (renamed.uuid, renamed.name, renamed.num_by_state) == (WAVES, "tides", {"COMPLETE": 2})
    assert len(load_photo_quality(storage.engine, renamed.uuid)) == 1
    assert len(load_preferences(storage.engine, study_uuid=renamed.uuid)) == 1
    with pytest.raises(StudyError, match=r"'waves'. Known: tides"):
        storage.read_study("waves")


def test_a_worker_goes_on_under_the_new_name(storage: StudyStorage, other: StudyStorage, study: optuna.Study) -> None:
    run_trials(study, 1)
    rename_in_dashboard(other, "waves", "tides")
    for load in (storage.load_by_uuid, storage.read_by_uuid):
        assert load(WAVES).study_name == "tides"
    worker = WorkerIdentity.current()
    assert not isinstance(claim(storage, WAVES, total=2, worker=worker), NoClaim)
    run_trials(storage.load_by_uuid(WAVES), 1)
    assert claim(storage, WAVES, total=2, worker=worker) is NoClaim.DONE


def test_a_copy_keeps_what_it_shares(storage: StudyStorage, study: optuna.Study) -> None:
    kept = storage.artifacts.upload_bytes(b"x", study, file_name="x.png")
    keep_scores_and_choices(storage)
    optuna.copy_study(
        from_study_name="waves", from_storage=storage.optuna, to_storage=storage.optuna, to_study_name="copy"
    )
    storage.delete_study("copy")
    assert storage.artifacts.path_of(kept).is_file()
    assert len(load_photo_quality(storage.engine, WAVES)) == 1
    storage.delete_study("waves")
    assert not (storage.artifacts.path / kept).exists()
    assert load_photo_quality(storage.engine, WAVES) == []


def test_studies_with_an_attribute_newest_first(storage: StudyStorage) -> None:
    assert names_with(storage.read_engine, "origin") == []
    for name in ("waves", "tides", "ripples"):
        study = create_study(storage.optuna, name)
        if name != "tides":
            study.set_user_attr("origin", "elsewhere")
    assert names_with(storage.read_engine, "origin") == ["ripples", "waves"]
