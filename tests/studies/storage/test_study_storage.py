import os
import pickle
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import optuna
import pytest
import sqlalchemy

from studies.errors import StorageError, StudyError
from studies.storage.study_identity import create_study
from studies.storage.study_storage import StudyStorage, storage_errors
from studies.storage.tables import PhotoQualityRecord, load_photo_quality, save_photo_quality
from tests.studies.conftest import PostgreSQLServer
from tests.studies.waves import WAVES

ROOT = Path(__file__).parents[3]


def test_create_makes_optunas_tables_and_ours(storage: StudyStorage) -> None:
    tables = sqlalchemy.inspect(storage.engine).get_table_names()
    assert {"studies", "trials", "styletuner_photo_quality", "styletuner_claims"} <= set(tables)


def test_create_keeps_what_is_there(storage_url: str) -> None:
    with StudyStorage.create(storage_url) as first:
        optuna.create_study(study_name="waves", storage=first.optuna)
    with StudyStorage.create(storage_url) as second, StudyStorage.open(storage_url) as third:
        assert second.study_names() == third.study_names() == ["waves"]


@pytest.mark.slow
def test_four_processes_create_at_once(storage_url: str) -> None:
    command = [sys.executable, "-W", "error", str(Path(__file__).with_name("create_storage_process.py")), storage_url]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outcomes = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [0] * 4, outcomes
    assert [output for output, _ in outcomes] == ["['waves']\n"] * 4


def test_sqlite_waits_and_logs_ahead(tmp_path: Path) -> None:
    with StudyStorage.create(str(tmp_path / "a.db")) as storage:
        for engine in (storage.engine, storage.read_engine):
            with engine.connect() as connection:
                values = [
                    connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()
                    for name in ("journal_mode", "synchronous", "busy_timeout")
                ]
            assert values == ["wal", 1, 60_000]


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_sqlite_transaction_takes_the_write_lock_at_once_but_readers_pass(storage: StudyStorage) -> None:
    with storage.engine.begin() as connection:
        connection.exec_driver_sql("SELECT 1")
        other = sqlite3.connect(storage.engine.url.database or "", timeout=0, isolation_level=None)
        with pytest.raises(sqlite3.OperationalError, match="locked"):
            other.execute("BEGIN IMMEDIATE")
        other.close()
        assert storage.study_names() == []
        with storage.read_engine.begin() as reading:
            assert reading.exec_driver_sql("SELECT count(*) FROM trials").scalar_one() == 0


def test_enqueued_trials_are_handed_out_once(storage: StudyStorage, study: optuna.Study) -> None:
    for value in range(12):
        study.enqueue_trial({"x": value})

    def work() -> None:
        own = storage.load_study("waves", sampler=optuna.samplers.RandomSampler(seed=0))
        own.optimize(lambda trial: trial.suggest_int("x", 0, 100), n_trials=3)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(trial.params["x"] for trial in study.trials) == list(range(12))


def test_reader_sees_what_the_writer_commits(storage: StudyStorage, study: optuna.Study) -> None:
    reading = storage.read_study("waves")
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=2)
    assert [trial.params for trial in reading.trials] == [trial.params for trial in study.trials]
    assert storage.read_study("waves") is reading


def test_open_read_only_reads_and_takes_a_note(storage_url: str) -> None:
    with StudyStorage.create(storage_url) as storage:
        create_study(storage.optuna, "waves")
        with StudyStorage.open_read_only(storage_url) as pages:
            assert pages.study_names() == ["waves"]
            pages.load_study("waves").set_user_attr("note", "calm")
        assert storage.load_study("waves").user_attrs["note"] == "calm"


@pytest.mark.usefixtures("study")
def test_unknown_study_names_the_similar_one(storage: StudyStorage) -> None:
    with pytest.raises(StudyError, match=r"'wave'. Did you mean 'waves'\?"):
        storage.load_study("wave")
    with pytest.raises(StudyError, match=r"'zzz'. Known: waves\."):
        storage.read_study("zzz")


def test_unknown_study_in_an_empty_storage(storage: StudyStorage) -> None:
    with pytest.raises(StudyError, match="none in it yet: start one"):
        storage.load_study("waves")


def test_delete_study_takes_records_and_artifacts_along(storage: StudyStorage, study: optuna.Study) -> None:
    storage.optuna.create_new_trial(storage.optuna.get_study_id_from_name("waves"))
    (trial,) = study.trials
    kept = [storage.artifacts.upload_bytes(b"x", owner, file_name="x.png") for owner in (study, trial)]
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
    storage.delete_study("waves")
    assert storage.study_names() == []
    assert load_photo_quality(storage.engine, WAVES) == []
    assert not any((storage.artifacts.path / name).exists() for name in kept)
    with pytest.raises(StudyError):
        storage.read_study("waves")


