"""Who takes a dead worker's place: processes of a shell's line each, on a real storage."""

import errno
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any, final

import optuna
import pytest
from optuna.trial import TrialState

from studies.claims.claiming import attach, claim, open_claims
from studies.claims.reaping import reap
from studies.records import attributes
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tests.tuner.tiny_study import NAME
from tuner.configuration.settings import StudyConfig
from tuner.errors import WorkerError
from tuner.running.observer import SilentObserver
from tuner.running.study_run import StudyRun
from tuner.running.workers.crew import MAX_DEATHS, Crew
from tuner.running.workers.worker_ends import BAD_INPUT, GAVE_BACK, GAVE_UP, HUNG
from tuner.running.workers.worker_processes import run_in_processes


@final
class Scene:
    """A study, and the crew that runs it."""

    def __init__(self, storage: StudyStorage) -> None:
        self.said: list[str] = []
        self.started: list[int] = []
        self.storage = storage
        self.study = create_study(storage.optuna, NAME)
        pictures: Any = None
        config = StudyConfig.model_validate({"search": {"trials": 3}})
        self.run = StudyRun(storage=storage, uuid=uuid_of(self.study), config=config, pictures=pictures)

    def crew(self, *lines: str, err: int | None = None) -> Crew:
        """Workers that do what a shell's line says, one each."""

        def start(place: int) -> subprocess.Popen[bytes]:
            self.started.append(place)
            return subprocess.Popen(["/bin/sh", "-c", lines[place]], stdin=subprocess.PIPE, stderr=err)

        return Crew(self.run, len(lines), start=start, say=self.said.append)

    def begin_trial(self, crew: Crew) -> None:
        """Give the first worker a running trial."""
        worker = crew._places[0].identity
        held: Any = claim(self.storage, self.run.uuid, total=3, worker=worker)
        trial_id = self.new_trial()
        self.storage.optuna.set_trial_user_attr(trial_id, attributes.WORKER, worker.as_attribute())
        attach(self.storage, held, trial_number=self.trials()[-1].number)

    def new_trial(self) -> int:
        trial_id = self.storage.optuna.create_new_trial(study_id_of(self.study))
        self.storage.optuna.set_trial_param(trial_id, "x", 0.5, optuna.distributions.FloatDistribution(0, 1))
        return trial_id

    def trials(self) -> list[optuna.trial.FrozenTrial]:
        return self.storage.load_study(NAME).get_trials()

    def states(self) -> list[str]:
        return [trial.state.name for trial in self.trials()]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with StudyStorage.create(str(tmp_path / "studies.db")) as storage:
        yield Scene(storage)


def look_until(crew: Crew, condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
        crew.look()


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("kill -SEGV $$", "Worker 0 crashed (signal 11, SIGSEGV)."),
        ("kill -KILL $$", "Worker 0 was killed (signal 9, SIGKILL): often the machine ran out of memory"),
        ("exit 7", "Worker 0 ended with status 7."),
        (f"exit {HUNG}", "Worker 0 stood still for 900 s and was ended."),
    ],
)
def test_a_place_whose_workers_all_die_is_given_up(scene: Scene, line: str, words: str) -> None:
    crew = scene.crew(line)
    look_until(crew, lambda: not crew.is_running)
    assert scene.started == [0] * MAX_DEATHS
    assert [text.startswith(words) for text in scene.said] == [True] * MAX_DEATHS
    assert [text.endswith("Another one takes its place.") for text in scene.said] == [True, True, False]
    assert "3 times in a row without a finished trial: nobody takes its place any more." in scene.said[-1]
    assert not crew.has_succeeded


@pytest.mark.parametrize("status", [0, BAD_INPUT, GAVE_UP])
def test_who_has_said_why_is_not_replaced(scene: Scene, status: int) -> None:
    crew = scene.crew(f"exit {status}", f"exit {status}")
    look_until(crew, lambda: not crew.is_running)
    assert (scene.started, scene.said) == ([0, 1], [])
    assert crew.has_succeeded == (status == 0)


def test_the_others_go_on(scene: Scene) -> None:
    crew = scene.crew("exit 7", "read _")
    look_until(crew, lambda: scene.started.count(0) == MAX_DEATHS and len(scene.said) == MAX_DEATHS)
    assert scene.said[-1].endswith("nobody takes its place any more; the others go on.")
    assert crew.is_running
    crew.stop(at_once=False)
    assert not crew.is_running


def test_a_finished_trial_begins_the_count_anew(scene: Scene) -> None:
    crew = scene.crew("read _; exit 7")
    for _ in range(MAX_DEATHS + 1):
        scene.begin_trial(crew)
        if len(scene.started) == 2:
            scene.study.tell(scene.trials()[-1].number, 0.5)
        die(crew)
    assert len(scene.started) == MAX_DEATHS + 1, "two, and two more since the second one finished a trial"


def test_a_dead_workers_trial_says_why_and_is_run_again(scene: Scene) -> None:
    crew = scene.crew("read _; kill -SEGV $$")
    scene.begin_trial(crew)
    die(crew)
    assert scene.states() == ["FAIL", "WAITING"]
    assert scene.trials()[0].user_attrs[attributes.FAILURE] == "its worker crashed (signal 11, SIGSEGV)"
    assert scene.trials()[1].user_attrs[attributes.RETRY_OF] == 0
    crew.stop(at_once=True)


