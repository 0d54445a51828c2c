"""Workers on a real Ray cluster of two nodes on this machine, with a real server of PostgreSQL, that train nothing."""

import importlib
import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import optuna
import psutil
import pytest
from optuna.trial import FrozenTrial, TrialState

from measures.versions import JUDGE_VERSION
from studies.claims.claiming import open_claims
from studies.claims.trial_states import FINISHED_STATES
from studies.records import attributes
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import PostgreSQLServer
from tests.tuner.tiny_study import NAME, is_in_a_trial, read_trials, require_exactly
from tests.tuner.untrained.cluster_worker import refuse, run_untrained
from tests.tuner.untrained.processes import ROOT, start
from tuner.configuration.loading import load_config
from tuner.errors import ConfigError, WorkerError
from tuner.running.observer import SilentObserver, StudyObserver
from tuner.running.setup import start_or_resume
from tuner.running.study_run import StudyRun
from tuner.running.workers.cluster import connected
from tuner.running.workers.cluster_request import ClusterRequest
from tuner.search.study_pictures import open_pictures

pytestmark = pytest.mark.slow

TOTAL = 8
NODE = {"num_cpus": 1, "object_store_memory": 80 * 2**20}


@pytest.fixture(scope="module")
def nodes() -> Iterator[Any]:
    """A cluster of a head that runs nothing and a node of one core; RAY_ADDRESS names it."""
    if not os.environ.get("CI"):
        pytest.importorskip("ray")
    nodes = importlib.import_module("ray.cluster_utils").Cluster
    with pytest.MonkeyPatch.context() as patch:
        # What the nodes start finds this checkout.
        patch.setenv("PYTHONPATH", str(ROOT))
        patch.setenv("RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO", "0")
        made = nodes(
            initialize_head=True,
            head_node_args={"num_cpus": 0, "object_store_memory": 80 * 2**20, "include_dashboard": False},
        )
        try:
            made.add_node(**NODE)
            patch.setenv("RAY_ADDRESS", made.address)
            yield made
        finally:
            made.shutdown()


