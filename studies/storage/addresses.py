"""Addresses of study databases: what a user writes, what SQLAlchemy takes, and what may be shown."""

import os
import re
from pathlib import Path

import sqlalchemy
from sqlalchemy.exc import ArgumentError

from studies.errors import StorageError

DEFAULT_STORAGE = "styletuner.db"
_SERVER = re.compile(r"\s*postgres\w*(\+\w+)?:", re.IGNORECASE)
"""Begins what is meant for a server, slashes or not."""

_HOST_ALONE = re.compile(r"(\[[^\]]*\]|[^:/?]*)(:\d{0,5})?([/?].*)?", re.DOTALL)
"""Host, port and the rest of a URL in which nobody is named: whatever else follows a colon may be a password."""

ARTIFACTS_VARIABLE = "STYLETUNER_ARTIFACTS"


def parse_storage(text: str) -> str:
    """Turn what a user writes into an SQLAlchemy URL.

    Args:
        text: A file path such as "styletuner.db", "sqlite:///FILE", or "postgresql://USER:PASSWORD@HOST/DATABASE".

    Returns:
        The URL, with a resolved path for SQLite and the psycopg driver for PostgreSQL, whichever is named. It may hold
        a password: hand it to other processes through the environment and show only `redact(url)`.

    Raises:
        StorageError: If it is neither.
    """
    if "://" not in text:
        if _SERVER.match(text) or "password=" in text.lower():
            # No file: its name would show a password.
            raise _unusable(text)
        return _sqlite_url(text)
    if text.count("@") > 1 and not text.startswith("sqlite"):
        # Where the password ends cannot be told, and half of it would be taken for the host, which messages name.
        raise StorageError(
            f"`storage` must have no more than one @. Received {redact(text)!r}. Write an @ in a password as %40."
        )
    if "password=" in text.partition("?")[2].lower():
        # An & in it would be taken for another setting, which messages name.
        raise StorageError(
            f"`storage` must name its password before the @. Received {redact(text)!r}. Write USER:PASSWORD@HOST, or "
            "set PGPASSWORD."
        )
    try:
        url = sqlalchemy.make_url(text)
    except (ArgumentError, ValueError):
        raise _unusable(text) from None
    if url.drivername.startswith("sqlite") and not url.query:
        return _sqlite_url(url.database or "")
    if url.drivername.partition("+")[0] in {"postgresql", "postgres"}:
        return url.set(drivername="postgresql+psycopg").render_as_string(hide_password=False)
    raise _unusable(text)


def redact(text: str) -> str:
    """A storage URL without its password, fit to be shown; a plain path stays as it is."""
    # To the end: an & in a password looks like the next setting.
    text = re.sub(r"password=.*", "password=***", text, flags=re.IGNORECASE | re.DOTALL)
    scheme, mark, rest = text.partition("://")
    if (not mark or ":" in scheme) and _SERVER.match(text):
        scheme, mark, rest = text.partition(":")
    if not mark:
        return text
    user, has_user, host = rest.rpartition("@")
    if has_user:
        name, has_password, _ = user.partition(":")
        rest = f"{name}:***@{host}" if has_password else rest
    elif not _HOST_ALONE.fullmatch(rest):
        rest = f"{rest.partition(':')[0]}:***"
    return f"{scheme}{mark}{rest}"


def _unusable(text: str) -> StorageError:
    return StorageError(
        f"`storage` must be a file path, sqlite:///FILE or postgresql://USER:PASSWORD@HOST/DATABASE. "
        f"Received {redact(text)!r}. Name one of these."
    )


def _sqlite_url(path: str) -> str:
    if not path.strip() or ":memory:" in path:
        raise _unusable(path or "sqlite://")
    return sqlalchemy.URL.create("sqlite", database=str(_absolute(path))).render_as_string()


def _absolute(path: str) -> Path:
    return Path(path).expanduser().resolve()


def sqlite_path(url: str) -> Path | None:
    """The file behind a URL of `parse_storage`; None for PostgreSQL."""
    parsed = sqlalchemy.make_url(url)
    return Path(parsed.database) if parsed.drivername == "sqlite" and parsed.database else None


def shown(url: str) -> str:
    """A storage as it may be shown: a path for SQLite, a URL without password for PostgreSQL."""
    path = sqlite_path(url)
    return redact(url) if path is None else str(path)


def require_file(url: str) -> None:
    """Raise StorageError if the URL names an SQLite file that does not exist."""
    path = sqlite_path(url)
    if path is not None and not path.is_file():
        raise StorageError(
            f"There is no study database at {path}. Start a study with `styletuner study run`, or name another."
        )


def require_folder(path: Path) -> None:
    """Raise StorageError if the folder that an SQLite file is to lie in does not exist."""
    if not path.parent.is_dir():
        raise StorageError(f"Cannot make {path}: its folder does not exist. Make the folder or name another file.")


def storage_files(url: str) -> tuple[Path, ...]:
    """Files and folders on this machine that hold a storage's studies: no output may take their place."""
    path = sqlite_path(url)
    endings = ("", "-wal", "-shm", "-journal", ".lock")
    database = () if path is None else tuple(path.with_name(path.name + ending) for ending in endings)
    folder = artifact_folder(url)
    return database if folder is None else (*database, folder)


def artifact_folder(url: str) -> Path | None:
    """Where a storage keeps its artifacts: beside an SQLite file, else what `STYLETUNER_ARTIFACTS` says.

    Returns:
        The folder; None if it is a bucket, see `artifact_address`.
    """
    path = sqlite_path(url)
    if path is not None:
        return path.with_name(f"{path.stem}_artifacts")
    address = artifact_address()
    return None if is_bucket(address) else _absolute(address)


def artifact_address() -> str:
    """Where a server's database keeps its artifacts: what `STYLETUNER_ARTIFACTS` says, a folder or a bucket."""
    return os.environ.get(ARTIFACTS_VARIABLE) or "styletuner_artifacts"


def is_bucket(address: str) -> bool:
    """Whether the address of artifacts is meant for a bucket, not for a folder."""
    return "://" in address or address.startswith(("s3:", "gs:"))
