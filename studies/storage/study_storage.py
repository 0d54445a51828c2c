"""Where studies live: one SQLite file, or a PostgreSQL database, with a folder of artefacts beside it."""

import functools
import hashlib
import sqlite3
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self, final

import filelock
import optuna
import sqlalchemy
from optuna.exceptions import ExperimentalWarning
from optuna.storages import RDBStorage
from optuna.trial import FrozenTrial

from groundwork.similar_names import did_you_mean
from studies.claims.retries import enqueue_retry
from studies.errors import StorageError, StudyError
from studies.preferences import answers as preferences
from studies.records.attributes import KILLED
from studies.storage import tables as records
from studies.storage.addresses import (
    DEFAULT_STORAGE,
    artifact_folder,
    parse_storage,
    redact,
    require_file,
    shown,
    sqlite_path,
)
from studies.storage.artifacts import ArtifactFolder
from studies.storage.database_errors import LOCK_TIMEOUT_SECONDS, storage_errors
from studies.storage.lost_values import tolerate_lost_values

__all__ = ["DEFAULT_STORAGE", "StudyStorage", "parse_storage", "redact", "storage_errors"]

HEARTBEAT_SECONDS = 10
"""How often a running trial reports that its process lives: far shorter than a trial, far longer than a write."""
HEARTBEAT_GRACE_SECONDS = 30
"""Silence after which a trial counts as dead: three missed heartbeats."""


@final
class StudyStorage:
    """A database of studies together with its artefacts; made by `create`, `open` or `open_read_only`.

    Attributes:
        url: SQLAlchemy URL, password included.
        optuna: Storage for Optuna, with heartbeats; on SQLite each of its transactions takes the write lock at once.
        artifacts: The folder with pictures, checkpoints and style images.
    """

    def __init__(self, url: str, *, connection: RDBStorage) -> None:
        self.url = url
        self.optuna = connection
        self.artifacts = ArtifactFolder(artifact_folder(url), storage=connection)

    @classmethod
    def create(cls, text: str) -> Self:
        """Open a storage for writing, making it first where it does not exist; safe from several processes at once.

        Raises:
            StorageError: If it cannot be made or opened.
        """
        url = parse_storage(text)
        with storage_errors(url), _exclusive(url):
            storage = cls(url, connection=_connect(url, writing=True, create=True))
            _create_tables(storage.engine)
        return storage

    @classmethod
    def open(cls, text: str) -> Self:
        """Open an existing storage for writing.

        Raises:
            StorageError: If it does not exist or cannot be opened.
        """
        url = parse_storage(text)
        require_file(url)
        with storage_errors(url), _exclusive(url):
            _require_tables(url)
            storage = cls(url, connection=_connect(url, writing=True, create=False))
            _create_tables(storage.engine)
        return storage

    @classmethod
    def open_read_only(cls, text: str) -> Self:
        """Open an existing storage for pages and lists, which never hold the write lock while they read.

        A note written through a page still works.

        Raises:
            StorageError: If it does not exist or cannot be opened.
        """
        url = parse_storage(text)
        require_file(url)
        with storage_errors(url):
            _require_tables(url)
            return cls(url, connection=_connect(url, writing=False, create=False))

    @staticmethod
    def exists(text: str) -> bool:
        """Whether there is a storage to open; where there is none, `create` would make it. Changes nothing.

        Raises:
            StorageError: If there is none and none can be made: no folder, no server, or another kind of file.
        """
        url = parse_storage(text)
        path = sqlite_path(url)
        if path is not None and not path.exists():
            _require_folder(path)
            return False
        with storage_errors(url):
            return _has_tables(url)

    @property
    def name(self) -> str:
        """The storage as it may be shown: a path for SQLite, a URL without password for PostgreSQL."""
        return shown(self.url)

    @property
    def engine(self) -> sqlalchemy.Engine:
        """Engine for our own tables; on SQLite each transaction takes the write lock at once."""
        return self.optuna.engine

    @property
    def read_engine(self) -> sqlalchemy.Engine:
        """Engine that only reads, and never waits for a writer."""
        return self._reader.engine

    def load_study(
        self,
        name: str,
        *,
        sampler: optuna.samplers.BaseSampler | None = None,
        pruner: optuna.pruners.BasePruner | None = None,
    ) -> optuna.Study:
        """The Optuna study of that name, for writing.

        Raises:
            StudyError: If there is none; names the most similar one.
        """
        return self._load(name, self.optuna, sampler=sampler, pruner=pruner)

    def read_study(self, name: str) -> optuna.Study:
        """The Optuna study of that name for reading only; finished trials are read from the database just once.

        Raises:
            StudyError: If there is none; names the most similar one.
        """
        with storage_errors(self.url), suppress(KeyError):
            # A study may have been deleted and made again under its name by another process.
            study_id = self._reader.get_study_id_from_name(name)
            if (name, study_id) not in self._read_studies:
                self._read_studies[name, study_id] = self._load(name, self._reader)
            return self._read_studies[name, study_id]
        return self._load(name, self._reader)

    def study_names(self) -> list[str]:
        """Names of all studies, sorted.

        Raises:
            StorageError: If the database cannot be read.
        """
        with storage_errors(self.url):
            return sorted(optuna.get_all_study_names(self._reader))

    def delete_study(self, name: str) -> None:
        """Delete a study with its trials, records and artefacts.

        Raises:
            StudyError: If there is none of that name.
            StorageError: If the database cannot be written.
        """
        study = self.load_study(name)
        with storage_errors(self.url):
            self.artifacts.remove_all(study)
            records.delete_study_records(self.engine, name)
            optuna.delete_study(study_name=name, storage=self.optuna)
        # SQLite gives the next study the same id, and its trials too.
        self._read_studies.clear()

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """Let one process at a time into a section that needs several transactions; ends with its process.

        Do not nest it, and hold no transaction of `engine` while waiting for it.
        """
        with _exclusive(self.url):
            yield

    def close(self) -> None:
        """Close all connections."""
        for connection in {id(used): used for used in (self.optuna, self._reader)}.values():
            connection.remove_session()
            connection.engine.dispose()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"StudyStorage({redact(self.url)!r})"

    @functools.cached_property
    def _reader(self) -> RDBStorage:
        return (
            self.optuna if self.optuna.heartbeat_interval is None else _connect(self.url, writing=False, create=False)
        )

    @functools.cached_property
    def _read_studies(self) -> dict[tuple[str, int], optuna.Study]:
        return {}

    def _load(self, name: str, connection: RDBStorage, **options: Any) -> optuna.Study:
        with storage_errors(self.url):
            try:
                return optuna.load_study(study_name=name, storage=connection, **options)
            except KeyError as error:
                names = optuna.get_all_study_names(connection)
                raise StudyError(
                    f"`study` must be the name of a study in {self.name}. Received {name!r}. "
                    + did_you_mean(name, names, none="There is none in it yet: start one with `styletuner study run`.")
                ) from error


