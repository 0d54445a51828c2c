"""Workers on a real storage: trials that fail, diverge, hang or come in another order."""

import contextlib
import io
import json
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, final
from wsgiref.util import setup_testing_defaults

import numpy as np
import optuna
import optuna_dashboard
import PIL.Image
import pytest
from optuna.trial import FrozenTrial, TrialState

from measures.sampled_values import SampledValues
from studies.claims.claiming import open_claims
from studies.claims.reaping import release
from studies.errors import StorageError, StudyError
from studies.records import attributes
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tests.studies.many_trials import add_trials, counted_statements
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, read_trials, require_exactly
from tuner.configuration.search_sections import SearchSection
from tuner.configuration.settings import StudyConfig
from tuner.errors import WorkerError
from tuner.running.stopping import Allowance
from tuner.running.workers.worker import MAX_CONSECUTIVE_FAILURES, Worker
from tuner.running.workers.worker_ends import HUNG
from tuner.search.resources import StudyResources
from tuner.search.space import suggest_values

pytestmark = pytest.mark.slow


@final
class ScriptedRunner:
    """Stands in for the training: samples weights as a trial does, then does what the script says."""

    def __init__(self, script: Callable[[int], float]) -> None:
        self.config = StudyConfig()
        self._script = script

    def run(self, trial: optuna.Trial) -> float:
        suggest_values(trial, self.config.search)
        return self._script(trial.number)


@final
class Stage:
    """A storage with an empty study, and workers on it."""

    def __init__(self, storage: StudyStorage) -> None:
        self.storage = storage
        self.heard: list[FrozenTrial] = []
        self.uuid = uuid_of(create_study(storage.optuna, NAME))

    def work(self, script: Callable[[int], float], *, total: int) -> None:
        self.work_within(lambda: Allowance(total=total), script)

    def work_within(self, allowance: Callable[[], Allowance], script: Callable[[int], float]) -> None:
        runner: Any = ScriptedRunner(script)
        Worker(self.storage, self.uuid, allowance=allowance, runner=runner, on_trial=self.heard.append).run()

    def states(self) -> list[str]:
        return [trial.state.name for trial in self.trials()]

    def trials(self) -> list[FrozenTrial]:
        return self.storage.load_study(NAME).get_trials()


@pytest.fixture
def stage(tmp_path: Path) -> Any:
    verbosity = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with StudyStorage.create(str(tmp_path / "studies.db")) as storage:
        yield Stage(storage)
    optuna.logging.set_verbosity(verbosity)


def test_worker_runs_exactly_its_total(stage: Stage) -> None:
    stage.work(lambda number: number / 10, total=4)
    assert stage.states() == ["COMPLETE"] * 4
    assert [trial.number for trial in stage.heard] == [0, 1, 2, 3]
    assert open_claims(stage.storage, stage.uuid) == []
    stage.work(lambda _: 1 / 0, total=4)
    assert len(stage.trials()) == 4


