"""Studies that go on beyond the ranges of another one, whose trials they have."""

import shlex

import optuna

from studies.errors import StudyError
from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import names_with
from studies.storage.study_storage import StudyStorage


def find_widened(storage: StudyStorage, source_uuid: str) -> str | None:
    """Return the name of the study that goes on beyond the ranges of another one, whether it has its trials or not.

    Raises:
        StorageError: The database cannot be read.
    """
    with storage_errors(storage.url):
        names = names_with(storage.read_engine, attributes.WIDENED_FROM)
    for name in names:
        came_from = StudyRecord.parse(storage.read_study(name).user_attrs).widened_from
        if came_from is not None and came_from.uuid == source_uuid:
            return name
    return None


def require_widened(study: optuna.Study) -> None:
    """Make sure that a study waits for no trials of another one: a new trial would take the number of one of these.

    Raises:
        StudyError: It does; says how to go on.
    """
    came_from = StudyRecord.parse(study.user_attrs).widened_from
    if came_from is not None and came_from.num_missing(len(study.get_trials(deepcopy=False))):
        raise StudyError(
            f"Study {study.study_name!r} has not yet got all trials of {came_from.name!r}. Go on first with "
            f"`styletuner study run ... --name {shlex.quote(came_from.name)} --widen`."
        )
