"""Running a study's trials in this process."""

import functools
from collections.abc import Callable
from typing import Any

import optuna

from groundwork.interrupts import HeldInterrupts
from tuner.running.initial_weights import initial_weights
from tuner.running.measurements import keep_judged_photos, settle_scale
from tuner.running.observer import StudyObserver
from tuner.running.published_trials import queue_published
from tuner.running.shared_work import SharedWork
from tuner.running.standing_report import StandingReport
from tuner.running.study_run import StudyRun
from tuner.running.workers.watchdog import HANG_SECONDS, ProgressWatchdog, end_process
from tuner.running.workers.worker import Worker
from tuner.search.resources import StudyResources
from tuner.search.trial import TrialRunner
from tuner.search.trial_observer import TrialObserver


def run_here(
    run: StudyRun,
    observer: StudyObserver,
    *,
    shared: SharedWork | None = None,
    on_hang: Callable[[float], None] = end_process,
    check: Callable[[], None] = lambda: None,
) -> None:
    """Run trials in this process until the study has its total.

    Args:
        run: The study.
        observer: Told what happens.
        shared: What earlier studies of this process have loaded, computed and compiled already.
        on_hang: Told, in another thread, for how many seconds nothing has happened; by default it ends the process.
        check: Raises KeyboardInterrupt where somebody else wants the run to end; called as often as something is done.

    Raises:
        StudyError: The study's scale is another one than is measured here, or what its trials start from is gone.
        PretrainedError: A loss network can neither be read nor fetched.
        ScoutError: Its scout is of another version.
        KeyboardInterrupt: After the running trial has been given back.
    """
    if run.is_done():
        return
    # Optuna's own line for each trial says less than ours, and it warns of a failed one with a traceback.
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    watchdog = ProgressWatchdog(patience_seconds=HANG_SECONDS, on_hang=on_hang)
    watchdog.start()
    interrupts = HeldInterrupts()

    def say(text: str) -> None:
        watchdog.progressed()
        observer.say(text)

    def on_step() -> None:
        watchdog.progressed()
        interrupts.check()
        check()

    try:
        report = StandingReport(run, observer)
        report.tell()
        settle = functools.partial(settle_scale, run.storage, run.uuid)
        shared = shared or SharedWork()
        resources = shared.resources(run.config, run.pictures, report=say, settle=settle)
        keep_judged_photos(run.storage, run.uuid, rung=resources.rung, calibration=resources.calibration)
        queue_published(run, resources.scale, report=say)
        with interrupts:
            _worker(run, resources, observer=observer, report=report, on_step=on_step).run()
    finally:
        watchdog.stop()
        observer.close()


def _worker(
    run: StudyRun,
    resources: StudyResources,
    *,
    observer: StudyObserver,
    report: StandingReport,
    on_step: Callable[[], None],
) -> Worker:
    """Return a worker that tells the observer what it does, and calls `on_step` after each bit of it."""

    def then_step(tell: Callable[..., None]) -> Callable[..., None]:
        def told(*arguments: Any) -> None:
            tell(*arguments)
            on_step()

        return told

    def counted(tell: Callable[..., None]) -> Callable[..., None]:
        def told(*arguments: Any) -> None:
            report.tell()
            tell(*arguments)
            report.tell_verdict()

        return then_step(told)

    trial_observer = TrialObserver(
        on_start=counted(observer.on_start),
        on_batch=then_step(observer.on_batch),
        on_rung=counted(observer.on_rung),
    )
    return Worker(
        run.storage,
        run.uuid,
        allowance=run.rules().allowance,
        runner=TrialRunner(
            run.storage,
            run.uuid,
            resources=resources,
            observer=trial_observer,
            initial_weights=initial_weights(run),
        ),
        on_trial=counted(observer.on_trial),
        on_idle=then_step(lambda: None),
    )
