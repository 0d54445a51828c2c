"""Files in the folder of artifacts that no study names; they are put aside, never deleted, and found there again."""

import re
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Final

import sqlalchemy

from studies.checking.finding import Finding
from studies.storage.addresses import artifact_folder, sqlite_path
from studies.storage.connections import look
from studies.storage.database_errors import storage_errors
from studies.storage.optuna_internals import (
    STUDY_ATTRIBUTES,
    STUDY_SYSTEM_ATTRIBUTES,
    TRIAL_ATTRIBUTES,
    TRIAL_SYSTEM_ATTRIBUTES,
)
from studies.storage.study_storage import StudyStorage

YOUNG_SECONDS: Final = 600
"""A file younger than this may be on its way to its study: a file is noted or named within seconds of its writing."""

UNFINISHED_SECONDS: Final = 24 * 3600
"""A half-written file younger than this may be that of a writer that sleeps, or whose file server has another clock."""

ARTIFACT_NAME: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_UNFINISHED: Final = re.compile(r"\.writing-[0-9a-f]{32}.*")
_SQLITE_HEADER: Final = b"SQLite format 3\0"


def aside_folder(storage: StudyStorage) -> Path:
    """Return where files are put that were taken out of a storage's folder of artifacts."""
    return storage.artifacts.path.with_name(f"{storage.artifacts.path.name}_aside")


def put_aside(storage: StudyStorage, name: str) -> None:
    """Take a file out of the folder of artifacts; nothing is lost."""
    folder = aside_folder(storage)
    folder.mkdir(exist_ok=True)
    (storage.artifacts.path / name).replace(folder / name)


def find_stray_files(storage: StudyStorage) -> list[Finding]:
    """Return what lies in the folder of artifacts and is no study's; files that may still be written are left out.

    Raises:
        StorageError: The database, or one beside it that has the same folder, cannot be read.
    """
    findings = []
    can_move = sqlite_path(storage.url) is not None and not storage.artifacts.path.is_symlink()
    orphans, unfinished = _orphans(storage), _unfinished(storage)
    if orphans:
        advice = f"They take {_megabytes(orphans)} MB. A repair moves them to {aside_folder(storage)}."
        if not can_move:
            advice = (
                f"They take {_megabytes(orphans)} MB. Another database may keep its files there too; if none does, "
                "delete them (`--json` lists them)."
            )
        findings.append(
            Finding(
                kind="orphaned files",
                study=None,
                text=f"{_counted(len(orphans))} in {storage.artifacts.path} that no study names",
                advice=advice,
                files=tuple(path.name for path in orphans),
                mend=(lambda: _move_orphans(storage)) if can_move else None,
            )
        )
    if unfinished:
        findings.append(
            Finding(
                kind="unfinished files",
                study=None,
                text=f"{_counted(len(unfinished))} in {storage.artifacts.path} whose writer was killed",
                advice="A repair deletes them; nothing reads them.",
                files=tuple(path.name for path in unfinished),
                mend=lambda: _delete_unfinished(storage),
            )
        )
    return findings


def _move_orphans(storage: StudyStorage) -> str:
    with storage.exclusive():
        orphans = _orphans(storage)
        for path in orphans:
            put_aside(storage, path.name)
    return f"moved {_counted(len(orphans))} to {aside_folder(storage)}: delete that folder when nothing is missed"


def _delete_unfinished(storage: StudyStorage) -> str:
    unfinished = _unfinished(storage)
    for path in unfinished:
        path.unlink(missing_ok=True)
    return f"deleted {_counted(len(unfinished))}"


def _orphans(storage: StudyStorage) -> list[Path]:
    # Listed before the names are read: whatever is named by then is named in time.
    present = [path for path in _old_files(storage) if ARTIFACT_NAME.fullmatch(path.name)]
    if not present:
        return []
    named = _named_in(storage.read_engine)
    for path in _databases_beside(storage):
        with storage_errors(_url_of(path)):
            named |= _named_in(look(_url_of(path)))
    return [path for path in present if path.name not in named]


def _unfinished(storage: StudyStorage) -> list[Path]:
    old = _old_files(storage, seconds=UNFINISHED_SECONDS)
    return [path for path in old if _UNFINISHED.fullmatch(path.name)]


def _old_files(storage: StudyStorage, *, seconds: float = YOUNG_SECONDS) -> list[Path]:
    folder = storage.artifacts.path
    return sorted(path for path in folder.iterdir() if _is_old(path, seconds)) if folder.is_dir() else []


def _is_old(path: Path, seconds: float) -> bool:
    try:
        known = path.stat()
    except FileNotFoundError:
        return False
    # A second name of an old file (`Artifacts.link`) moves only the time of its change.
    return path.is_file() and time.time() - max(known.st_mtime, known.st_ctime) > seconds


def _databases_beside(storage: StudyStorage) -> list[Path]:
    """SQLite files whose artifacts lie in the same folder: "a.db" and "a.sqlite" share one."""
    own, folder = sqlite_path(storage.url), storage.artifacts.path
    files = [path for path in folder.parent.iterdir() if path.is_file() and path != own]
    return [path for path in files if artifact_folder(_url_of(path)) == folder and _is_database(path)]


def _url_of(path: Path) -> str:
    return sqlalchemy.URL.create("sqlite", database=str(path)).render_as_string()


def _is_database(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(len(_SQLITE_HEADER)) == _SQLITE_HEADER


def _named_in(engine: sqlalchemy.Engine) -> set[str]:
    """Every artifact id that stands anywhere in what studies and trials carry, notes of people included."""
    tables = (STUDY_ATTRIBUTES, STUDY_SYSTEM_ATTRIBUTES, TRIAL_ATTRIBUTES, TRIAL_SYSTEM_ATTRIBUTES)
    present = set(sqlalchemy.inspect(engine).get_table_names())
    named: set[str] = set()
    with engine.connect() as connection:
        for table in tables:
            if table.name in present:
                for value in connection.execute(sqlalchemy.select(table.c.value_json)).scalars():
                    named.update(ARTIFACT_NAME.findall(value or ""))
    return named


def _megabytes(paths: Iterable[Path]) -> int:
    return -(-sum(path.stat().st_size for path in paths) // 2**20)


def _counted(count: int) -> str:
    return f"{count} file{'' if count == 1 else 's'}"