def test_failing_trial_does_not_block(stage: Stage) -> None:
    def script(number: int) -> float:
        if number in {1, 2, 4}:
            raise ValueError(f"bad luck in {number}")
        return 0.5

    stage.work(script, total=4)
    assert stage.states() == ["COMPLETE", "FAIL", "FAIL", "COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert stage.trials()[1].user_attrs[attributes.FAILURE] == "ValueError: bad luck in 1"
    assert [trial.number for trial in stage.heard] == list(range(7))


@pytest.mark.slow
def test_what_lies_between_two_trials_does_not_grow_with_the_study(stage: Stage) -> None:
    """Optuna reads every trial anew for each study object that is loaded."""
    study = stage.storage.load_study(NAME)
    most = []
    for num_trials in (10, 1500):
        add_trials(stage.storage, study, num_trials)
        counts: list[int] = []
        with counted_statements(stage.storage.engine, stage.storage.read_engine) as statements:

            def script(_: int, counts: list[int] = counts, statements: list[str] = statements) -> float:
                counts.append(len(statements))
                return 0.5

            stage.work(script, total=len(study.trials) + 3)
        most.append(max(np.diff(counts)))
    small, large = most
    assert large <= small + 8


def test_failures_in_a_row_stop_the_worker(stage: Stage) -> None:
    def script(number: int) -> float:
        if number > 0:
            raise ValueError(f"bad luck in {number}")
        return 0.5

    with pytest.raises(ValueError, match="bad luck in 3"):
        stage.work(script, total=9)
    assert stage.states() == ["COMPLETE", *["FAIL"] * MAX_CONSECUTIVE_FAILURES]
    assert open_claims(stage.storage, stage.uuid) == []


def test_pruned_trials_count(stage: Stage) -> None:
    def script(number: int) -> float:
        if number % 2:
            raise optuna.TrialPruned
        return 0.5

    stage.work(script, total=4)
    assert stage.states() == ["COMPLETE", "PRUNED", "COMPLETE", "PRUNED"]


@pytest.mark.parametrize("error", [StorageError("disk full"), OSError("disk full")])
def test_fault_of_the_disk_stops_at_once_and_the_weights_are_run_again(stage: Stage, error: Exception) -> None:
    def script(_: int) -> float:
        raise error

    with pytest.raises(type(error), match="disk full"):
        stage.work(script, total=2)
    assert stage.states() == ["FAIL"]
    stage.work(lambda _: 0.5, total=2)
    failed, again, other = stage.trials()
    assert again.params == failed.params != other.params
    assert again.user_attrs[attributes.RETRY_OF] == failed.number
    assert stage.states() == ["FAIL", "COMPLETE", "COMPLETE"]


def test_a_trial_that_runs_out_of_memory_is_run_again(stage: Stage) -> None:
    """Here, since the process goes on being of use."""

    def script(number: int) -> float:
        if number == 1:
            raise MemoryError("Unable to allocate 9.00 TiB")
        return 0.5

    stage.work(script, total=3)
    assert stage.states() == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    failed, again = stage.trials()[1:3]
    assert again.params == failed.params
    assert failed.user_attrs[attributes.FAILURE].startswith("out of memory: use fewer --workers, or lower ")


def test_memory_that_is_always_too_small_ends_the_worker_in_words(stage: Stage) -> None:
    def script(_: int) -> float:
        raise MemoryError

    with pytest.raises(WorkerError, match=r"^Trials ran out of memory: .*lower training\.batch_size"):
        stage.work(script, total=3)
    assert stage.states() == ["FAIL"] * MAX_CONSECUTIVE_FAILURES


def test_interrupt_gives_the_trial_back(stage: Stage) -> None:
    def script(number: int) -> float:
        if number == 1:
            raise KeyboardInterrupt
        return 0.5

    with pytest.raises(KeyboardInterrupt):
        stage.work(script, total=3)
    assert stage.states() == ["COMPLETE", "FAIL", "WAITING"]
    assert open_claims(stage.storage, stage.uuid) == []
    stage.work(script, total=3)
    assert stage.states() == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert stage.trials()[2].params == stage.trials()[1].params


class TestStudyThatIsChangedInOptunaDashboard:
    """By its own web application on a connection of its own, while a trial runs."""

    @pytest.mark.parametrize("then", ["complete", "prune", "report", "fail"])
    def test_renamed_study_is_followed(self, stage: Stage, then: str) -> None:
        def script(number: int) -> float:
            if number == 1 and NAME in stage.storage.study_names():
                change_in_dashboard(stage, "rename", study_name="tides")
                go_on(then)
            return 0.5

        stage.work(script, total=3)
        trials = stage.storage.load_study("tides").get_trials()
        assert stage.storage.study_names() == ["tides"]
        assert [trial.state.name for trial in trials] == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
        assert trials[2].params == trials[1].params, "run again"
        assert trials[2].user_attrs[attributes.RETRY_OF] == 1
        assert [trial.number for trial in stage.heard] == [0, 2, 3]
        assert open_claims(stage.storage, stage.uuid) == []

    @pytest.mark.parametrize("then", ["complete", "prune", "report", "fail"])
    def test_deleted_study_ends_its_worker_and_touches_no_other(self, stage: Stage, then: str) -> None:
        """A study that is made then gets the deleted one's ids, and its trials theirs."""

        def script(number: int) -> float:
            if number == 1:
                change_in_dashboard(stage, "delete")
                create_study(stage.storage.optuna, "other")
                other = optuna.load_study(study_name="other", storage=stage.storage.url)
                assert [other.ask()._trial_id for _ in range(3)] == [1, 2, 3], "the ids of the deleted trials"
                go_on(then)
            return 0.5

        with pytest.raises(StudyError, match="was deleted") as ended:
            stage.work(script, total=3)
        assert len(str(ended.value).splitlines()) == 1
        others = stage.storage.load_study("other").get_trials()
        assert [trial.state.name for trial in others] == ["RUNNING"] * 3
        assert [trial.intermediate_values for trial in others] == [{}] * 3
        assert [trial.user_attrs for trial in others] == [{}] * 3

    @pytest.mark.parametrize("action", ["rename", "delete"])
    def test_interrupt_stays_one(self, stage: Stage, action: str) -> None:
        def script(_: int) -> float:
            change_in_dashboard(stage, action, study_name="tides")
            raise KeyboardInterrupt

        with pytest.raises(KeyboardInterrupt):
            stage.work(script, total=3)
        names = stage.storage.study_names()
        assert names == ([] if action == "delete" else ["tides"])
        for name in names:
            states = [trial.state.name for trial in stage.storage.load_study(name).get_trials()]
            assert states == ["FAIL", "WAITING"]


def change_in_dashboard(stage: Stage, action: str, **values: str) -> None:
    study_id = stage.storage.load_study(NAME)._study_id
    url = stage.storage.url
    application = optuna_dashboard.wsgi(url)
    path = f"/api/studies/{study_id}" + ("/rename" if action == "rename" else "")
    body = json.dumps(values).encode()
    environ: dict[str, Any] = {}
    setup_testing_defaults(environ)
    environ |= {
        "REQUEST_METHOD": "POST" if action == "rename" else "DELETE",
        "PATH_INFO": path,
        "CONTENT_TYPE": "application/json",
    }
    environ |= {"CONTENT_LENGTH": str(len(body)), "wsgi.input": io.BytesIO(body)}
    statuses: list[str] = []
    b"".join(application(environ, lambda status, *_: statuses.append(status)))
    assert statuses[0][:3] in {"201", "204"}, statuses


def go_on(then: str) -> None:
    """What a trial may do next."""
    if then == "prune":
        raise optuna.TrialPruned
    if then == "report":
        raise KeyError("what Optuna says of a trial that is not there")
    if then == "fail":
        raise ValueError("bad luck")


@pytest.mark.parametrize("then", ["complete", "prune", "report", "fail"])
def test_trial_that_another_process_has_failed_is_let_go(stage: Stage, then: str) -> None:
    """As when a laptop slept in a trial: its heartbeat is stale, and another worker ends the trial."""

    def end_from_outside(number: int) -> None:
        study_id = stage.storage.optuna.get_study_id_from_name(NAME)
        trial_id = stage.storage.optuna.get_trial_id_from_study_id_trial_number(study_id, number)
        stage.storage.optuna.set_trial_state_values(trial_id, TrialState.FAIL)
        if then == "prune":
            raise optuna.TrialPruned
        if then == "report":
            stage.storage.optuna.set_trial_intermediate_value(trial_id, 8, 0.5)
        if then == "fail":
            raise ValueError("bad luck")

    def script(number: int) -> float:
        if number == 1:
            end_from_outside(number)
        return 0.5

    stage.work(script, total=3)
    assert stage.states() == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert open_claims(stage.storage, stage.uuid) == []


def test_second_interrupt_does_not_disturb_the_giving_back(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    def release_while_interrupted(*arguments: Any, **options: Any) -> bool:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGTERM)
        return release(*arguments, **options)

    def script(_: int) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr("tuner.running.workers.worker.release", release_while_interrupted)
    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        stage.work(script, total=3)
    assert stage.states() == ["FAIL", "WAITING"]
    assert signal.getsignal(signal.SIGINT) is before


HANGING_WORKER = """
import os, sys, time
from tuner.running.workers.watchdog import ProgressWatchdog
sys.stderr = open(os.devnull, "w")  # as worker processes do
watchdog = ProgressWatchdog(patience_seconds=1.0)
watchdog.start()
for _ in range(4):
    time.sleep(0.5)
    watchdog.progressed()
print("alive", flush=True)
if sys.argv[1] == "stop":
    watchdog.stop()
    time.sleep(2)
    sys.exit(0)
time.sleep(120)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("then", "status"), [("hang", HUNG), ("stop", 0)])
def test_watchdog_ends_a_process_that_hangs(then: str, status: int) -> None:
    command = [sys.executable, "-c", HANGING_WORKER, then]
    ended = subprocess.run(command, capture_output=True, text=True, timeout=110, check=False)
    assert ended.returncode == status
    assert ended.stdout == "alive\n", "steps were made, so it must not have been ended before"
    assert ("no progress for 1 s" in ended.stderr) == (then == "hang")
    assert ("Its trial is run again by another one." in ended.stderr) == (then == "hang")
    assert ("in <module>" in ended.stderr) == (then == "hang"), "the stacks"


def test_same_configuration_and_seed_give_the_same_study(finished: Path, run_cli: RunCli) -> None:
    before = read_trials(finished / "styletuner.db")
    run_cli("study", "run", "tiny.yaml", "--name", NAME, "--storage", "again.db").require_success()
    again = read_trials(finished / "again.db")
    assert [trial.params for trial in again] == [trial.params for trial in before]
    for one, other in zip(before, again, strict=True):
        assert list(one.intermediate_values) == list(other.intermediate_values) == [8, 16]
        np.testing.assert_allclose(
            list(other.intermediate_values.values()), list(one.intermediate_values.values()), atol=1e-5
        )
    assert len({trial.value for trial in before}) == 3, "a constant would be the same as well"


@pytest.mark.slow
def test_another_seed_gives_another_study(finished: Path, run_cli: RunCli) -> None:
    run_cli("study", "run", "tiny.yaml", "--name", NAME, "--storage", "again.db", "--seed", 1).require_success()
    before, again = (read_trials(finished / name) for name in ("styletuner.db", "again.db"))
    assert before[0].params == again[0].params, "the baseline"
    assert before[0].value != again[0].value
    assert before[1].params != again[1].params


def test_diverged_trial_is_pruned_with_its_reason(
    folder: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = StudyResources.batches
    calls: list[int] = []

    def with_nan(self: StudyResources, start: int, stop: int) -> Any:
        calls.append(start)
        for photos, features in real(self, start, stop):
            # Each trial reads twice, once for each rung: this is the second rung of the second trial.
            yield (
                photos,
                {name: values * np.float16("nan") for name, values in features.items()}
                if len(calls) == 4
                else features,
            )

    monkeypatch.setattr(StudyResources, "batches", with_nan)
    run_cli("study", "run", "tiny.yaml", "--name", NAME).require_success()
    require_exactly(folder / "styletuner.db", 3)
    first, diverged, last = read_trials(folder / "styletuner.db")
    assert diverged.state is TrialState.PRUNED
    assert diverged.user_attrs[attributes.REASON] == "diverged: the content loss is not finite after image 8"
    assert set(diverged.user_attrs[attributes.PICTURES]) == {"sheet", "outputs"}, "of the last rung"
    assert diverged.user_attrs[attributes.IMAGES_SEEN] == 8
    assert (first.state, last.state) == (TrialState.COMPLETE, TrialState.COMPLETE)
    assert "diverged" in run_cli("study", "show", NAME).stdout


def test_trial_that_diverges_before_its_first_rung_keeps_the_moment_before(
    folder: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = StudyResources.batches

    def with_nan(self: StudyResources, start: int, stop: int) -> Any:
        for place, (photos, features) in enumerate(real(self, start, stop)):
            # The second batch of four photos, in every trial.
            yield photos, {name: values * np.float16("nan" if place else 1) for name, values in features.items()}

    monkeypatch.setattr(StudyResources, "batches", with_nan)
    run_cli("study", "run", "tiny.yaml", "--name", NAME, "--trials", 1)
    (trial,) = read_trials(folder / "styletuner.db")
    assert trial.user_attrs[attributes.REASON] == "diverged: the content loss is not finite after image 4"
    pictures = trial.user_attrs[attributes.PICTURES]
    assert set(pictures) == {"sheet"}, "it was not judged"
    with PIL.Image.open(folder / "styletuner_artifacts" / pictures["sheet"]) as sheet:
        assert np.asarray(sheet).std() > 0


def test_trial_that_stays_collapsed_is_pruned_with_its_pictures(
    folder: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = StudyResources.paint
    monkeypatch.setattr(StudyResources, "paint", lambda *arguments: np.full_like(real(*arguments), 0.5))
    flags = ("--set", "search.rungs=[0.25, 0.5, 1]", "--trials", 2)
    run_cli("study", "run", "tiny.yaml", "--name", NAME, *flags)
    for trial in read_trials(folder / "styletuner.db"):
        assert trial.state is TrialState.PRUNED
        reason = "pruned: collapsed to flat or equal outputs at images 4 and 8"
        assert trial.user_attrs[attributes.REASON] == reason
        assert set(trial.user_attrs[attributes.PICTURES]) == {"sheet", "outputs"}


def test_trial_whose_last_step_broke_the_network_is_pruned(
    folder: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses are of before each step, so they do not see the last one before a rung."""
    real = StudyResources.paint
    calls: list[int] = []

    def broken(self: StudyResources, *photos: Any) -> Any:
        calls.append(len(calls))
        return real(self, *photos) * np.float32("nan" if len(calls) == 2 else 1)

    monkeypatch.setattr(StudyResources, "paint", broken)
    run_cli("study", "run", "tiny.yaml", "--name", NAME, "--trials", 1).require_success()
    (trial,) = read_trials(folder / "styletuner.db")
    assert trial.state is TrialState.PRUNED
    assert trial.user_attrs[attributes.REASON] == ("diverged: what the network paints is not finite after image 16")
    assert trial.value == trial.intermediate_values[8]


def test_interrupt_that_native_code_would_swallow_is_not_lost(
    folder: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TensorFlow drops a KeyboardInterrupt that is raised while it traces, and so does Python in finalisers."""

    def interrupted_deep_inside(trial: optuna.Trial, search: SearchSection) -> SampledValues:
        with contextlib.suppress(KeyboardInterrupt):
            signal.raise_signal(signal.SIGINT)
        return suggest_values(trial, search)

    monkeypatch.setattr("tuner.search.trial.suggest_values", interrupted_deep_inside)
    outcome = run_cli("study", "run", "tiny.yaml", "--name", NAME)
    assert outcome.status == 1
    assert outcome.stderr.endswith("Interrupted. Run the same command again to go on.\n")
    states = [trial.state for trial in read_trials(folder / "styletuner.db")]
    assert states == [TrialState.FAIL, TrialState.WAITING]


class TestResumedWhenDone:
    @pytest.fixture(autouse=True)
    def nothing_is_built(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def fail(*_: Any, **__: Any) -> None:
            raise AssertionError("A study with all its trials needs nothing.")

        monkeypatch.setattr("tuner.running.workers.in_process.StudyResources", fail)
        monkeypatch.setattr("tuner.running.workers.worker_processes.subprocess.Popen", fail)

    @pytest.mark.usefixtures("finished")
    @pytest.mark.parametrize("workers", [1, 2])
    def test_nothing_is_built(self, run_cli: RunCli, workers: int) -> None:
        outcome = run_cli("study", "run", "tiny.yaml", "--name", NAME, "--workers", workers).require_success()
        assert f"{NAME}: 3 complete" in outcome.stdout
