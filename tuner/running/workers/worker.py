"""A worker: claims trials of a study one after another and runs them until the study has its total or is stopped."""

import functools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Final, final

import optuna
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

from groundwork.interrupts import UndisturbedWork
from studies.claims.claiming import Claim, NoClaim, attach, claim, close
from studies.claims.processes import WorkerIdentity
from studies.claims.reaping import reap, release
from studies.claims.retries import mark_interrupted, mark_killed
from studies.errors import ClaimLostError, StorageError, StudiesError, StudyError
from studies.records import attributes
from studies.storage.database_errors import storage_error, storage_errors
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.setting_bounds import MAX_TRIALS
from tuner.errors import WorkerError
from tuner.running.stopping import Allowance
from tuner.running.workers.memory_faults import memory_fault
from tuner.running.workers.worker_ends import INTERRUPTED
from tuner.search.pruners import build_pruner
from tuner.search.samplers import build_sampler
from tuner.search.trial import TrialRunner

POLL_SECONDS: Final = 1.0
"""Pause before another look when other workers run all the trials that are missing."""

MAX_CONSECUTIVE_FAILURES: Final = 3
"""Trials that may fail one after another before a worker gives up: the fault is then not in the sampled weights."""

RENAMED: Final = "its study was renamed"

_ENDED_BY_OTHERS: Final = (UpdateFinishedTrialError, ValueError, AssertionError)
"""What Optuna raises where a trial that it would end has ended already; which of them depends on how far it was."""

_NO_FAILURE: Final = (optuna.TrialPruned, ClaimLostError, UpdateFinishedTrialError)
"""How a trial may end without a fault of its own."""


@final
class Worker:
    """Runs trials in this process; several workers on one study share it through its storage alone."""

    def __init__(
        self,
        storage: StudyStorage,
        study_uuid: str,
        *,
        allowance: Callable[[], Allowance],
        runner: TrialRunner,
        on_trial: Callable[[FrozenTrial], None],
        on_idle: Callable[[], None] = lambda: None,
    ) -> None:
        """Prepare the loop.

        Args:
            storage: Opened for writing.
            study_uuid: UUID of an existing study.
            allowance: Says how many finished (complete and pruned) trials the study may have as things stand.
            runner: Runs one trial.
            on_trial: Told of each trial of this worker that ended.
            on_idle: Called while it waits for other workers' trials.
        """
        self._storage = storage
        self._study_uuid = study_uuid
        self._allowance = allowance
        self._runner = runner
        self._on_trial = on_trial
        self._on_idle = on_idle
        self._identity = WorkerIdentity.current()
        self._study: optuna.Study | None = None

    def run(self) -> None:
        """Run trials until the study has its total, or is stopped before.

        A study that is renamed meanwhile is followed; its running trial is run again.

        Raises:
            StudyError: The study was deleted meanwhile.
            KeyboardInterrupt: After the running trial has been given back.
            Exception: Whatever made `MAX_CONSECUTIVE_FAILURES` trials fail one after another.
        """
        failures = 0
        while True:
            reap(self._storage, self._study_uuid, total=self._allowance().total)
            allowed = self._allowance()  # the dead have left what they trained on
            if allowed.stop is not None:
                return
            total = MAX_TRIALS if allowed.total is None else allowed.total
            held = claim(self._storage, self._study_uuid, total=total, worker=self._identity)
            if held is NoClaim.DONE:
                if allowed.may_rise:
                    continue  # a trial was pruned since: the next look says what is left
                return
            if isinstance(held, NoClaim):
                self._on_idle()
                time.sleep(POLL_SECONDS)
                continue
            failures = 0 if self._run_claimed(held, last_try=failures + 1 >= MAX_CONSECUTIVE_FAILURES) else failures + 1

    def _run_claimed(self, held: Claim, *, last_try: bool) -> bool:
        """Run one trial; return whether it ended without an error."""
        attempt = _Attempt(study=self._current_study(), held=held, last_try=last_try)
        try:
            with storage_errors(self._storage.url), _quiet_heartbeats():
                attempt.study.optimize(functools.partial(self._objective, attempt), n_trials=1, catch=(Exception,))
        except _StudyMovedInterrupt as moved:
            return self._follow_study(attempt, interrupted=moved.interrupted)
        except KeyboardInterrupt:
            with UndisturbedWork():
                release(self._storage, held, trial_number=attempt.number, reason=INTERRUPTED)
            raise
        except _FailureNotNoted:
            pass
        except Exception as error:
            if self._has_moved(attempt.study):
                return self._follow_study(attempt, interrupted=False)
            # A process that was silent for long, such as on a laptop that slept, is taken for dead by another one.
            if not (isinstance(error, _ENDED_BY_OTHERS) and attempt.has_ended()):
                raise
        finally:
            with suppress(Exception):
                close(self._storage, held)
        if attempt.fatal is not None:
            raise attempt.fatal
        return self._tell_of(attempt)

    def _objective(self, attempt: "_Attempt", trial: optuna.Trial) -> Sequence[float]:
        """Run a trial for Optuna, which must not write to it once the study stands elsewhere: ids are used again."""
        attempt.number = trial.number
        try:
            values = self._run_trial(trial, attempt)
        except (Exception, KeyboardInterrupt) as error:
            if self._has_moved(attempt.study):
                raise _StudyMovedInterrupt(interrupted=isinstance(error, KeyboardInterrupt)) from error
            if isinstance(error, Exception) and not isinstance(error, _NO_FAILURE):
                self._note_failure(attempt, trial, error)
            raise
        if self._has_moved(attempt.study):
            raise _StudyMovedInterrupt(interrupted=False)
        return values

    def _run_trial(self, trial: optuna.Trial, attempt: "_Attempt") -> Sequence[float]:
        try:
            # Before the claim, which may be lost: the trial is then known to be ours, and run again.
            trial.set_user_attr(attributes.WORKER, self._identity.as_attribute())
            attach(self._storage, attempt.held, trial_number=trial.number)
            return self._runner.run(trial)
        except KeyboardInterrupt:
            if not self._has_moved(attempt.study):
                mark_interrupted(trial, INTERRUPTED)
            raise

    def _note_failure(self, attempt: "_Attempt", trial: optuna.Trial, error: Exception) -> None:
        memory = memory_fault(error)
        cause = None if memory is not None else self._outside_cause(error)
        if cause is not None or attempt.last_try:
            attempt.fatal = cause or (error if memory is None else WorkerError(f"Trials ran {memory}."))
        if memory is None:
            _note_failure(trial, cause or error, outside=cause is not None)
        else:
            mark_killed(trial, memory)

    def _has_moved(self, study: optuna.Study) -> bool:
        """Whether the study was deleted or renamed, which optuna-dashboard does by copying it to another id."""
        try:
            return study_id_of(self._storage.read_by_uuid(self._study_uuid)) != study_id_of(study)
        except StudyError:
            return True
        except StorageError:  # what was wrong before says more
            return False

    def _follow_study(self, attempt: "_Attempt", *, interrupted: bool) -> bool:
        """Give the copy of this worker's trial back, to be run again; return whether to go on.

        Raises:
            StudyError: The study was deleted.
            KeyboardInterrupt: That was why the trial ended.
        """
        try:
            trials = self._storage.load_by_uuid(self._study_uuid).get_trials(deepcopy=False)
            copied = [trial.number for trial in trials if trial.number == attempt.number and self._is_mine(trial)]
            with UndisturbedWork():
                release(self._storage, attempt.held, trial_number=copied[0] if copied else None, reason=RENAMED)
        except StudyError:
            if not interrupted:
                raise
        if interrupted:
            raise KeyboardInterrupt
        return True

    def _is_mine(self, trial: FrozenTrial) -> bool:
        owner = WorkerIdentity.from_attribute(trial.user_attrs.get(attributes.WORKER))
        return trial.state is TrialState.RUNNING and owner == self._identity

    def _outside_cause(self, error: Exception) -> Exception | None:
        """What failed if the weights are not at fault: the database, the disk."""
        if isinstance(error, SQLAlchemyError | StorageInternalError):
            return storage_error(self._storage.url, error)
        return error if isinstance(error, StudiesError | OSError) else None

    def _tell_of(self, attempt: "_Attempt") -> bool:
        if attempt.number is None:
            return False
        ended = attempt.study.get_trials(deepcopy=False)[attempt.number]
        self._on_trial(ended)
        return ended.state is not TrialState.FAIL

    def _current_study(self) -> optuna.Study:
        """Return the study, loaded once and again where it was moved (optuna-dashboard renames by copying).

        Optuna reads each finished trial from the database once for every time that a study is loaded.
        """
        found = self._storage.read_by_uuid(self._study_uuid)
        if self._study is None or study_id_of(self._study) != study_id_of(found):
            config = self._runner.config
            self._study = self._storage.load_by_uuid(
                self._study_uuid,
                sampler=build_sampler(config.search, seed=config.seed),
                pruner=build_pruner(config.search, rungs=config.rungs, seed=config.seed),
            )
        return self._study


