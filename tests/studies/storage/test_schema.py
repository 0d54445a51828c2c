"""Versions of our tables: databases of styletuner 0.1.0 are read as they are and upgraded when they are written."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

from studies.claims.claiming import open_claims
from studies.errors import StorageError
from studies.preferences.answers import load_preferences
from studies.records.summaries import list_studies, summarise
from studies.storage import schema
from studies.storage.addresses import parse_storage, shown
from studies.storage.schema import VERSION_TABLE, newest_version, version_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import Base, load_photo_quality
from tests.studies.storage.old_databases.restoring import restore

ROOT = Path(__file__).parents[3]
ONLY_SQLITE = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)


@pytest.fixture
def old(storage_url: str, tmp_path: Path) -> str:
    """Address of a database of styletuner 0.1.0."""
    (tmp_path / "scratch").mkdir()
    restore(storage_url, tmp_path / "scratch")
    return storage_url


def tables_of(address: str) -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table."""
    engine = sqlalchemy.create_engine(parse_storage(address), poolclass=sqlalchemy.pool.NullPool)
    names = sorted(sqlalchemy.inspect(engine).get_table_names())
    with engine.connect() as connection:
        rows = {name: connection.execute(sqlalchemy.text(f"SELECT * FROM {name}")).all() for name in names}
    return {name: sorted((tuple(row) for row in found), key=str) for name, found in rows.items()}


def require_all(storage: StudyStorage) -> None:
    """What the script that made the database wrote."""
    stars, waves = list_studies(storage)
    assert (stars.name, stars.num_by_state) == ("stars", {"COMPLETE": 1})
    assert (waves.name, waves.num_by_state) == ("waves", {"COMPLETE": 2, "PRUNED": 1, "FAIL": 1})
    assert len({stars.uuid, waves.uuid, ""}) == 3
    scores = load_photo_quality(storage.read_engine, waves.uuid)
    assert [score.quality for score in scores] == [0.6, 0.6, 0.7, 0.7, 0.2, 0.2]
    assert scores[0].terms == {"border": 0.25, "missing": None}
    choices = load_preferences(storage.read_engine, study_uuid=waves.uuid)
    assert [(choice.who, choice.answer, choice.left_trial) for choice in choices] == [
        ("anna", "second", 1),
        ("ben", "tie", 1),
    ]
    (claim,) = open_claims(storage, waves.uuid)
    assert (claim.worker.host, claim.worker.pid, claim.trial_number) == ("gone", 4711, None)
    assert storage.artifacts.path_of(waves.attributes["style_image"]).read_bytes() == b"a style image"


def test_the_tables_are_those_that_the_code_names(storage: StudyStorage) -> None:
    ours = {table.name for table in Base.metadata.sorted_tables}

    def is_ours(element: Any, name: str | None, kind: str, *_: object) -> bool:
        return name in ours if kind == "table" else element.table.name in ours

    with storage.engine.connect() as connection:
        context = MigrationContext.configure(
            connection, opts={"include_object": is_ours, "compare_type": True, "version_table": VERSION_TABLE}
        )
        assert compare_metadata(context, Base.metadata) == []
        assert version_of(connection) == newest_version()


def test_optunas_versions_are_left_alone(storage: StudyStorage) -> None:
    with storage.engine.connect() as connection:
        optunas = connection.execute(sqlalchemy.text("SELECT version_num FROM alembic_version")).scalars().all()
    assert len(optunas) == 1
    assert newest_version() not in optunas


def test_a_new_database_is_not_called_upgraded(storage_url: str) -> None:
    lines: list[str] = []
    for opening in (StudyStorage.create, StudyStorage.create, StudyStorage.open):
        with opening(storage_url, notify=lines.append):
            pass
    assert lines == []


@pytest.mark.parametrize("opening", [StudyStorage.open, StudyStorage.create])
def test_an_old_database_is_upgraded_at_the_first_writing(
    old: str, opening: Callable[..., StudyStorage], capsys: pytest.CaptureFixture[str]
) -> None:
    with opening(old) as storage:
        require_all(storage)
        uuids = [summary.uuid for summary in list_studies(storage)]
    url = shown(parse_storage(old))
    assert capsys.readouterr().err == f"Upgrading {url} from version 0001 of styletuner's tables to 0002.\n"
    with opening(old) as storage, StudyStorage.open_read_only(old) as reader:
        assert [summary.uuid for summary in list_studies(storage)] == uuids
        require_all(reader)
    assert capsys.readouterr().err == ""


@ONLY_SQLITE
def test_an_old_file_is_read_as_it_is(old: str, tmp_path: Path) -> None:
    path = Path(old)
    before = (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir()))
    with StudyStorage.open_read_only(old) as storage:
        require_all(storage)
    assert (path.read_bytes(), path.stat().st_mtime_ns, sorted(path.parent.iterdir())) == before
    assert tmp_path == path.parent


@pytest.mark.parametrize("storage_url", ["postgresql"], indirect=True)
def test_an_old_server_names_what_upgrades_it(old: str) -> None:
    before = tables_of(old)
    with pytest.raises(StorageError, match=r"tables of an earlier styletuner.*`styletuner dashboard`"):
        StudyStorage.open_read_only(old)
    assert tables_of(old) == before


def test_a_later_version_is_refused_and_named(storage_url: str) -> None:
    with StudyStorage.create(storage_url) as storage, storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"UPDATE {VERSION_TABLE} SET version_num = '9876'"))
    before = tables_of(storage_url)
    for opening in (StudyStorage.open, StudyStorage.create, StudyStorage.open_read_only):
        with pytest.raises(StorageError, match=r"version 9876, and this one knows versions up to 0002\. Update"):
            opening(storage_url)
    assert tables_of(storage_url) == before


def test_an_interrupted_upgrade_leaves_the_old_state(old: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = tables_of(old)
    run_env = schema.command.upgrade

    def interrupted(*arguments: Any) -> None:
        run_env(*arguments)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(schema.command, "upgrade", interrupted)
        with pytest.raises(KeyboardInterrupt):
            StudyStorage.open(old)
    assert tables_of(old) == before
    with StudyStorage.open(old, notify=lambda _: None) as storage:
        require_all(storage)


def test_what_has_lost_its_study_is_kept_apart(old: str) -> None:
    """As after a renaming under 0.1.0: nobody else's, and not lost."""
    engine = sqlalchemy.create_engine(parse_storage(old), poolclass=sqlalchemy.pool.NullPool)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE studies SET study_name = 'tides' WHERE study_name = 'waves'"))
    with StudyStorage.open(old, notify=lambda _: None) as storage:
        assert load_preferences(storage.engine, study_uuid=summarise(storage, "tides").uuid) == []
        assert len(load_preferences(storage.engine)) == 2


@pytest.mark.slow
def test_four_processes_upgrade_once(old: str) -> None:
    command = [sys.executable, "-W", "error", str(Path(__file__).with_name("open_storage_process.py")), old]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    processes = [
        subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    outcomes = [process.communicate(timeout=120) for process in processes]
    assert [output for output, _ in outcomes] == ["['stars', 'waves']\n"] * 4, outcomes
    assert sum("Upgrading" in error for _, error in outcomes) == 1
    with StudyStorage.open(old) as storage:
        require_all(storage)