def test_it_says_why_also_where_another_worker_came_first(scene: Scene) -> None:
    crew = scene.crew("read _; exit 7")
    scene.begin_trial(crew)
    process = crew._places[0].process
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    process.wait()
    reap(scene.storage, scene.run.uuid)
    assert scene.trials()[0].user_attrs[attributes.FAILURE] == "its worker died"
    crew.look()
    assert scene.trials()[0].user_attrs[attributes.FAILURE] == "its worker ended with status 7"
    assert scene.states() == ["FAIL", "WAITING"], "and no second retry"
    crew.stop(at_once=True)


def test_nobody_replaces_a_worker_of_a_study_that_is_done(scene: Scene) -> None:
    crew = scene.crew("read _; exit 7")
    for _ in range(3):
        scene.new_trial()
        scene.study.tell(scene.trials()[-1].number, 0.5)
    die(crew)
    assert (scene.started, scene.said, crew.is_running) == ([0], [], False)


def test_who_was_asked_to_end_is_not_replaced(scene: Scene) -> None:
    crew = scene.crew(f"exit {GAVE_BACK}")
    look_until(crew, lambda: not crew.is_running)
    assert scene.started == [0]
    assert scene.said == ["Worker 0 was asked to end, and nobody takes its place."]


def test_nobody_is_replaced_once_the_command_is_to_end(scene: Scene) -> None:
    crew = scene.crew("read _; exit 7")
    scene.begin_trial(crew)
    die(crew, replaces=False)
    assert (scene.started, crew.is_running) == ([0], False)
    assert scene.trials()[0].user_attrs[attributes.FAILURE] == "its worker ended with status 7"


def test_a_worker_that_cannot_be_started_counts_as_a_death(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    crew = scene.crew("read _; exit 7", "read _")

    def fail(*_: object, **__: object) -> None:
        raise OSError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(subprocess, "Popen", fail)
    die(crew)
    assert scene.started == [0, 1, 0, 0]
    (said,) = scene.said
    assert said.startswith("Worker 0 ended with status 7; another one cannot be started (Resource temporarily")
    assert said.endswith("nobody takes its place any more; the others go on.")
    assert crew.is_running
    crew.stop(at_once=True)


def test_who_dies_while_it_is_asked_to_end_is_buried(scene: Scene) -> None:
    crew = scene.crew("trap 'exit 7' TERM; echo ready >&2; while :; do sleep 0.05; done", err=subprocess.PIPE)
    process: Any = crew._places[0].process
    assert process.stderr.readline() == b"ready\n"
    scene.begin_trial(crew)
    crew.stop(at_once=False)
    process.stderr.close()
    assert scene.states() == ["FAIL", "WAITING"]
    assert scene.trials()[0].user_attrs[attributes.FAILURE] == "its worker ended with status 7"


LAST_WORDS = f"""
import os
from studies.storage.study_storage import StudyStorage
with StudyStorage.open(os.environ["STYLETUNER_WORKER_STORAGE"]) as storage:
    study = storage.load_study({NAME!r})
    for _ in range(NUM_TOLD):
        study.tell(study.ask(), 0.5)
os._exit(3)
"""


@pytest.mark.parametrize("num_told", [3, 2])
def test_a_study_that_has_its_trials_is_no_failure_though_its_last_worker_died(scene: Scene, num_told: int) -> None:
    program = ("-c", LAST_WORDS.replace("NUM_TOLD", str(num_told)))
    with nullcontext() if num_told == 3 else pytest.raises(WorkerError, match="All 1 workers ended"):
        run_in_processes(scene.run, 1, SilentObserver(), program=program)
    assert scene.states() == ["COMPLETE"] * num_told


DEAF = "trap '' TERM; echo deaf >&2; while :; do sleep 0.05; done"


def test_stopped_at_once_the_trial_counts_as_interrupted(scene: Scene) -> None:
    crew = scene.crew(DEAF)
    scene.begin_trial(crew)
    crew.stop(at_once=True)
    assert crew._places[0].process.returncode == -signal.SIGKILL
    failed, again = scene.trials()
    assert (failed.state, again.state) == (TrialState.FAIL, TrialState.WAITING)
    assert failed.user_attrs[attributes.FAILURE] == "interrupted by the user"
    assert again.user_attrs[attributes.NUM_RETRIES] == 0, "it is no fault of the trial's"
    assert open_claims(scene.storage, scene.run.uuid) == []


def test_a_signal_while_workers_give_back_kills_them(scene: Scene) -> None:
    crew = scene.crew(DEAF, err=subprocess.PIPE)
    process: Any = crew._places[0].process
    assert process.stderr.readline() == b"deaf\n"
    threading.Timer(0.3, signal.raise_signal, [signal.SIGINT]).start()
    crew.stop(at_once=False)
    assert process.returncode == -signal.SIGKILL
    process.stderr.close()


def die(crew: Crew, *, replaces: bool = True) -> None:
    """Let the worker that waits for a line go on to its end, and see what becomes of it."""
    process = crew._places[0].process
    assert process.stdin is not None
    process.stdin.write(b"\n")
    process.stdin.flush()
    process.wait()
    crew.look(replaces=replaces)