@pytest.fixture
def address(postgresql_server: PostgreSQLServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", str(tmp_path / "kept"))
    made = postgresql_server.new_database()
    yield made
    postgresql_server.drop_database(made)


@pytest.fixture
def run(address: str, folder: Path) -> Iterator[StudyRun]:
    """A study of `TOTAL` trials, none of them begun."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    overrides = {"search": {"trials": TOTAL}, "style": str(folder / "style.png"), "photos": [str(folder / "photos")]}
    config = load_config(str(folder / "tiny.yaml"), overrides=overrides)
    pictures = open_pictures(config)
    with StudyStorage.create(address) as storage:
        study = start_or_resume(storage, NAME, config=config, pictures=pictures, judge_version=JUDGE_VERSION)
        yield StudyRun(storage=storage, uuid=uuid_of(study), config=config, pictures=pictures)


def wanted(num_workers: int, *, gpus: float | None = None) -> ClusterRequest:
    return ClusterRequest(address="auto", num_workers=num_workers, gpus_per_worker=gpus)


def acting(actions: dict[int, Callable[[], None]]) -> StudyObserver:
    """An observer that does something once so many trials have ended."""
    observer = SilentObserver()
    ended: list[FrozenTrial] = []

    def on_trial(trial: FrozenTrial) -> None:
        ended.append(trial)
        actions.get(len(ended), lambda: None)()

    observer.on_trial = on_trial  # type: ignore[method-assign]
    return observer


def running_process(run: StudyRun) -> psutil.Process:
    """Wait until a trial runs, and return which process runs it."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for trial in run.storage.read_by_uuid(run.uuid).get_trials(deepcopy=False):
            if trial.state is TrialState.RUNNING and attributes.WORKER in trial.user_attrs:
                return psutil.Process(int(trial.user_attrs[attributes.WORKER]["pid"]))
        time.sleep(0.02)
    raise AssertionError("No trial runs.")


def test_an_interrupt_gives_trials_back(nodes: Any, run: StudyRun, address: str) -> None:
    del nodes

    def interrupt() -> None:
        running_process(run)
        raise KeyboardInterrupt

    with connected(wanted(2), address) as cluster:
        assert cluster.num_at_once == 1, "the other one has no room, and is not waited for"
        with pytest.raises(KeyboardInterrupt):
            cluster.run(run, acting({2: interrupt}), loop=run_untrained)
    trials = read_trials(address)
    assert 2 <= sum(trial.state in FINISHED_STATES for trial in trials) < TOTAL
    assert TrialState.RUNNING not in [trial.state for trial in trials]
    failed = [trial for trial in trials if trial.state is TrialState.FAIL]
    # None at all, if the one that ran was at its last step.
    assert {trial.user_attrs.get(attributes.ABANDONED) for trial in failed} <= {attributes.INTERRUPTED}
    assert open_claims(run.storage, run.uuid) == []


def test_a_process_and_then_a_machine_are_lost(nodes: Any, run: StudyRun, address: str) -> None:
    nodes.add_node(**NODE)
    lost: list[int] = []

    def kill() -> None:
        process = running_process(run)
        lost.append(process.pid)
        process.kill()

    def lose() -> None:
        process = running_process(run)
        lost.append(process.pid)
        raylet = process.ppid()
        (node,) = (one for one in nodes.worker_nodes if one.all_processes["raylet"][0].process.pid == raylet)
        nodes.remove_node(node, allow_graceful=False)

    with connected(wanted(2), address) as cluster:
        assert cluster.num_at_once == 2
        cluster.run(run, acting({1: kill, 4: lose}), loop=run_untrained)
    require_exactly(address, TOTAL)
    trials = read_trials(address)
    last = max(trials, key=lambda trial: trial.datetime_complete)
    assert last.user_attrs[attributes.WORKER]["pid"] not in lost
    assert len({trial.user_attrs[attributes.WORKER]["pid"] for trial in trials}) >= 2
    assert open_claims(run.storage, run.uuid) == []


def test_why_all_workers_ended_is_told(nodes: Any, run: StudyRun, address: str) -> None:
    del nodes
    words = r"The worker ended before the study had its trials: The photos are not there\."
    with connected(wanted(1), address) as cluster, pytest.raises(WorkerError, match=words):
        cluster.run(run, SilentObserver(), loop=refuse)


def test_what_the_cluster_has_not_is_refused(nodes: Any, address: str) -> None:
    """Nothing is made in the database, nor is its password told."""
    del nodes
    words = r"`--workers 2 --gpus-per-worker 1` must fit the cluster, which has 0 GPUs and room for 0"
    with pytest.raises(ConfigError, match=words), connected(wanted(2, gpus=1), address):
        pass
    assert not StudyStorage.exists(address)
    absent = address.rpartition("/")[0] + "/absent"
    words = r"Seen from the cluster: .*does not exist"
    with pytest.raises(WorkerError, match=words) as caught, connected(wanted(1), absent):
        pass
    assert "sesame" not in str(caught.value)


def test_the_driver_is_killed_and_started_again(nodes: Any, address: str, folder: Path) -> None:
    del nodes
    options = ("--name", NAME, "--trials", 4, "--storage", address, "--cluster", "auto", "--workers", 2)
    command = ("study", "run", "tiny.yaml", *options)
    with start(*command, cwd=folder) as process:
        process.wait_until(lambda: is_in_a_trial(address, finished=1))
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
    before = {trial.number: trial for trial in read_trials(address) if trial.state in FINISHED_STATES}
    with start(*command, cwd=folder) as process:
        assert process.wait() == 0, process.output
    assert "sesame" not in process.output
    require_exactly(address, 4)
    after = read_trials(address)
    assert {number: after[number] for number in before} == before, "what had finished is kept as it was"