@final
@dataclass(kw_only=True)
class _Attempt:
    """A claimed trial on its way.

    Attributes:
        study: Where it is run.
        held: The claim.
        last_try: Whether the worker gives up if this trial fails too.
        number: The trial's, as soon as there is one.
        fatal: What ends the worker after the trial.
    """

    study: optuna.Study
    held: Claim
    last_try: bool
    number: int | None = None
    fatal: Exception | None = None

    def has_ended(self) -> bool:
        """Whether the trial has ended, by whomever."""
        return self.number is not None and self.study.get_trials(deepcopy=False)[self.number].state.is_finished()


@final
class _StudyMovedInterrupt(BaseException):
    """Passes by Optuna, which would write to a trial that is no longer there, or is another study's."""

    def __init__(self, *, interrupted: bool) -> None:
        super().__init__()
        self.interrupted = interrupted


@final
class _FailureNotNoted(BaseException):
    """Passes by Optuna, which so leaves the trial running: the next reaper sees it abandoned, and has it run again."""


@contextmanager
def _quiet_heartbeats() -> Iterator[None]:
    """Spare the user the traceback of Optuna's heartbeat thread when the database fails: the trial says it in words."""
    before = threading.excepthook

    def tell_of_others(arguments: threading.ExceptHookArgs) -> None:
        if not issubclass(arguments.exc_type, SQLAlchemyError | StorageInternalError):
            before(arguments)

    threading.excepthook = tell_of_others
    try:
        yield
    finally:
        threading.excepthook = before


def _note_failure(trial: optuna.Trial, error: Exception, *, outside: bool) -> None:
    """Write why a trial fails; where it is not the weights' fault (a full disk), mark them to be run again."""
    try:
        if outside:
            mark_interrupted(trial, str(error))
        else:
            trial.set_user_attr(attributes.FAILURE, f"{type(error).__name__}: {error}")
    except Exception:
        # The disk may be what failed: the error itself matters more than its note.
        if outside:
            raise _FailureNotNoted from error
