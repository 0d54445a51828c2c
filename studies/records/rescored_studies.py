"""Studies that hold another one's trials, scored by another judge."""

import shlex

import optuna

from studies.errors import StudyError
from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import names_with
from studies.storage.study_storage import StudyStorage


def find_rescored(storage: StudyStorage, source_uuid: str, judge_version: str) -> str | None:
    """Return the name of the study that holds another one's trials, scored by that judge, finished or not.

    Raises:
        StorageError: The database cannot be read.
    """
    with storage_errors(storage.url):
        names = names_with(storage.read_engine, attributes.RESCORED_FROM)
    for name in names:
        record = StudyRecord.parse(storage.read_study(name).user_attrs)
        came_from = record.rescored_from
        if came_from is not None and came_from.uuid == source_uuid and record.judge_version == judge_version:
            return name
    return None


def num_missing(study: optuna.Study) -> int:
    """Return how many of another study's trials a study still waits for; 0 where it is not re-scored."""
    came_from = StudyRecord.parse(study.user_attrs).rescored_from
    return 0 if came_from is None else came_from.num_missing(len(study.get_trials(deepcopy=False)))


def require_rescored(study: optuna.Study) -> None:
    """Make sure that a study waits for no trials of another one: a new trial would take the number of one of these.

    Raises:
        StudyError: It does; says how to go on.
    """
    came_from = StudyRecord.parse(study.user_attrs).rescored_from
    missing = num_missing(study)
    if came_from is not None and missing:
        raise StudyError(
            f"Study {study.study_name!r} is not re-scored to its end: {missing} of {came_from.num_trials} trials are "
            f"missing. Go on first with `styletuner study rescore {shlex.quote(came_from.name)}`."
        )
