"""Failures of the database, told to a user in a line or two."""

import json
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final
from urllib.parse import quote_plus

import filelock
import sqlalchemy
from optuna.exceptions import StorageInternalError
from sqlalchemy.exc import DBAPIError, SQLAlchemyError

from studies.errors import StorageError
from studies.storage.addresses import redact, shown

LOCK_TIMEOUT_SECONDS = 60
"""How long to wait for another process's write, which takes milliseconds: generous for a loaded machine."""

_LONGEST_VALUE: Final = 60  # characters of a stored text in a message
_READERS: Final = (
    "optuna.storages",
    "sqlalchemy",
    "studies.storage.study_identity",
    "studies.storage.migrations",
    "studies.claims.trial_states",
)  # who decodes the JSON of a table


@contextmanager
def storage_errors(url: str) -> Iterator[None]:
    """Turn failures of the database below Optuna or SQLAlchemy into StorageError, without passwords.

    Raises:
        StorageError: Instead of them; says what to do.
    """
    try:
        yield
    except (SQLAlchemyError, StorageInternalError) as error:
        raise storage_error(url, error) from error
    except filelock.Timeout as error:
        raise StorageError(
            f"{shown(url)} has been locked for {LOCK_TIMEOUT_SECONDS} s by another process. Stop it and try again."
        ) from error
    except ImportError as error:
        raise StorageError(
            f"Cannot open {shown(url)}: its driver is not installed. Install it with "
            "`pip install 'styletuner[postgresql]'`, which brings psycopg (version 3)."
        ) from error
    except json.JSONDecodeError as error:
        if not _is_of_a_table(error):
            raise
        received = repr(error.doc[:_LONGEST_VALUE])
        raise StorageError(
            f"Cannot use {shown(url)}: an attribute in its tables is no JSON. Received {received}.\n"
            "Restore a copy of the database, or correct that text in column value_json of the table that holds it."
        ) from error
    except RuntimeError as error:
        if "storage upgrade" not in str(error) and "schema" not in str(error):
            raise
        raise StorageError(
            f"{shown(url)} was written by another version of Optuna. Look at it with `styletuner study check --storage "
            "URL`, which says what to do."
        ) from error
    except StorageError:
        raise
    except OSError as error:
        raise StorageError(f"Cannot use {shown(url)}: {error.strerror or error}. Mend it or name another.") from error


def _is_of_a_table(error: json.JSONDecodeError) -> bool:
    """Whether it came up where a table was read: a worker reads files too below `storage_errors`."""
    modules = (frame.f_globals.get("__name__", "") for frame, _ in traceback.walk_tb(error.__traceback__))
    return any(module.startswith(_READERS) for module in modules)


def storage_error(url: str, error: BaseException) -> StorageError:
    """Explain a failure of the database in one or two lines, without passwords."""
    reason = _reason(url, error)
    for symptom, advice in _ADVICE:
        if symptom in reason:
            return StorageError(f"Cannot use {shown(url)}: {reason}. {advice}")
    return StorageError(f"Cannot use {shown(url)}: {reason}. Check the address and that you may write there.")


_ADVICE = (
    ("disk is full", "Free some space and run the same command again; finished trials are kept."),
    ("disk I/O error", "Free some space and run the same command again; finished trials are kept."),
    ("No space left", "Free some space and run the same command again; finished trials are kept."),
    ("unable to open database file", "Check that its folder exists and that you may write there."),
    ("not a database", "Name another file; this one holds something else."),
    ("malformed", "Restore a copy of it, or start over with another file."),
    ("readonly", "Make the file and its folder writable, or name another."),
    ("read-only", "Make the file and its folder writable, or name another."),
    ("locked", "Another program holds it open; close that and run the same command again."),
    ("does not exist", "Make the database or correct its name."),
    ("authentication", "Correct the user or the password."),
    ("refused", "Start the server, or correct host and port."),
)


def _reason(url: str, error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, DBAPIError):
        cause = cause.__cause__
    text = str(cause.orig if cause is not None else error).strip() or type(error).__name__
    # The last line of a PostgreSQL error that tried several addresses is as good as the first.
    reason = text.splitlines()[0].rstrip(".")
    password = sqlalchemy.make_url(url).password
    for written in {password, quote_plus(password)} if password else ():
        reason = reason.replace(written, "***")
    return redact(reason)
