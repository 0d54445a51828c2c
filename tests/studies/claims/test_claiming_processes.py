"""The heart of resuming: claims under real processes, killed and interrupted in every place."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import optuna
import pytest

from studies.claims.claiming import live_workers, open_claims
from studies.claims.reaping import abandoned_trials, reap
from studies.claims.trial_states import FINISHED_STATES
from studies.storage.study_storage import StudyStorage
from tests.studies.claims.staging import num_by_state
from tests.studies.waves import WAVES

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[3]


CONTAINER = ("unshare", "--pid", "--fork", "--mount-proc", "--kill-child")
"""Runs a command in a PID namespace of its own, of this host's name, as a container does."""


def start_worker(
    address: str, *, total: int, seed: int, accident: str = "", within: tuple[str, ...] = ()
) -> subprocess.Popen[str]:
    script = str(Path(__file__).with_name("claiming_process.py"))
    command = [*within, sys.executable, "-W", "error", script, address, str(total), str(seed), accident]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def end(worker: subprocess.Popen[str]) -> int:
    worker.communicate(timeout=120)
    return worker.returncode


def hang_and_kill(address: str, *, accident: str) -> None:
    worker = start_worker(address, total=4, seed=99, accident=accident)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "hanging\n"
    worker.kill()
    worker.communicate()


@pytest.mark.slow
def test_six_processes_race_to_exactly_the_total(storage: StudyStorage, storage_url: str, study: optuna.Study) -> None:
    del storage
    workers = [start_worker(storage_url, total=20, seed=seed) for seed in range(6)]
    assert [end(worker) for worker in workers] == [0] * 6
    assert len(study.trials) == 20
    assert set(num_by_state(study)) == {"COMPLETE", "PRUNED"}


@pytest.mark.parametrize("accident", ["hang", "hang-before-attach", "hang-before-trial"])
def test_killed_workers_study_still_ends_with_its_total(
    storage: StudyStorage, storage_url: str, study: optuna.Study, accident: str
) -> None:
    hang_and_kill(storage_url, accident=accident)
    reap(storage, WAVES)
    worker = start_worker(storage_url, total=4, seed=1)
    assert end(worker) == 0
    states = num_by_state(study)
    assert states["COMPLETE"] + states["PRUNED"] == 4
    assert set(states) <= {"COMPLETE", "PRUNED", "FAIL"}
    finished = [trial.params["x"] for trial in study.trials if trial.state in FINISHED_STATES]
    assert len(set(finished)) == 4
    if accident == "hang":
        assert study.trials[0].params["x"] in finished, "the killed trial was run again"


def test_running_workers_replace_a_killed_one(storage: StudyStorage, storage_url: str, study: optuna.Study) -> None:
    del storage
    hang_and_kill(storage_url, accident="hang")
    workers = [start_worker(storage_url, total=4, seed=seed) for seed in range(2)]
    assert [end(worker) for worker in workers] == [0] * 2
    assert num_by_state(study)["FAIL"] == 1
    assert sum(trial.state in FINISHED_STATES for trial in study.trials) == 4
    assert len(study.trials) == 5


def test_interrupted_worker_hands_its_trial_on(storage: StudyStorage, storage_url: str, study: optuna.Study) -> None:
    worker = start_worker(storage_url, total=4, seed=1, accident="interrupt")
    assert end(worker) == -signal.SIGINT
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}
    assert study.trials[0].user_attrs["failure"] == "interrupted by the user"
    assert open_claims(storage, WAVES) == []


@pytest.fixture
def container() -> tuple[str, ...]:
    try:
        subprocess.run([*CONTAINER, "true"], check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError) as error:
        pytest.skip(f"needs the right to make PID namespaces: {error}")
    return CONTAINER


def test_a_live_worker_in_a_container_is_left_alone(
    storage: StudyStorage, storage_url: str, study: optuna.Study, container: tuple[str, ...]
) -> None:
    """It has the same host name, and its process number is another process's or nobody's here."""
    worker = start_worker(storage_url, total=4, seed=1, accident="hang", within=container)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "hanging\n"
    try:
        assert reap(storage, WAVES).failed == ()
        assert num_by_state(study) == {"RUNNING": 1}
        assert abandoned_trials(storage, WAVES) == set()
        assert [worker.is_here for worker in live_workers(storage, WAVES)] == [False]
    finally:
        worker.kill()
        worker.communicate()


@pytest.mark.slow
def test_workers_in_containers_do_not_undo_each_others_trials(
    storage: StudyStorage, storage_url: str, study: optuna.Study, container: tuple[str, ...]
) -> None:
    del storage
    workers = [start_worker(storage_url, total=12, seed=seed, within=container) for seed in range(2)]
    workers += [start_worker(storage_url, total=12, seed=seed) for seed in range(2, 4)]
    assert [end(worker) for worker in workers] == [0] * 4
    assert len(study.trials) == 12
    assert set(num_by_state(study)) == {"COMPLETE", "PRUNED"}
