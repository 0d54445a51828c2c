"""The final of a study: its best trials trained again with further seeds, after the search."""

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Final, final

from dashboards.errors import DashboardsError
from dashboards.final_sheet import final_sheet
from groundwork.interrupts import HeldInterrupts
from studies.claims.final_claims import FinalClaims
from studies.errors import StudiesError
from studies.records.final import RunKey, StudyFinal
from studies.records.summaries import summarise
from tuner.installation import environment
from tuner.running.finals.choosing import plan_final
from tuner.running.finals.final_store import FinalStore, end_final
from tuner.running.observer import StudyObserver
from tuner.running.study_run import StudyRun

POLL_SECONDS: Final = 1.0
"""Pause before another look when other processes train all the runs that are missing."""

RENEW_SECONDS: Final = 60.0
"""Between two signs of life of a run: a fifteenth of the time after which another machine takes it over."""


def begin_final(run: StudyRun) -> StudyFinal | None:
    """Return a study's final as it stands, with the finalists of now, which are kept; None where it shall have none.

    What an earlier command left of one is not waited for then.

    Args:
        run: Of a study whose search has ended.

    Raises:
        StudyError: The study was deleted.
        StorageError: The database cannot be written.
    """
    planned = plan_final(run)
    if planned is None:
        end_final(run.storage, run.uuid)
        return None
    return FinalStore(run.storage, run.uuid, planned).begin()


def run_final(run: StudyRun, begun: StudyFinal, observer: StudyObserver) -> None:
    """Train the best trials of a study again; each run is kept once it is done.

    It runs in this process, whatever the number of workers; another command on the study, on this machine or another,
    takes other runs.

    Args:
        run: Of a study whose search has ended.
        begun: Its final, of which runs are missing.
        observer: Told what is done.

    Raises:
        StudyError: The study was deleted, what its trials start from is gone, or it looks through another loss network.
        ScoutError: Its scout is of another version.
        SampledValuesError: A finalist's parameters were edited into what no trial has.
        ConfigError: There is no room for the crops of a seed, or a checkpoint is another version's.
        CheckpointError: What an interrupted run left cannot be read.
        OutputError: Interrupted, and no checkpoint can be written.
        StorageError: The database or the folder of artifacts cannot be written.
        KeyboardInterrupt: Between two batches, after a checkpoint has been written if training had begun.
    """
    store = FinalStore(run.storage, run.uuid, begun)
    observer.say(
        f"Final: trials {', '.join(map(str, begun.wanted))} are trained again with seeds "
        f"{' and '.join(map(str, begun.seeds))}, and judged on the report photos; {len(begun.missing)} of "
        f"{len(begun.keys)} runs to go"
    )
    environment.load_networks()
    try:
        with HeldInterrupts() as interrupts:
            _Finalists(run, store=store, observer=observer, check=interrupts.check).train_missing()
    finally:
        observer.close()


def keep_final_sheet(run: StudyRun, begun: StudyFinal, observer: StudyObserver) -> None:
    """Keep a sheet of what the runs of a final painted, if all are done; one that cannot be drawn is told, no more.

    Args:
        run: Of the study.
        begun: Its final.
        observer: Told why there is none.
    """
    store = FinalStore(run.storage, run.uuid, begun)
    try:
        if store.known().needs_sheet(run.storage.artifacts.has):
            store.keep_sheet(final_sheet(run.storage, summarise(run.storage, run.name)))
    except (DashboardsError, StudiesError) as error:
        reason = str(error).splitlines()[0]
        observer.say(f"The sheet of the final cannot be drawn; who won stands all the same. {reason}")


@final
class _Finalists:
    """Trains runs of a final that nobody has, one after another, and says meanwhile that it still does."""

    def __init__(self, run: StudyRun, *, store: FinalStore, observer: StudyObserver, check: Callable[[], None]) -> None:
        from tuner.running.finals.final_training import FinalTraining

        self._limit = run.limit
        self._store = store
        self._observer = observer
        self._check = check
        self._claims = FinalClaims(run.storage, run.uuid)
        self._held: RunKey | None = None
        self._renewed = 0.0
        self._training = FinalTraining(run, say=self._say)

    def train_missing(self) -> None:
        """Train runs until none is missing or no time is left; wait for those that others train."""
        has_waited = False
        while True:
            self._check()
            if self._limit is not None and self._limit.is_over:
                to_go = len(self._store.known().missing)
                self._observer.say(f"The time is over; runs of the final to go: {to_go}. The same command goes on")
                return
            key = self._claims.take()
            if key is not None:
                self._train(key)
                continue
            if not self._store.known().missing:
                return
            if not has_waited:
                self._observer.say("waiting for other processes, which train the last runs of the final")
            has_waited = True
            time.sleep(POLL_SECONDS)

    def _train(self, key: RunKey) -> None:
        """Train a claimed run and keep it, or leave a checkpoint; it is nobody's then."""
        self._held, self._renewed = key, time.monotonic()
        try:
            self._observer.on_start(key[0], self._training.sampled(key).loss_weights())
            run, outputs = self._training.train(key, on_batch=self._on_batch)
            kept = self._store.keep_run(run, outputs, photos=self._training.photos)
            self._training.forget(key)
            self._observer.on_final_run(run, num_done=len(kept.keys) - len(kept.missing), num_runs=len(kept.keys))
        finally:
            self._held = None
            # What ended the run says more; and a claim ends with its process.
            with suppress(StudiesError):
                self._claims.release(key)

    def _say(self, text: str) -> None:
        """Pass on what is being done: setting up a seed takes minutes without a batch."""
        self._observer.say(text)
        self._go_on()

    def _on_batch(self, num_images: int) -> None:
        self._observer.on_batch(num_images)
        self._go_on()

    def _go_on(self) -> None:
        self._check()
        if self._held is not None and time.monotonic() - self._renewed > RENEW_SECONDS:
            self._renewed = time.monotonic()
            self._claims.renew(self._held)
