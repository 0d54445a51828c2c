"""Connections to a study database, tuned to what they are for; a database that cannot be written is only read."""

import os
import sqlite3
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, final

import sqlalchemy
from optuna.exceptions import ExperimentalWarning, StorageInternalError
from optuna.storages import RDBStorage

from studies.errors import StorageError
from studies.storage.addresses import sqlite_path
from studies.storage.database_errors import LOCK_TIMEOUT_SECONDS
from studies.storage.lost_values import tolerate_lost_values

HEARTBEAT_SECONDS = 10
"""How often a running trial reports that its process lives: far shorter than a trial, far longer than a write."""
HEARTBEAT_GRACE_SECONDS = 30
"""Silence after which a trial counts as dead: three missed heartbeats."""

MAX_DELETIONS: Final = 20
"""Each takes milliseconds, and a worker writes a few times a second: that two in a row meet a write is rare."""


@final
class ThoroughStorage(RDBStorage):
    """Optuna's storage, but for deleting: in PostgreSQL that leaves a study which is written to, without a word."""

    def delete_study(self, study_id: int) -> None:
        """Delete a study, again where it stays; SQLite, whose writers wait, would give its id to another one.

        Raises:
            KeyError: There is none.
            StorageInternalError: It stays.
        """
        super().delete_study(study_id)
        if self.engine.dialect.name != "postgresql":
            return
        for _ in range(MAX_DELETIONS):
            try:
                super().delete_study(study_id)
            except KeyError:
                return
        raise StorageInternalError("The study stays, since it is written to all the time: stop its workers.")


def connect(url: str, *, writing: bool, create: bool = False) -> RDBStorage:
    """Connect Optuna to a database; `writing` adds heartbeats and SQLite's immediate lock."""
    tolerate_lost_values()
    path = sqlite_path(url)
    with warnings.catch_warnings():
        # Heartbeats are marked experimental since Optuna 2.9.
        warnings.simplefilter("ignore", ExperimentalWarning)
        storage = ThoroughStorage(
            url,
            engine_kwargs={"pool_pre_ping": True} if path is None else _sqlite_options(path, writing=writing),
            heartbeat_interval=HEARTBEAT_SECONDS if writing else None,
            grace_period=HEARTBEAT_GRACE_SECONDS if writing else None,
            skip_table_creation=not create,
        )
    if path is not None:
        _tune_sqlite(storage.engine, writing=writing)
    return storage


def look(url: str) -> sqlalchemy.Engine:
    """Return an engine to look into a database that may hold anything, without changing it."""
    path = sqlite_path(url)
    options = {} if path is None else _sqlite_options(path, writing=False)
    return sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool, **options)


def require_writable(url: str) -> None:
    """Refuse an SQLite file that cannot be written, or whose folder cannot, where its log has to lie.

    Raises:
        StorageError: It can only be read.
    """
    path = sqlite_path(url)
    if path is not None and path.exists() and not is_writable(url):
        raise StorageError(
            f"{path} can only be read: you may not write the file or its folder. Make both writable, or copy it and "
            "its folder of artifacts elsewhere."
        )


def is_writable(url: str) -> bool:
    """Whether a database can be written as far as its file and folder tell; a server tells when it is asked."""
    path = sqlite_path(url)
    return path is None or _can_be_written(path)


def copy_database(path: Path, copy: Path) -> None:
    """Copy an SQLite database as it stands, its log included, without changing it."""
    source, target = _reader_of(path)(), sqlite3.connect(copy)
    try:
        source.backup(target)
    finally:
        target.close()
        source.close()


def _sqlite_options(path: Path, *, writing: bool) -> dict[str, Any]:
    if writing or _can_be_written(path):
        return {"connect_args": {"timeout": LOCK_TIMEOUT_SECONDS}}
    return {"creator": _reader_of(path)}


def _can_be_written(path: Path) -> bool:
    # SQLite makes its log beside the file.
    return os.access(path, os.W_OK) and os.access(path.parent, os.W_OK)


def _reader_of(path: Path) -> Callable[[], sqlite3.Connection]:
    """Return how to open a file without ever writing to it or beside it."""
    log, index = (path.with_name(f"{path.name}{suffix}") for suffix in ("-wal", "-shm"))
    has_log = log.exists() and log.stat().st_size > 0
    # SQLite would make the index of the log, which copies and backups may lack, unless nobody else is let in; the lock
    # itself would need writing.
    has_log_alone = has_log and not index.exists()
    mode = "mode=ro&vfs=unix-none" if has_log_alone else "mode=ro" if log.exists() and index.exists() else "immutable=1"

    def open_file() -> sqlite3.Connection:
        address = f"{path.as_uri()}?{mode}"
        connection = sqlite3.connect(address, uri=True, timeout=LOCK_TIMEOUT_SECONDS, check_same_thread=False)
        if has_log_alone:
            connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        return connection

    return open_file


def _tune_sqlite(engine: sqlalchemy.Engine, *, writing: bool) -> None:
    """Have every connection use the write-ahead log and, if it is to write, take the write lock with a transaction."""

    def on_connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute(f"PRAGMA busy_timeout = {LOCK_TIMEOUT_SECONDS * 1000}")
        if writing:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")

    def on_begin(connection: sqlalchemy.Connection) -> None:
        connection.exec_driver_sql("BEGIN IMMEDIATE" if writing else "BEGIN")

    sqlalchemy.event.listen(engine, "connect", on_connect)
    sqlalchemy.event.listen(engine, "begin", on_begin)
    engine.dispose()
