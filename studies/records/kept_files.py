"""Files that are kept with a study under a name of their own: keeping one, and whether it is still whole."""

import optuna

from groundwork.file_hashes import sha256_of
from studies.errors import StudyError
from studies.records.study_record import StudyRecord, kept_file_name
from studies.storage.study_storage import StudyStorage


def keep_study_file(storage: StudyStorage, study: optuna.Study, key: str, content: bytes) -> None:
    """Keep a file with a study, in place of what a process that was killed left of another one.

    Args:
        storage: Opened for writing, its lock held.
        study: The study.
        key: Attribute that gets the artifact's id, one of those in `StudyRecord.artifacts`.
        content: Of the file.

    Raises:
        StorageError: The folder of artifacts cannot be written.
    """
    known = StudyRecord.parse(study.user_attrs).artifacts.get(key)
    if known is None:
        study.set_user_attr(key, storage.artifacts.upload_bytes(content, study, file_name=kept_file_name(key)))
    else:
        storage.artifacts.write(known, content)


def is_whole(storage: StudyStorage, artifact: str, *, sha256: str) -> bool:
    """Return whether a file is there as it was kept."""
    return storage.artifacts.has(artifact) and sha256_of(storage.artifacts.path_of(artifact)) == sha256


def require_whole(storage: StudyStorage, artifact: str | None, *, sha256: str, called: str, advice: str) -> str:
    """Return the id of a file that is there as it was kept.

    Args:
        storage: Where the study lives.
        artifact: The file; None where it was gone before it could be copied.
        sha256: Content hash that it was kept with.
        called: What messages call it, as a sentence begins with it.
        advice: What else to do than put the folder back, as a sentence goes on after "or".

    Raises:
        StudyError: It is gone or damaged.
    """
    if artifact is not None and is_whole(storage, artifact, sha256=sha256):
        return artifact
    is_there = artifact is not None and storage.artifacts.has(artifact)
    what = "is damaged in" if is_there else "is gone from"
    raise StudyError(f"{called} {what} {storage.artifacts.name}. Put it back, or {advice}")
