"""The study beside a study that holds its trials scored by another judge: its name, and making it."""

import optuna
from optuna.samplers import RandomSampler

from studies.records import attributes
from studies.records.rescored_from import RescoredFrom
from studies.records.rescored_studies import find_rescored
from studies.records.study_record import StudyRecord
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.copying.copied_study import copy_description, is_blank_copy
from tuner.errors import RescoringError
from tuner.installation.versions import versions

_OWN = (attributes.STUDY_UUID, attributes.JUDGE_VERSION, attributes.RESCORED_FROM, attributes.WIDENED_FROM)
"""User attributes that a re-scored study does not share with the old one."""


def default_name(study: optuna.Study, judge_version: str) -> str:
    """Return the old study's name with the judge's version behind it, in place of one that stands there."""
    record = StudyRecord.parse(study.user_attrs)
    base = study.study_name
    if record.rescored_from is not None:
        base = base.removesuffix(_suffix(record.judge_version))
    return base + _suffix(judge_version)


def open_rescored(
    storage: StudyStorage, source: optuna.Study, *, name: str, judge_version: str, num_trials: int
) -> optuna.Study:
    """Return the study that gets the old one's trials, made with all but these if it is not there.

    Args:
        storage: Opened for writing.
        source: The old study.
        name: What to call it if it has to be made.
        judge_version: Of the judge that scores it.
        num_trials: How many of the old study's trials it gets.

    Raises:
        RescoringError: There is another study of that name.
        StorageError: The database or the folder of artifacts cannot be written.
    """
    with storage.exclusive(), storage_errors(storage.url):
        found = find_rescored(storage, uuid_of(source), judge_version)
        study = _made(storage, name, source) if found is None else storage.load_study(found, sampler=RandomSampler())
        came_from = RescoredFrom(
            uuid=uuid_of(source),
            name=source.study_name,
            judge_version=StudyRecord.parse(source.user_attrs).judge_version,
            num_trials=num_trials,
            versions=versions(),
        )
        if found is None:
            study.set_user_attr(attributes.JUDGE_VERSION, judge_version)
            study.set_user_attr(attributes.RESCORED_FROM, came_from.to_attribute())
        copy_description(storage, study, source, own=_OWN)
    return study


def _made(storage: StudyStorage, name: str, source: optuna.Study) -> optuna.Study:
    if name not in storage.study_names():
        return create_study(storage.optuna, name, num_objectives=len(source.directions))
    study = storage.load_study(name, sampler=RandomSampler())
    if not is_blank_copy(study, source):
        raise RescoringError(
            f"Study {name!r} exists and is another one than {source.study_name!r} re-scored. Choose another name with "
            "--name."
        )
    return study


def _suffix(judge_version: str) -> str:
    return f"-judge-{judge_version}"
