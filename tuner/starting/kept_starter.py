"""The starter that a study keeps: giving it to the study, and loading it."""

import shutil
import tempfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from optuna.samplers import RandomSampler

from groundwork.file_hashes import sha256_of
from studies.errors import StudyError
from studies.records import attributes
from studies.records.exported_config import STARTER_FIELD
from studies.records.kept_files import keep_study_file
from studies.records.study_record import StudyRecord, kept_file_name
from studies.records.study_starter import StudyStarter
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage
from tuner.checkpointed.saved_networks import read_network
from tuner.errors import NetworkFileError
from tuner.starting.starter_copies import kept_starter


def keep_starter(storage: StudyStorage, study_uuid: str, path: Path, *, images: int) -> None:
    """Give a study its starter, from which its trials then start; if it has got one meanwhile, nothing is done.

    Args:
        storage: Opened for writing.
        study_uuid: The study.
        path: The starter.
        images: It was trained on.

    Raises:
        StudyError: The study was deleted.
        StorageError: The database or the folder of artifacts cannot be written.
    """
    with storage.exclusive(), storage_errors(storage.url):
        study = storage.load_by_uuid(study_uuid, sampler=RandomSampler())
        record = StudyRecord.parse(study.user_attrs)
        if record.starter is not None:
            return
        keep_study_file(storage, study, attributes.STARTER_NETWORK, path.read_bytes())
        starter = StudyStarter(images=images, sha256=sha256_of(path))
        study.set_user_attr(attributes.IDENTITY, {**record.identity, STARTER_FIELD: starter.sha256})
        # Last: it says that all the rest is there.
        study.set_user_attr(attributes.STARTER, starter.to_attribute())


def load_kept_starter(storage: StudyStorage, study_uuid: str) -> list[NDArray[np.float32]]:
    """Return the weights of the starter that a study keeps.

    Raises:
        StudyError: The study was deleted, or has no starter, or the starter's file is gone or damaged.
        NetworkFileError: It is of another version.
    """
    study = storage.read_by_uuid(study_uuid)
    kept = kept_starter(storage, study.study_name, StudyRecord.parse(study.user_attrs))
    if kept is None:
        raise StudyError(f"Study {study.study_name!r} has not got its starter. Run it again.")
    with tempfile.TemporaryDirectory(prefix="styletuner-") as folder:
        # Keras goes by the suffix, and artifacts have none.
        named = shutil.copy(kept, Path(folder) / kept_file_name(attributes.STARTER_NETWORK))
        try:
            weights: list[NDArray[np.float32]] = read_network(Path(named)).get_weights()
        except NetworkFileError as error:
            raise NetworkFileError(
                f"The starter of study {study.study_name!r} cannot be read by this version. Go on in the one that "
                "began it, or start another study with --new."
            ) from error
    return weights
