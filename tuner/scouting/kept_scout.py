"""The scout that a study keeps: giving it to the study, and loading it."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

import optuna
from optuna.samplers import RandomSampler

from groundwork.file_hashes import sha256_of
from studies.records import attributes
from studies.records.exported_config import SCOUT_FIELD
from studies.records.study_record import StudyRecord
from studies.records.study_scout import StudyScout, foretold_attribute
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage
from tuner.checkpointed.network_files import NetworkFiles
from tuner.scouting.scout import Scout, load_scout
from tuner.scouting.scout_copies import write_kept_scout
from tuner.scouting.scout_files import COMMAND
from tuner.scouting.sweeping import Foretold
from tuner.search.space import parameters_of
from tuner.search.stored_config import stored_config

_NAME: Final = "scout.keras"


def keep_scout(
    storage: StudyStorage,
    study_uuid: str,
    files: NetworkFiles,
    *,
    suggestions: Sequence[Foretold],
    num_judged: int,
    sheet: bytes,
) -> None:
    """Give a study its scout, and enqueue what that suggests; if it has got one meanwhile, nothing is done.

    Done again after a kill it changes nothing that is there.

    Args:
        storage: Opened for writing.
        study_uuid: The study.
        files: Of the trained scout.
        suggestions: Settings to try, best first.
        num_judged: Settings among which they are the best.
        sheet: The scout's sheet, a PNG file's bytes.

    Raises:
        StudyError: The study was deleted.
        StorageError: The database or the folder of artifacts cannot be written.
    """
    images = int((files.read() or {})["images"])
    with storage.exclusive(), storage_errors(storage.url):
        study = storage.load_by_uuid(study_uuid, sampler=RandomSampler())
        record = StudyRecord.parse(study.user_attrs)
        if record.scout is not None:
            return
        kept = (
            (attributes.SCOUT_NETWORK, record.scout_network, _NAME, files.network.read_bytes()),
            (
                attributes.SCOUT_RECORD,
                record.scout_record,
                NetworkFiles(Path(_NAME)).record.name,
                files.record.read_bytes(),
            ),
            (attributes.SCOUT_SHEET, record.scout_sheet, "scout.png", sheet),
        )
        for key, known, name, content in kept:
            if known is None:
                study.set_user_attr(key, storage.artifacts.upload_bytes(content, study, file_name=name))
        _enqueue(study, suggestions)
        sha256 = sha256_of(files.network)
        scout = StudyScout(images=images, sha256=sha256, num_judged=num_judged, num_suggested=len(suggestions))
        study.set_user_attr(attributes.IDENTITY, {**record.identity, SCOUT_FIELD: sha256})
        # Last: it says that all the rest is there.
        study.set_user_attr(attributes.SCOUT, scout.to_attribute())


def load_kept_scout(storage: StudyStorage, study_uuid: str) -> Scout:
    """Load the scout that a study keeps.

    Raises:
        StudyError: The study was deleted, or has no scout.
        StorageError: The scout's files are gone.
        ScoutError: They are damaged.
    """
    with tempfile.TemporaryDirectory(prefix="styletuner-") as folder:
        path = Path(folder) / _NAME
        name = storage.read_by_uuid(study_uuid).study_name
        write_kept_scout(storage, name, NetworkFiles(path, command=COMMAND))
        return replace(load_scout(path), name=f"of study {name!r}")


def _enqueue(study: optuna.Study, suggestions: Sequence[Foretold]) -> None:
    """Enqueue those that a process that was killed has not enqueued yet."""
    search = stored_config(study).search
    known = [trial.user_attrs for trial in study.get_trials(deepcopy=False)]
    num_known = sum(attributes.FORETOLD in attrs and attributes.RETRY_OF not in attrs for attrs in known)
    for suggestion in suggestions[num_known:]:
        quality = suggestion.quality
        foretold = foretold_attribute(quality=quality.quality, standard_error=quality.standard_error)
        study.enqueue_trial(
            parameters_of(suggestion.values.loss_weights(), search), user_attrs={attributes.FORETOLD: dict(foretold)}
        )
