"""One process at a time: a lock on a file beside SQLite, an advisory lock in PostgreSQL; neither outlives it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import filelock
import sqlalchemy

from studies.storage.addresses import require_folder, sqlite_path
from studies.storage.database_errors import LOCK_TIMEOUT_SECONDS


@contextmanager
def exclusive_section(url: str) -> Iterator[None]:
    """Let one process at a time into a section that needs several transactions; ends with its process."""
    path = sqlite_path(url)
    if path is not None:
        require_folder(path)
        with filelock.FileLock(path.with_name(f"{path.name}.lock"), timeout=LOCK_TIMEOUT_SECONDS):
            yield
        return
    engine = sqlalchemy.create_engine(url, poolclass=sqlalchemy.pool.NullPool)
    key = int.from_bytes(hashlib.sha256(b"styletuner").digest()[:8], "big", signed=True)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT_SECONDS}s'"))
        connection.execute(sqlalchemy.select(sqlalchemy.func.pg_advisory_xact_lock(key)))
        yield
