"""The scout that a study keeps: giving it to the study, and loading it."""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import optuna
from optuna.samplers import RandomSampler

from studies.records import attributes
from studies.records.exported_config import SCOUT_FIELD
from studies.records.kept_files import keep_study_file
from studies.records.study_record import StudyRecord, kept_file_name
from studies.records.study_scout import ForetoldSetting, StudyScout
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage
from tuner.checkpointed.network_files import NetworkFiles
from tuner.scouting.scout import Scout, load_scout
from tuner.scouting.scout_copies import write_kept_scout
from tuner.scouting.scout_files import COMMAND, ScoutRecord
from tuner.scouting.sweeping import Foretold


def keep_scout(
    storage: StudyStorage,
    study_uuid: str,
    trained: ScoutRecord,
    *,
    foretold: Sequence[Foretold],
    num_suggested: int,
    sheet: bytes,
) -> None:
    """Give a study its scout, from which its trials then start; if it has got one meanwhile, nothing is done.

    What it suggests is chosen when trials begin, each by what came of the ones before: see `SuggestingSampler`. What a
    process that was killed left of another scout is replaced.

    Args:
        storage: Opened for writing.
        study_uuid: The study.
        trained: The scout.
        foretold: What it foretells of the settings that may be tried.
        num_suggested: How many of them shall be tried.
        sheet: The scout's sheet, a PNG file's bytes.

    Raises:
        StudyError: The study was deleted.
        StorageError: The database or the folder of artifacts cannot be written.
    """
    with storage.exclusive(), storage_errors(storage.url):
        study = storage.load_by_uuid(study_uuid, sampler=RandomSampler())
        record = StudyRecord.parse(study.user_attrs)
        if record.scout is not None:
            return
        _keep_files(storage, study, trained, sheet)
        study.set_user_attr(attributes.SCOUT_SWEEP, [_setting(one).to_attribute() for one in foretold])
        study.set_user_attr(attributes.IDENTITY, {**record.identity, SCOUT_FIELD: trained.network_sha256})
        scout = StudyScout(images=trained.images, sha256=trained.network_sha256, num_suggested=num_suggested)
        # Last: it says that all the rest is there.
        study.set_user_attr(attributes.SCOUT, scout.to_attribute())


def _keep_files(storage: StudyStorage, study: optuna.Study, trained: ScoutRecord, sheet: bytes) -> None:
    for key, content in (
        (attributes.SCOUT_NETWORK, trained.path.read_bytes()),
        (attributes.SCOUT_RECORD, NetworkFiles(trained.path).record.read_bytes()),
        (attributes.SCOUT_SHEET, sheet),
    ):
        keep_study_file(storage, study, key, content)


def load_kept_scout(storage: StudyStorage, study_uuid: str) -> Scout:
    """Load the scout that a study keeps.

    Raises:
        StudyError: The study was deleted, or has no scout, or the scout's files are gone or damaged.
        ScoutError: They are of another version.
    """
    with tempfile.TemporaryDirectory(prefix="styletuner-") as folder:
        path = Path(folder) / kept_file_name(attributes.SCOUT_NETWORK)
        name = storage.read_by_uuid(study_uuid).study_name
        write_kept_scout(storage, name, NetworkFiles(path, command=COMMAND))
        return replace(load_scout(path), name=f"of study {name!r}")


def _setting(foretold: Foretold) -> ForetoldSetting:
    quality = foretold.quality
    return ForetoldSetting(values=foretold.values, quality=quality.quality, standard_error=quality.standard_error)