def test_exclusive_lets_one_in_at_a_time(storage: StudyStorage) -> None:
    inside: list[str] = []

    def enter() -> None:
        with storage.exclusive():
            inside.append("second")

    with storage.exclusive():
        thread = threading.Thread(target=enter)
        thread.start()
        thread.join(timeout=0.3)
        inside.append("first")
    thread.join()
    assert inside == ["first", "second"]


def test_workers_that_begin_at_once_on_a_server_do_not_wait(postgresql_server: PostgreSQLServer) -> None:
    """Nor while a reaper is at work. A file is opened by few, one after the other."""
    address = postgresql_server.new_database()
    with StudyStorage.create(address) as storage, storage.exclusive(), StudyStorage.open(address) as other:
        assert other.study_names() == []
    postgresql_server.drop_database(address)


def test_missing_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"nowhere/a\.db: its folder does not exist"):
        StudyStorage.create(str(tmp_path / "nowhere" / "a.db"))


def test_opening_does_not_create(tmp_path: Path) -> None:
    for opening in (StudyStorage.open, StudyStorage.open_read_only):
        with pytest.raises(StorageError, match="There is no study database"):
            opening(str(tmp_path / "a.db"))
    assert not (tmp_path / "a.db").exists()


@pytest.mark.parametrize("opening", [StudyStorage.create, StudyStorage.open, StudyStorage.open_read_only])
def test_other_file_is_not_a_database(tmp_path: Path, opening: type) -> None:
    file = tmp_path / "a.db"
    file.write_text("A shopping list, long enough to be no SQLite header: bread, butter, jam.\n" * 20)
    before = file.read_bytes()
    with pytest.raises(StorageError, match=r"a\.db: file is not a database\. Name another file"):
        opening(str(file))
    assert file.read_bytes() == before


def test_folder_is_not_a_database(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="unable to open database file"):
        StudyStorage.create(str(tmp_path))


def test_foreign_sqlite_file_holds_no_study(tmp_path: Path) -> None:
    connection = sqlite3.connect(tmp_path / "a.db")
    connection.execute("CREATE TABLE bread (butter)")
    connection.close()
    with pytest.raises(StorageError, match=r"a\.db holds no studies of styletuner\. Start one"):
        StudyStorage.open(str(tmp_path / "a.db"))


def test_unreachable_server_is_told_without_the_password(postgresql_server: object) -> None:
    del postgresql_server
    with pytest.raises(StorageError, match="refused") as error:
        StudyStorage.create("postgresql://ann:sesame@127.0.0.1:1/db")
    assert "sesame" not in str(error.value)
    assert "Start the server" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_missing_database_is_told_without_the_password(storage_url: str) -> None:
    with pytest.raises(StorageError, match="does not exist") as error:
        StudyStorage.create(storage_url + "_no")
    assert "sesame" not in str(error.value)


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_opening_an_empty_server_does_not_create(storage_url: str) -> None:
    for opening in (StudyStorage.open, StudyStorage.open_read_only):
        with pytest.raises(StorageError, match=r"holds no studies of styletuner"):
            opening(storage_url)


def test_password_is_in_no_representation() -> None:
    with pytest.raises(StorageError) as error:
        StudyStorage.create("postgresql+nosuch://ann:sesame@host/db")
    assert "sesame" not in str(error.value)


def test_representation_hides_the_password(storage: StudyStorage) -> None:
    assert "sesame" not in repr(storage)
    assert "sesame" not in storage.name


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_full_disk_is_told_and_the_study_stays_usable(storage: StudyStorage, study: optuna.Study) -> None:
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=3)

    def fill(connection: sqlite3.Connection, *_: object) -> None:
        pages = connection.execute("PRAGMA page_count").fetchone()[0]
        connection.execute(f"PRAGMA max_page_count = {pages}")

    sqlalchemy.event.listen(storage.engine, "checkout", fill)
    with pytest.raises(StorageError, match=r"disk is full\. Free some space"), storage_errors(storage.url):
        study.set_user_attr("long", "x" * 100_000)
    sqlalchemy.event.remove(storage.engine, "checkout", fill)
    storage.engine.dispose()
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert [trial.state.name for trial in study.trials] == ["COMPLETE"] * 4


@pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
def test_optunas_storage_survives_without_pickling_surprises(storage: StudyStorage) -> None:
    # The immediate lock is lost in an unpickled storage, so workers must open their own.
    copy = pickle.loads(pickle.dumps(storage.optuna))
    with copy.engine.begin() as connection, storage.engine.begin():
        connection.exec_driver_sql("SELECT 1")
    copy.engine.dispose()
