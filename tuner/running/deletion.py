"""Deleting a study that nobody runs."""

from studies.claims.claiming import live_workers
from studies.claims.final_claims import live_finalist_trainers
from studies.claims.processes import WorkerIdentity
from studies.claims.reaping import reap
from studies.errors import StudyError
from studies.storage.study_storage import StudyStorage


def require_idle(storage: StudyStorage, study_uuid: str) -> None:
    """Make sure that nobody runs a study, once what dead workers left is cleared away.

    Raises:
        StudyError: There is no such study, or a worker of it or of its final lives; says where.
    """
    reap(storage, study_uuid)
    _refuse_live_workers(storage, study_uuid)


def delete_idle_study(storage: StudyStorage, study_uuid: str) -> None:
    """Delete a study unless somebody runs it, who may have begun since it was looked at last.

    Raises:
        StudyError: As `require_idle`.
    """
    reap(storage, study_uuid)
    with storage.exclusive():
        _refuse_live_workers(storage, study_uuid)
        storage.delete_study(storage.read_by_uuid(study_uuid).study_name)


def _refuse_live_workers(storage: StudyStorage, study_uuid: str) -> None:
    if workers := live_workers(storage, study_uuid):
        raise StudyError(_refusal(storage, study_uuid, workers[0], "two minutes"))
    if trainers := live_finalist_trainers(storage, study_uuid):
        raise StudyError(_refusal(storage, study_uuid, trainers[0], "a quarter of an hour"))


def _refusal(storage: StudyStorage, study_uuid: str, worker: WorkerIdentity, silence: str) -> str:
    name = storage.read_by_uuid(study_uuid).study_name
    return (
        f"Study {name!r} is being run by process {worker.pid} on {worker.host}. Stop it first; "
        f"another machine's counts as stopped after {silence} of silence."
    )
