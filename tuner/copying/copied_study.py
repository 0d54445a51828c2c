"""A study beside another one that gets its trials: whether one is still blank, and giving it what the other says."""

from collections.abc import Collection
from typing import Any

import optuna

from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.storage.artifacts import STUDY_BUCKET
from studies.storage.optuna_internals import ARTIFACTS_ATTR_PREFIX, study_id_of
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.copying.copied_files import FileCopier
from tuner.search.goals import name_goals
from tuner.search.stored_config import stored_config


def is_blank_copy(study: optuna.Study, source: optuna.Study) -> bool:
    """Return whether a study was made beside another one by a command that was killed before it said what it is."""
    is_blank = set(study.user_attrs) <= {attributes.STUDY_UUID, attributes.JUDGE_VERSION, STUDY_BUCKET}
    return is_blank and len(study.directions) == len(source.directions) and not study.get_trials(deepcopy=False)


def copy_description(storage: StudyStorage, study: optuna.Study, source: optuna.Study, *, own: Collection[str]) -> None:
    """Give a study another one's attributes and files, as far as it has not got them yet.

    What longer or further runs of its settings said is not taken over: another judge may have said it, of another best.

    Args:
        storage: Opened for writing, its lock held.
        study: The study beside the other.
        source: The other study.
        own: User attributes that the two do not share.

    Raises:
        StorageError: The database or the folder of artifacts cannot be written.
    """
    record = StudyRecord.parse(source.user_attrs)
    left_out = {ARTIFACTS_ATTR_PREFIX + artifact for artifact in record.later_artifacts.values()}
    attrs = storage.optuna.get_study_system_attrs(study_id_of(source))
    owned = {key: value for key, value in attrs.items() if key not in left_out}
    files = FileCopier(storage, uuid_of(study)).copy(owned, record.artifacts, redrawn={})
    storage.artifacts.note_place(study)
    for key, entry in files.entries.items():
        storage.optuna.set_study_system_attr(study_id_of(study), key, entry)
    name_goals(study, stored_config(source).search.objectives)
    not_shared = {*own, *record.artifacts, attributes.VALIDATIONS, attributes.FINAL, attributes.FINAL_CLAIMS}
    shared = {key: value for key, value in source.user_attrs.items() if key not in not_shared}
    known = study.user_attrs
    wanted: dict[str, Any] = {**shared, **files.renamed(record.artifacts)}
    for key, value in wanted.items():
        if known.get(key) != value:
            study.set_user_attr(key, value)
