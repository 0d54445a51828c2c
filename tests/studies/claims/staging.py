"""Workers, claims and trials in any state, for the tests of claims."""

import subprocess
import sys
from collections import Counter
from dataclasses import replace

import optuna
from optuna.trial import TrialState

from studies.claims import claiming
from studies.claims.claiming import Claim, NoClaim
from studies.claims.processes import WorkerIdentity
from studies.storage.study_storage import StudyStorage
from tests.studies.waves import WAVES

ME = WorkerIdentity.current()
FOREIGN = WorkerIdentity(machine="another", host="another-host", pid=1, started=1e9)


def dead_worker() -> WorkerIdentity:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return replace(ME, pid=process.pid, started=1.0)


def claim(storage: StudyStorage, *, total: int = 1, worker: WorkerIdentity = ME) -> Claim | NoClaim:
    return claiming.claim(storage, WAVES, total=total, worker=worker)


def granted(storage: StudyStorage, *, total: int = 1, worker: WorkerIdentity = ME) -> Claim:
    held = claim(storage, total=total, worker=worker)
    assert isinstance(held, Claim)
    return held


def new_trial(storage: StudyStorage, **attributes: object) -> int:
    """A running trial, as Optuna leaves it when its process dies."""
    trial_id = storage.optuna.create_new_trial(storage.optuna.get_study_id_from_name("waves"))
    distribution = optuna.distributions.FloatDistribution(0, 1)
    number = storage.optuna.get_trial(trial_id).number
    storage.optuna.set_trial_param(trial_id, "x", number / 8, distribution)
    for name, value in attributes.items():
        storage.optuna.set_trial_user_attr(trial_id, name, value)
    return number


def start_waiting(storage: StudyStorage, number: int) -> None:
    """Start an enqueued trial, as Optuna does before it calls the objective."""
    study_id = storage.optuna.get_study_id_from_name("waves")
    trial_id = storage.optuna.get_trial_id_from_study_id_trial_number(study_id, number)
    storage.optuna.set_trial_state_values(trial_id, TrialState.RUNNING)


def finish(study: optuna.Study, number: int) -> None:
    study.tell(number, 0.5)


def num_by_state(study: optuna.Study) -> dict[str, int]:
    return Counter(trial.state.name for trial in study.trials)
