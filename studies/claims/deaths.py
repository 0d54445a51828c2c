"""What the process that started a worker knows of its end, written to the worker's trials."""

import json
from collections.abc import Sequence

import sqlalchemy
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from studies.claims.processes import WorkerIdentity
from studies.claims.reaping import WORKER_DIED, reap
from studies.records.attributes import ABANDONED, FAILURE, INTERRUPTED, WORKER
from studies.storage.optuna_internals import TRIAL_ATTRIBUTES, TRIALS, study_id_of
from studies.storage.study_storage import StudyStorage, storage_errors


def bury(storage: StudyStorage, study_uuid: str, worker: WorkerIdentity, *, reason: str) -> None:
    """Clear away what a dead worker left, and say why its trial failed.

    Any worker may have failed the trial first; it knows only that its process is gone, and Optuna lets nobody write to
    a trial that has ended, so that the reason goes straight into its table.

    Args:
        storage: Opened for writing.
        study_uuid: The study's UUID.
        worker: The dead process.
        reason: Why it died, in words.

    Raises:
        StudyError: If there is no such study.
        StorageError: If the database fails.
    """
    reap(storage, study_uuid)
    study_id = study_id_of(storage.read_by_uuid(study_uuid))
    column = TRIAL_ATTRIBUTES.c
    with storage_errors(storage.url), storage.engine.begin() as connection:
        died = _trials_of(connection, study_id, [worker], state=TrialState.FAIL)
        unexplained = sqlalchemy.and_(
            column.trial_id.in_(died), column.key == FAILURE, column.value_json == json.dumps(WORKER_DIED)
        )
        connection.execute(sqlalchemy.update(TRIAL_ATTRIBUTES).where(unexplained).values(value_json=json.dumps(reason)))


def give_back(storage: StudyStorage, study_uuid: str, workers: Sequence[WorkerIdentity], *, reason: str) -> None:
    """Fail the running trials of workers that the user had killed, and enqueue them again: they are not to blame.

    Args:
        storage: Opened for writing.
        study_uuid: The study's UUID.
        workers: Dead processes.
        reason: Kept as the `failure` of their trials.

    Raises:
        StudyError: If there is no such study.
        StorageError: If the database fails.
    """
    study_id = study_id_of(storage.read_by_uuid(study_uuid))
    with storage_errors(storage.url):
        with storage.engine.begin() as connection:
            running = _trials_of(connection, study_id, workers, state=TrialState.RUNNING)
        for trial_id in running:
            try:
                storage.optuna.set_trial_user_attr(trial_id, FAILURE, reason)
                storage.optuna.set_trial_user_attr(trial_id, ABANDONED, INTERRUPTED)
            except UpdateFinishedTrialError:  # by another worker, as one that died
                continue
    reap(storage, study_uuid)


def _trials_of(
    connection: sqlalchemy.Connection, study_id: int, workers: Sequence[WorkerIdentity], *, state: TrialState
) -> list[int]:
    """Return Optuna's ids of the trials in a state that these workers ran."""
    query = (
        sqlalchemy.select(TRIALS.c.trial_id, TRIAL_ATTRIBUTES.c.value_json)
        .join(TRIAL_ATTRIBUTES, TRIAL_ATTRIBUTES.c.trial_id == TRIALS.c.trial_id)
        .where(TRIALS.c.study_id == study_id, TRIALS.c.state == state, TRIAL_ATTRIBUTES.c.key == WORKER)
    )
    return [
        row.trial_id
        for row in connection.execute(query)
        if WorkerIdentity.from_attribute(json.loads(row.value_json)) in workers
    ]
