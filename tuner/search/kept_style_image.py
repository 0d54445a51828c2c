"""A study's style image as its trials saw it, known by the hash of its file."""

from pathlib import Path

import optuna

from groundwork.file_hashes import sha256_of
from studies.errors import StudyError
from studies.records.study_record import StudyRecord
from studies.storage.study_storage import StudyStorage


def kept_style_image(storage: StudyStorage, study: optuna.Study) -> Path:
    """Return the style image's file, the study's own copy or else the original.

    Raises:
        StudyError: Neither is there as it was.
    """
    record = StudyRecord.parse(study.user_attrs)
    kept = record.style_image
    paths = [storage.artifacts.path_of(kept)] if kept is not None and storage.artifacts.has(kept) else []
    paths += [Path(record.style_path)] if record.style_path is not None else []
    for path in paths:
        if path.is_file() and sha256_of(path) == record.identity.get("style_sha256"):
            return path
    places = " nor at ".join(filter(None, (storage.artifacts.name, record.style_path)))
    raise StudyError(f"The style image of study {study.study_name!r} is not, unchanged, at {places}. Put it back.")
