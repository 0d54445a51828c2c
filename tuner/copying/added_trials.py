"""Adding a study's trials to a study beside it, number by number, whoever else does the same."""

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import optuna
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState

from studies.claims.processes import WorkerIdentity
from studies.claims.reaping import WORKER_DIED, abandoned_trials
from studies.claims.trial_states import count_by_state
from studies.errors import StudyError
from studies.records import attributes
from studies.storage.database_errors import storage_errors
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage

LEFT_RUNNING: Final[Mapping[str, str]] = {
    attributes.FAILURE: WORKER_DIED,
    attributes.ABANDONED: attributes.KILLED,
}
"""User attributes of a trial that fails because its worker died: the next run of its study has it run again."""


def add_next_trial(
    storage: StudyStorage, source_uuid: str, target_uuid: str, *, number: int, make: Callable[[], FrozenTrial]
) -> None:
    """Add a trial to a study under the number that it has in another one, if that is the next number.

    Args:
        storage: Opened for writing.
        source_uuid: The study that has the trial.
        target_uuid: The study that gets it.
        number: The trial's.
        make: Makes the trial to add, and keeps its files and scores; called under the storage's lock.

    Raises:
        StudyError: Either study was deleted.
        StorageError: The database or the folder of artifacts cannot be written.
    """
    with storage.exclusive(), storage_errors(storage.url):
        # Else its outputs may be gone because it was deleted meanwhile, which takes the lock too.
        storage.read_by_uuid(source_uuid)
        if num_trials(storage, target_uuid) == number:
            storage.load_by_uuid(target_uuid, sampler=RandomSampler()).add_trial(make())


def num_trials(storage: StudyStorage, study_uuid: str) -> int:
    """Return how many trials a study has, in whatever state.

    Raises:
        StudyError: It was deleted.
        StorageError: The database cannot be read.
    """
    study_id = study_id_of(storage.read_by_uuid(study_uuid))
    with storage_errors(storage.url), storage.read_engine.connect() as connection:
        return sum(count_by_state(connection, study_id).values())


def refuse_live(storage: StudyStorage, source: optuna.Study, trials: Sequence[FrozenTrial]) -> None:
    """Make sure that nobody runs any of a study's trials.

    Raises:
        StudyError: Somebody does; says who.
    """
    running = [trial for trial in trials if trial.state is TrialState.RUNNING]
    dead = abandoned_trials(storage, uuid_of(source)) if running else set()
    for trial in running:
        worker = WorkerIdentity.from_attribute(trial.user_attrs.get(attributes.WORKER))
        if worker is not None and trial.number not in dead:
            raise StudyError(
                f"Study {source.study_name!r} is being run by process {worker.pid} on {worker.host} (trial "
                f"{trial.number}). Stop it first, or wait for its end; another machine's counts as stopped after "
                "half a minute of silence."
            )
