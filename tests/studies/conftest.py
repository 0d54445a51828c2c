"""A storage on each database that is supported: a real SQLite file and a real, private PostgreSQL server."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import final

import optuna
import psycopg
import pytest

from studies.storage.study_identity import STUDY_UUID
from studies.storage.study_storage import StudyStorage
from tests.studies.waves import WAVES


@final
class PostgreSQLServer:
    """A PostgreSQL server of our own on a free port of 127.0.0.1, with its data in a temporary folder."""

    def __init__(self, binaries: Path) -> None:
        self._binaries = binaries
        self._folder = Path(tempfile.mkdtemp(prefix="styletuner-postgresql-"))
        self._port = _free_port()
        self._user: str | None = None
        if os.geteuid() == 0:
            # PostgreSQL refuses to run as root.
            self._user = next(name for name in ("postgres", "nobody") if _user_exists(name))
            shutil.chown(self._folder, self._user)
        self._run("initdb", "-D", self._data, "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8")
        options = f"-h 127.0.0.1 -p {self._port} -k {self._folder} -c fsync=off -c max_connections=200"
        self._run("pg_ctl", "-D", self._data, "-w", "-l", str(self._folder / "log"), "-o", options, "start")

    def new_database(self) -> str:
        """Make an empty database and give its address."""
        name = f"test_{uuid.uuid4().hex}"
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return self.address(name)

    def drop_database(self, address: str) -> None:
        name = address.rpartition("/")[2]
        with psycopg.connect(self.address("postgres"), autocommit=True) as connection:
            connection.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())

    def address(self, database: str) -> str:
        return f"postgresql://tester:sesame@127.0.0.1:{self._port}/{database}"

    def restart(self) -> None:
        """Break off all connections and start again, as after a crash."""
        log = str(self._folder / "log")
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "-l", log, "restart")

    def stop(self) -> None:
        self._run("pg_ctl", "-D", self._data, "-m", "immediate", "-w", "stop")
        shutil.rmtree(self._folder)

    @property
    def _data(self) -> str:
        return str(self._folder / "data")

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._binaries / program), *arguments]
        group = pwd.getpwnam(self._user).pw_gid if self._user else None
        subprocess.run(
            command,
            check=True,
            cwd=self._folder,
            user=self._user,
            group=group,
            stdout=subprocess.DEVNULL,
            extra_groups=[] if self._user else None,
        )


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgreSQLServer]:
    binaries = _postgresql_binaries()
    if binaries is None:
        if os.environ.get("CI"):
            pytest.fail("PostgreSQL is not installed, and CI has to test it.")
        pytest.skip("PostgreSQL is not installed.")
    server = PostgreSQLServer(binaries)
    yield server
    server.stop()


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.slow)])
def storage_url(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Address of an empty database."""
    if request.param == "sqlite":
        yield str(tmp_path / "studies.db")
        return
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", str(tmp_path / "artifacts"))
    server: PostgreSQLServer = request.getfixturevalue("postgresql_server")
    address = server.new_database()
    yield address
    server.drop_database(address)


@pytest.fixture
def storage(storage_url: str) -> Iterator[StudyStorage]:
    with StudyStorage.create(storage_url) as created:
        yield created


@pytest.fixture
def study(storage: StudyStorage) -> optuna.Study:
    """An empty study named "waves" that maximises one value."""
    made = optuna.create_study(study_name="waves", storage=storage.optuna, direction="maximize")
    made.set_user_attr(STUDY_UUID, WAVES)
    return storage.load_study("waves", sampler=optuna.samplers.RandomSampler(seed=0))


def _postgresql_binaries() -> Path | None:
    found = [Path(path) for path in (shutil.which("initdb"),) if path]
    candidates = [path.parent for path in found]
    if shutil.which("pg_config"):
        listed = subprocess.run(["pg_config", "--bindir"], check=True, capture_output=True, text=True)
        candidates.append(Path(listed.stdout.strip()))
    candidates += sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    return next((folder for folder in candidates if (folder / "initdb").exists()), None)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _user_exists(name: str) -> bool:
    try:
        pwd.getpwnam(name)
    except KeyError:
        return False
    return True
