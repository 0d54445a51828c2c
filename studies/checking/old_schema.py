"""Tables of an earlier version, Optuna's or ours: found without changing them, upgraded by a repair."""

import functools
import itertools
from pathlib import Path

from groundwork.whole_files import written_whole
from studies.checking.finding import Finding
from studies.errors import StorageError
from studies.storage.addresses import shown, sqlite_path
from studies.storage.connections import copy_database, look, require_writable
from studies.storage.database_errors import storage_errors
from studies.storage.exclusive_section import exclusive_section
from studies.storage.optuna_internals import optuna_schema_of, optuna_schemas, upgrade_optuna_schema
from studies.storage.schema import newest_version, require_known, version_of
from studies.storage.study_storage import StudyStorage


def find_old_schema(url: str) -> list[Finding]:
    """Return which tables of a database are of an earlier version, Optuna's before ours.

    Raises:
        StorageError: It cannot be read, holds no studies of ours, or a later version wrote it.
    """
    with storage_errors(url), look(url).connect() as connection:
        ours, optunas = version_of(connection), optuna_schema_of(connection)
    if ours is None:
        raise StorageError(
            f"{shown(url)} holds no studies of styletuner. Start one there with `styletuner study run`, or name "
            "another."
        )
    require_known(url, ours)
    known = optuna_schemas()
    if optunas is not None and optunas not in known:
        raise StorageError(
            f"{shown(url)} was written by a later Optuna: its tables have version {optunas}, and the installed one "
            f"knows versions up to {known[0]}. Update Optuna."
        )
    found = []
    if optunas is not None and optunas != known[0]:
        text = f"Optuna's tables have version {optunas}; the installed Optuna reads {known[0]}"
        advice = (
            "Nothing can be read before they are upgraded; stop every run of its studies first. A repair copies an "
            "SQLite file before."
        )
        mend = functools.partial(_upgrade_optunas, url, optunas)
        found.append(Finding(kind="old schema", study=None, text=text, advice=advice, mend=mend))
    if ours != newest_version():
        text = f"styletuner's tables have version {ours}; this one writes {newest_version()}"
        advice = "Whatever writes to the storage upgrades them."
        found.append(Finding(kind="old schema", study=None, text=text, advice=advice, mend=lambda: _upgrade_ours(url)))
    return found


def _upgrade_optunas(url: str, version: str) -> str:
    with storage_errors(url):
        require_writable(url)
        with exclusive_section(url):
            path = sqlite_path(url)
            copy = None if path is None else _keep_copy(path, version)
            upgrade_optuna_schema(url)
    told = "" if copy is None else f"; the file as it was is {copy}"
    return f"upgraded Optuna's tables to version {optuna_schemas()[0]}{told}"


def _keep_copy(path: Path, version: str) -> Path:
    names = (f"{path.name}.optuna-{version}{f'-{number}' if number else ''}" for number in itertools.count())
    copy = next(free for name in names if not (free := path.with_name(name)).exists())
    with written_whole(copy) as temporary:
        copy_database(path, temporary)
    return copy


def _upgrade_ours(url: str) -> str:
    StudyStorage.open(url, notify=lambda _: None).close()
    return f"upgraded styletuner's tables to version {newest_version()}"
