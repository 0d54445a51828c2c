import errno
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager

import filelock
import pytest
import sqlalchemy
from optuna.exceptions import StorageInternalError

from studies.errors import StorageError
from studies.storage.database_errors import storage_error, storage_errors

URL = "postgresql+psycopg://ann:sesame@host/db"


@contextmanager
def explained() -> Iterator[None]:
    with pytest.raises(StorageError) as caught, storage_errors(URL):
        yield
    assert "sesame" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_reason_below_optunas_error_is_told() -> None:
    below = sqlalchemy.exc.OperationalError("INSERT", {}, Exception("database or disk is full"))
    above = StorageInternalError("An exception is raised during the commit.")
    above.__cause__ = below
    assert str(storage_error("sqlite:////data/a.db", above)) == (
        "Cannot use /data/a.db: database or disk is full. Free some space and run the same command again; finished "
        "trials are kept."
    )


def test_password_in_the_reason_is_hidden() -> None:
    error = sqlalchemy.exc.OperationalError("", {}, Exception('password "sesame" of ann is wrong\nsecond line'))
    assert 'password "***" of ann is wrong.' in str(storage_error(URL, error))


@pytest.mark.parametrize(
    "error",
    [
        filelock.Timeout("studies.db.lock"),
        ModuleNotFoundError("No module named 'psycopg'"),
        RuntimeError("The runtime optuna version is no longer compatible with the table schema"),
        OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)),
        sqlalchemy.exc.ArgumentError("cannot parse ann:sesame@host"),
    ],
)
def test_every_failure_is_explained_in_one_line(error: Exception) -> None:
    with explained():
        raise error


def test_other_errors_pass() -> None:
    with pytest.raises(RuntimeError, match="a bug"), storage_errors(URL):
        raise RuntimeError("a bug")
    with pytest.raises(json.JSONDecodeError), storage_errors(URL):
        json.loads("{a file, not a table")
    with pytest.raises(StorageError, match="as it is"), storage_errors(URL):
        raise StorageError("as it is")
