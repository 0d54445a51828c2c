"""Copies of the scout that a study keeps, as files of their own, and back; loads no network."""

import shlex
from collections.abc import Sequence
from pathlib import Path

from groundwork.errors import OutputError
from groundwork.file_hashes import sha256_of
from groundwork.whole_files import write_whole
from studies.errors import StudyError
from studies.records.kept_files import is_whole, require_whole
from studies.records.study_record import StudyRecord
from studies.storage.study_storage import StudyStorage
from tuner.checkpointed.network_files import NetworkFiles
from tuner.scouting.scout_files import ScoutRecord


def check_kept_scout(storage: StudyStorage, name: str, files: NetworkFiles, *, kept: Sequence[Path] = ()) -> None:
    """Make sure, before anything is written, that a study's scout is there and may be copied to some files.

    Args:
        storage: Where the study lives.
        name: The study.
        files: Where it shall go.
        kept: Files that it must not take the place of.

    Raises:
        StudyError: There is no such study, it has no scout, or the scout's files are gone or damaged.
        OutputError: Another scout or some other file is in the way, or they cannot be written.
    """
    network, _ = _kept_scout_ids(storage, name)
    files.check(kept=kept)
    there = files.read()
    if there is not None and there["network_sha256"] != sha256_of(storage.artifacts.path_of(network)):
        raise OutputError(
            f"{files.called} {files.network} is another scout than study {name!r} has. Choose another name, or move it "
            "away."
        )


def write_kept_scout(storage: StudyStorage, name: str, files: NetworkFiles) -> None:
    """Copy a study's scout and the record of its training.

    Args:
        storage: Where the study lives.
        name: The study.
        files: Where they go; what is there is replaced.

    Raises:
        StudyError: There is no such study, it has no scout, or the scout's files are gone or damaged.
        OutputError: They cannot be written.
    """
    network, record = (storage.artifacts.read(artifact) for artifact in _kept_scout_ids(storage, name))
    try:
        # First, as `NetworkFiles.save` has it: a network without its record could not be told from a foreign one.
        write_whole(files.record, record)
        write_whole(files.network, network)
    except OSError as error:
        raise OutputError(
            f"The scout {files.network} cannot be written: {error.strerror or error}. Choose another place."
        ) from error


def restore_kept_scout(storage: StudyStorage, name: str, given: ScoutRecord | None) -> None:
    """Put back those of the files of a study's scout that are gone or damaged.

    Args:
        storage: Opened for writing.
        name: A study that has a scout.
        given: The same scout, from elsewhere; None if there is no such file.

    Raises:
        StudyError: They are gone or damaged, and the scout is not given.
        StorageError: The folder of artifacts cannot be written.
    """
    if given is not None:
        record = StudyRecord.parse(storage.read_study(name).user_attrs)
        files = NetworkFiles(given.path)
        for artifact, path in ((record.scout_record, files.record), (record.scout_network, files.network)):
            if artifact is not None and not is_whole(storage, artifact, sha256=sha256_of(path)):
                storage.artifacts.write(artifact, path.read_bytes())
    _kept_scout_ids(storage, name)


def _kept_scout_ids(storage: StudyStorage, name: str) -> tuple[str, str]:
    """Return the artifact ids of a study's scout and of its record, both of which are there."""
    record = StudyRecord.parse(storage.read_study(name).user_attrs)
    if record.scout is None or record.scout_network is None or record.scout_record is None:
        raise StudyError(
            f"Study {name!r} has no scout: its trials start from something else, or it has not got so far."
        )
    network = require_whole(
        storage,
        record.scout_network if storage.artifacts.has(record.scout_record) else None,
        sha256=record.scout.sha256,
        called=f"The scout of study {name!r}",
        advice=f"run the study with the scout itself: --name {shlex.quote(name)} --scout-file FILE",
    )
    return network, record.scout_record
