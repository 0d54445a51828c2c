"""Copies of the starter that a study keeps, as files of their own; loads no network."""

from pathlib import Path
from typing import Final

from groundwork.errors import OutputError
from groundwork.file_hashes import sha256_of
from groundwork.output_files import check_output
from groundwork.whole_files import write_whole
from studies.errors import StudyError
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
    starter = kept_starter(storage, name)
    check_output(
        path,
        called=_OPTION,
        suffixes=(SUFFIX,),
        is_ours=lambda there: sha256_of(there) == sha256_of(starter),
        kept=kept,
    )


def copy_starter(storage: StudyStorage, name: str, path: Path) -> None:
    """Copy a study's starter.

    Raises:
        StudyError: As `check_starter_copy`.
        OutputError: It cannot be written.
    """
    try:
        write_whole(path, kept_starter(storage, name).read_bytes())
    except OSError as error:
        raise OutputError(f"{_OPTION} {path} cannot be written: {error.strerror or error}.") from error


def kept_starter(storage: StudyStorage, name: str) -> Path:
    """Return where a study keeps its starter.

    Raises:
        StudyError: There is no such study, it has no starter, or the starter's file is gone or damaged.
    """
    record = StudyRecord.parse(storage.read_study(name).user_attrs)
    if record.starter is None or record.starter_network is None:
        raise StudyError(
            f"Study {name!r} has no starter: its trials start from something else, or it has not got so far."
        )
    is_there = storage.artifacts.has(record.starter_network)
    if not is_there or sha256_of(storage.artifacts.path_of(record.starter_network)) != record.starter.sha256:
        what = "is damaged in" if is_there else "is gone from"
        raise StudyError(
            f"The starter of study {name!r} {what} {storage.artifacts.path}. Put that folder back, or start another "
            "study with --new."
        )
    return storage.artifacts.path_of(record.starter_network)