def _create_tables(engine: sqlalchemy.Engine) -> None:
    """Make those of our tables that are missing, as in a database of an earlier version; they share one metadata."""
    preferences.PreferenceRow.metadata.create_all(engine)


def _require_tables(url: str) -> None:
    if not _has_tables(url):
        raise StorageError(
            f"{shown(url)} holds no studies of styletuner. Start one there with `styletuner study run`, or name "
            "another with --storage."
        )


def _has_tables(url: str) -> bool:
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    return sqlalchemy.inspect(engine).has_table(records.ClaimRow.__tablename__)


def _require_folder(path: Path) -> None:
    if not path.parent.is_dir():
        raise StorageError(f"Cannot make {path}: its folder does not exist. Make the folder or name another file.")


def _connect(url: str, *, writing: bool, create: bool) -> RDBStorage:
    """Connect Optuna to a database; `writing` adds heartbeats and SQLite's immediate lock."""
    tolerate_lost_values()
    sqlite = sqlite_path(url) is not None
    options: dict[str, Any] = {"pool_pre_ping": True}
    if sqlite:
        options = {"connect_args": {"timeout": LOCK_TIMEOUT_SECONDS}}
    with warnings.catch_warnings():
        # Heartbeats are marked experimental since Optuna 2.9.
        warnings.simplefilter("ignore", ExperimentalWarning)
        storage = RDBStorage(
            url,
            engine_kwargs=options,
            heartbeat_interval=HEARTBEAT_SECONDS if writing else None,
            grace_period=HEARTBEAT_GRACE_SECONDS if writing else None,
            heartbeat_stale_trial_callback=functools.partial(_retry_stale, url) if writing else None,
            skip_table_creation=not create,
        )
    if sqlite:
        _tune_sqlite(storage.engine, begin="BEGIN IMMEDIATE" if writing else "BEGIN")
    return storage


def _tune_sqlite(engine: sqlalchemy.Engine, *, begin: str) -> None:
    """Have every connection use the write-ahead log and start its transactions with `begin`."""

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT_SECONDS * 1000}")
        # On a read-only disk an existing log cannot be switched on, and reading works without.
        with suppress(sqlite3.OperationalError):
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    def on_begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql(begin)

    sqlalchemy.event.listen(engine, "connect", on_connect)
    sqlalchemy.event.listen(engine, "begin", on_begin)
    engine.dispose()


def _retry_stale(url: str, study: optuna.Study, trial: FrozenTrial) -> None:
    with _exclusive(url):
        enqueue_retry(study, trial, cause=KILLED)


@contextmanager
def _exclusive(url: str) -> Iterator[None]:
    """One process at a time: a lock on a file beside SQLite, an advisory lock in PostgreSQL; neither outlives it."""
    path = sqlite_path(url)
    if path is not None:
        _require_folder(path)
        with filelock.FileLock(path.with_name(f"{path.name}.lock"), timeout=LOCK_TIMEOUT_SECONDS):
            yield
        return
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    key = int.from_bytes(hashlib.sha256(b"styletuner").digest()[:8], "big", signed=True)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
        connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(key)))
        yield
