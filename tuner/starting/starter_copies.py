"""The starter that a study keeps, and copies of it as files of their own; loads no network."""

from pathlib import Path
from typing import Final

from groundwork.errors import OutputError
from groundwork.file_hashes import sha256_of
from groundwork.output_files import check_output
from groundwork.whole_files import write_whole
from studies.errors import StudyError
from studies.records.kept_files import require_whole
from studies.records.study_record import StudyRecord
from studies.storage.study_storage import StudyStorage
from tuner.checkpointed.network_files import SUFFIX

_OPTION: Final = "`--starter`"


def check_starter_copy(storage: StudyStorage, name: str, path: Path, *, kept: tuple[Path, ...] = ()) -> None:
    """Make sure, before anything is written, that a study's starter is there and may be copied to a file.

    Args:
        storage: Where the study lives.
        name: The study.
        path: Where it shall go; the same starter may be there already.
        kept: Files that it must not take the place of.

    Raises:
        StudyError: There is no such study, it has no starter, or the starter's file is gone or damaged.
        OutputError: Something else is in the way, or it cannot be written.
    """
    own = sha256_of(_starter_of(storage, name))
    check_output(path, called=_OPTION, suffixes=(SUFFIX,), is_ours=lambda there: sha256_of(there) == own, kept=kept)


def copy_starter(storage: StudyStorage, name: str, path: Path) -> None:
    """Copy a study's starter.

    Raises:
        StudyError: As `check_starter_copy`.
        OutputError: It cannot be written.
    """
    starter = _starter_of(storage, name)
    try:
        write_whole(path, starter.read_bytes())
    except OSError as error:
        raise OutputError(
            f"{_OPTION} {path} cannot be written: {error.strerror or error}. Choose another place."
        ) from error


def kept_starter(storage: StudyStorage, name: str, record: StudyRecord) -> Path | None:
    """Return where a study keeps its starter; None while it has none.

    Args:
        storage: Where the study lives.
        name: What the study is called, for messages.
        record: What it says of itself.

    Raises:
        StudyError: The starter's file is gone or damaged.
    """
    if record.starter is None:
        return None
    artifact = require_whole(
        storage,
        record.starter_network,
        sha256=record.starter.sha256,
        called=f"The starter of study {name!r}",
        advice="start another study with --new.",
    )
    return storage.artifacts.path_of(artifact)


def _starter_of(storage: StudyStorage, name: str) -> Path:
    path = kept_starter(storage, name, StudyRecord.parse(storage.read_study(name).user_attrs))
    if path is None:
        raise StudyError(
            f"Study {name!r} has no starter: its trials start from something else, or it has not got so far."
        )
    return path
