"""Running a study from the command line: in this process, or in several worker processes."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import optuna
from optuna.trial import TrialState

from studies import attributes
from studies.claims import FINISHED_STATES
from studies.storage import StudyStorage
from studies.strips import encode_strip
from tuner.config import StudyConfig
from tuner.errors import WorkerError
from tuner.pictures import StudyPictures
from tuner.progress import StudyProgress
from tuner.resources import StudyResources
from tuner.trial import RungEvent, TrialObserver, TrialRunner
from tuner.worker import ProgressWatchdog, Worker

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

    def progress(self) -> StudyProgress:
        """Return a progress display that begins with what the study has."""
        trials = self.storage.read_study(self.name).get_trials(deepcopy=False)
        finished = sum(trial.state in FINISHED_STATES for trial in trials)
        complete = [
            (trial.number, trial.value)
            for trial in trials
            if trial.state is TrialState.COMPLETE and trial.value is not None
        ]
        best = max(complete, key=lambda number_and_value: number_and_value[1], default=None)
        return StudyProgress(self.config, finished=finished, total=self.config.search.trials, best=best)

    def run_here(self, progress: StudyProgress) -> None:
        """Run trials in this process until the study has its total."""
        # Optuna's own line for each trial says less than ours, and it warns of a failed one with a traceback.
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        watchdog = ProgressWatchdog(patience_seconds=HANG_SECONDS)
        watchdog.start()

        def on_batch(num_images: int) -> None:
            watchdog.progressed()
            progress.on_batch(num_images)

        def on_rung(event: RungEvent) -> None:
            watchdog.progressed()
            progress.on_rung(event)

        def say(text: str) -> None:
            watchdog.progressed()
            progress.say(text)

        try:
            resources = StudyResources(self.config, self.pictures, report=say)
            self._keep_measurements(resources)
            observer = TrialObserver(on_start=progress.on_start, on_batch=on_batch, on_rung=on_rung)
            runner = TrialRunner(self.storage, self.name, resources=resources, observer=observer)
            worker = Worker(
                self.storage,
                self.name,
                total=self.config.search.trials,
                runner=runner,
                on_trial=progress.on_trial,
                on_idle=watchdog.progressed,
            )
            worker.run()
        finally:
            watchdog.stop()

    def run_in_processes(self, num_workers: int, progress: StudyProgress) -> None:
        """Start worker processes and print what they finish, until the study has its total.

        A worker that dies is not replaced: the others take over its trial.

        Raises:
            WorkerError: Every worker ended before the study had its total.
        """
        threads = str(max(1, (os.cpu_count() or 1) // num_workers))
        names = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS")
        environment = {**dict.fromkeys(names, threads), **os.environ, STORAGE_VARIABLE: self.storage.url}
        # -P: the folder that the user is in must not shadow our packages.
        command = [sys.executable, "-P", "-m", "tuner.worker_process", self.name, str(self.config.search.trials)]
        processes = [subprocess.Popen(command, env=environment) for _ in range(num_workers)]
        try:
            self._follow(processes, progress)
        except BaseException:
            for process in processes:
                process.terminate()
            raise
        finally:
            for process in processes:
                process.wait()
        failed = sum(process.returncode != 0 for process in processes)
        if failed == num_workers:
            raise WorkerError(f"All {num_workers} workers ended before the study had its trials; see above for why.")

    def _follow(self, processes: list[subprocess.Popen[bytes]], progress: StudyProgress) -> None:
        study = self.storage.read_study(self.name)
        told = {trial.number for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()}
        while True:
            running = any(process.poll() is None for process in processes)
            for trial in study.get_trials(deepcopy=False):
                if trial.state.is_finished() and trial.number not in told:
                    told.add(trial.number)
                    progress.on_trial(trial)
            if not running:
                return
            time.sleep(POLL_SECONDS)

    def _keep_measurements(self, resources: StudyResources) -> None:
        study = self.storage.load_study(self.name)
        references = resources.references.to_dict()
        identity = {**study.user_attrs[attributes.IDENTITY], "loss_network": dict(resources.loss_network.identity)}
        for key, value in {attributes.REFERENCES: references, attributes.IDENTITY: identity}.items():
            if study.user_attrs.get(key) != value:
                study.set_user_attr(key, value)
        if attributes.RUNG_PHOTOS not in study.user_attrs:
            strip = encode_strip(resources.rung_photos)
            kept = self.storage.artifacts.upload_bytes(strip, study, file_name="rung_photos.png")
            study.set_user_attr(attributes.RUNG_PHOTOS, kept)


def estimate(
    config: StudyConfig, pictures: StudyPictures, *, report: Callable[[str], None], num_batches: int = 12
) -> tuple[float, float]:
    """Measure what a study would cost by training on a few batches.

    Returns:
        Seconds and bytes for the whole study, at most: pruning makes it less.
    """
    batch = config.training.batch_size
    few = config.model_copy(update={"data": config.data.model_copy(update={"num_crops": batch * num_batches})})
    with tempfile.TemporaryDirectory() as folder:
        resources = StudyResources(few, pictures, report=report, feature_folder=Path(folder))
        resources.trainer.train(resources.batches(0, batch))
        started = time.monotonic()
        resources.trainer.train(resources.batches(0, batch * num_batches))
        seconds_per_image = (time.monotonic() - started) / (batch * num_batches)
    resources.judge.score(list(resources.paint()))
    started = time.monotonic()
    resources.judge.score(list(resources.paint()))
    seconds_per_rung = time.monotonic() - started
    trial = config.training.images * seconds_per_image + len(config.search.rungs) * seconds_per_rung
    features = resources.feature_bytes_per_crop * config.data.num_crops
    if features > config.data.feature_cache_megabytes * 2**20:
        features = 0
    # Two PNGs a trial, each about as large as its raw pixels: an upper bound.
    pictures_bytes = config.search.trials * 3 * resources.rung_photos.size
    return trial * config.search.trials, float(features + pictures_bytes)
