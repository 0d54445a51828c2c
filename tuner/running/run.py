"""Running a study from the command line: in this process, or in several worker processes."""

import functools
import os
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, final

import optuna
from optuna.trial import TrialState

from groundwork.interrupts import HeldInterrupts
from studies.claims.reaping import reap
from studies.claims.trial_states import FINISHED_STATES
from studies.records.trial_qualities import quality_of
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import StudyConfig
from tuner.errors import WorkerError
from tuner.running.measurements import keep_judged_photos, settle_scale
from tuner.running.progress import StudyProgress
from tuner.running.worker import ProgressWatchdog, Worker
from tuner.search.resources import StudyResources
from tuner.search.study_pictures import StudyPictures
from tuner.search.trial import TrialObserver, TrialRunner

STORAGE_VARIABLE: Final = "STYLETUNER_WORKER_STORAGE"
"""Hands a storage's URL to a worker process: a password has no place among a command's arguments."""

HANG_SECONDS: Final = 900.0
"""Time without a training step after which a worker counts as hung: the first step, compilation included, takes
tens of seconds on the slowest machine tried; fifteen minutes leave room for far larger crops."""

POLL_SECONDS: Final = 0.5


@final
@dataclass(frozen=True, kw_only=True)
class StudyRun:
    """One command's run of a study.

    Attributes:
        storage: Opened for writing.
        name: An existing study.
        config: Its configuration.
        pictures: Its pictures.
    """

    storage: StudyStorage
    name: str
    config: StudyConfig
    pictures: StudyPictures

    @property
    def uuid(self) -> str:
        """Return what the study is, however it is called."""
        return uuid_of(self.storage.read_study(self.name))

    def is_done(self) -> bool:
        """Return whether the study has its total of finished trials, once what dead workers left is cleared away."""
        reap(self.storage, self.uuid)
        return self._num_finished() >= self.config.search.trials

    def progress(self, *, num_workers: int = 1) -> StudyProgress:
        """Return a progress display that begins with what the study has."""
        trials = self.storage.read_study(self.name).get_trials(deepcopy=False)
        complete = [
            (trial.number, quality)
            for trial in trials
            if trial.state is TrialState.COMPLETE and (quality := quality_of(trial)) is not None
        ]
        best = max(complete, key=lambda number_and_value: number_and_value[1], default=None)
        finished = self._num_finished()
        total = self.config.search.trials
        return StudyProgress(self.config, finished=finished, total=total, best=best, num_workers=num_workers)

    def _num_finished(self) -> int:
        trials = self.storage.read_study(self.name).get_trials(deepcopy=False)
        return sum(trial.state in FINISHED_STATES for trial in trials)

    def run_here(self, progress: StudyProgress) -> None:
        """Run trials in this process until the study has its total."""
        if self.is_done():
            return
        # Optuna's own line for each trial says less than ours, and it warns of a failed one with a traceback.
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        watchdog = ProgressWatchdog(patience_seconds=HANG_SECONDS)
        watchdog.start()
        interrupts = HeldInterrupts()

        def say(text: str) -> None:
            watchdog.progressed()
            progress.say(text)

        def on_step() -> None:
            watchdog.progressed()
            interrupts.check()

        try:
            settle = functools.partial(settle_scale, self.storage, self.name)
            resources = StudyResources(self.config, self.pictures, report=say, settle=settle)
            keep_judged_photos(self.storage, self.name, rung=resources.rung, calibration=resources.calibration)
            with interrupts:
                self._worker(resources, progress, on_step).run()
        finally:
            watchdog.stop()
            progress.close()

    def _worker(self, resources: StudyResources, progress: StudyProgress, on_step: Callable[[], None]) -> Worker:
        """Return a worker that tells the progress display what it does, and calls `on_step` after each bit of it."""

        def then_step(tell: Callable[..., None]) -> Callable[..., None]:
            def told(*arguments: Any) -> None:
                tell(*arguments)
                on_step()

            return told

        observer = TrialObserver(
            on_start=then_step(progress.on_start),
            on_batch=then_step(progress.on_batch),
            on_rung=then_step(progress.on_rung),
        )
        runner = TrialRunner(self.storage, self.uuid, resources=resources, observer=observer)
        return Worker(
            self.storage,
            self.uuid,
            total=self.config.search.trials,
            runner=runner,
            on_trial=then_step(progress.on_trial),
            on_idle=then_step(lambda: None),
        )

    def run_in_processes(self, num_workers: int, progress: StudyProgress) -> None:
        """Start worker processes and print what they finish, until the study has its total.

        A worker that dies is not replaced: the others take over its trial.

        Raises:
            WorkerError: Every worker ended before the study had its total.
        """
        if self.is_done():
            return
        processes = [self._start_worker(num_workers) for _ in range(num_workers)]
        try:
            self._follow(processes, progress)
        except BaseException:
            for process in processes:
                process.terminate()
            raise
        finally:
            progress.close()
            for process in processes:
                process.wait()
        if all(process.returncode != 0 for process in processes):
            raise WorkerError(f"All {num_workers} workers ended before the study had its trials; see above for why.")

    def _start_worker(self, num_workers: int) -> subprocess.Popen[bytes]:
        threads = str(max(1, (os.cpu_count() or 1) // num_workers))
        names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
        # Where the photos lie on this machine; what the study says may be of another one.
        photos = map(str, self.config.photos)
        return subprocess.Popen(
            # -P: the folder that the user is in must not shadow our packages.
            [
                *(sys.executable, "-P", "-m", "styletuner._worker_process"),
                *(self.name, str(self.config.search.trials), *photos),
            ],
            env={**dict.fromkeys(names, threads), **os.environ, STORAGE_VARIABLE: self.storage.url},
            # Its end tells the worker that this process is gone.
            stdin=subprocess.PIPE,
            # Ctrl-C in a terminal reaches this process alone, which passes it on once.
            process_group=0,
        )

    def _follow(self, processes: list[subprocess.Popen[bytes]], progress: StudyProgress) -> None:
        study = self.storage.read_study(self.name)
        told = {trial.number for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()}
        while True:
            running = any(process.poll() is None for process in processes)
            trials = study.get_trials(deepcopy=False)
            for trial in trials:
                if trial.state.is_finished() and trial.number not in told:
                    told.add(trial.number)
                    progress.on_trial(trial)
            if not running:
                return
            progress.on_running([trial.number for trial in trials if trial.state is TrialState.RUNNING])
            time.sleep(POLL_SECONDS)
