"""Running a study's trials in several worker processes, and following them."""

import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from typing import Final

from optuna.trial import FrozenTrial, TrialState

from groundwork.interrupts import HeldInterrupts
from tuner.errors import WorkerError
from tuner.running.observer import StudyObserver
from tuner.running.standing_report import StandingReport
from tuner.running.study_run import StudyRun
from tuner.running.workers.crew import Crew
from tuner.running.workers.run_ending import ending_of
from tuner.running.workers.worker_places import VISIBLE_GPUS, WorkerPlaces, find_places

STORAGE_VARIABLE: Final = "STYLETUNER_WORKER_STORAGE"
"""Hands a storage's URL to a worker process: a password has no place among a command's arguments."""

# -P: the folder that the user is in must not shadow our packages.
WORKER_PROGRAM: Final = ("-P", "-m", "styletuner._worker_process")
"""What Python is told to run in a worker process."""

POLL_SECONDS: Final = 0.5


def run_in_processes(
    run: StudyRun, num_workers: int, observer: StudyObserver, *, program: Sequence[str] = WORKER_PROGRAM
) -> None:
    """Start worker processes and tell what they finish, until the study has its total or is stopped.

    A worker that dies is replaced, see `Crew`; its trial is run again by whoever comes first. An interrupt has the
    workers give their trials back; a second one kills them.

    Args:
        run: The study.
        num_workers: Processes.
        observer: Told what happens.
        program: What Python is told to run in each of them.

    Raises:
        ConfigError: A GPU is named that is not there, or there are far too many workers.
        WorkerError: Every worker ended before the study had its total, or was stopped.
    """
    if run.is_done():
        return
    places = find_places(num_workers)
    if (shared := places.in_words()) is not None:
        observer.say(shared)
    start = functools.partial(_start_worker, run, places, program=program)
    crew = Crew(run, num_workers, start=start, say=observer.say)
    # An interrupt within a query would have SQLAlchemy log a traceback.
    with HeldInterrupts() as interrupts:
        try:
            follow(run, lambda: _is_running(crew, interrupts), observer, check=interrupts.check)
        except KeyboardInterrupt:
            observer.close()
            if not interrupts.is_urgent:
                observer.say("The workers give their trials back; Ctrl-C once more stops them at once.")
            raise
        finally:
            try:
                observer.close()
            finally:
                crew.stop(at_once=interrupts.is_urgent)
    # Whoever was to run its last trial may have died after it.
    if not crew.has_succeeded and not run.is_done():
        raise WorkerError(f"All {num_workers} workers ended before the study had its trials; see above for why.")


def _start_worker(
    run: StudyRun, places: WorkerPlaces, place: int, *, program: Sequence[str]
) -> subprocess.Popen[bytes]:
    # Where the photos lie on this machine; what the study says may be of another one.
    photos = map(str, run.config.photos)
    own = places.environment(place)
    # The user's number of threads goes over ours; of the user's GPUs each worker has its own.
    kept = {name: value for name, value in os.environ.items() if name != VISIBLE_GPUS or not places.gpus}
    return subprocess.Popen(
        [sys.executable, *program, run.uuid, ending_of(run).to_json(), *photos],
        env={**own, **kept, STORAGE_VARIABLE: run.storage.url},
        # Its end tells the worker that this process is gone.
        stdin=subprocess.PIPE,
        # Ctrl-C in a terminal reaches this process alone, which passes it on once.
        process_group=0,
    )


def _is_running(crew: Crew, interrupts: HeldInterrupts) -> bool:
    """Have the dead replaced unless all shall end, and return whether anybody runs."""
    crew.look(replaces=not interrupts.has_come)
    return crew.is_running


def follow(
    run: StudyRun, is_running: Callable[[], bool], observer: StudyObserver, *, check: Callable[[], None]
) -> None:
    """Tell what workers elsewhere finish, as long as one of them runs.

    Args:
        run: The study.
        is_running: Says whether a worker runs.
        observer: Told of every trial that ends, and of how far the study is.
        check: Raises KeyboardInterrupt where the run shall end.
    """
    told = {trial.number for trial in _trials(run) if trial.state.is_finished()}
    report = StandingReport(run, observer)
    while True:
        running = is_running()
        report.tell()
        trials = _trials(run)
        for trial in trials:
            if trial.state.is_finished() and trial.number not in told:
                told.add(trial.number)
                observer.on_trial(trial)
        report.tell_verdict()
        if not running:
            return
        observer.on_running([trial.number for trial in trials if trial.state is TrialState.RUNNING])
        time.sleep(POLL_SECONDS)
        check()


def _trials(run: StudyRun) -> list[FrozenTrial]:
    return run.storage.read_by_uuid(run.uuid).get_trials(deepcopy=False)
