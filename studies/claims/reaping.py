"""Clearing away what dead workers left: their trials fail and are run again, their claims go.

A reaper looks first, without a lock and in a fixed number of statements, and acts only where there is something to do.
Each step leaves something for the next reaper if this one is killed: a running trial, a failed one without a retry, a
claim.
"""

from collections.abc import Collection, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Final, final

import optuna
from optuna.exceptions import UpdateFinishedTrialError
from optuna.trial import TrialState

from studies.claims.claiming import UNATTACHED_SECONDS, Claim, close, discard, read_claims
from studies.claims.retries import RetryTime, enqueue_retry, retry_time
from studies.claims.trial_states import (
    FINISHED_STATES,
    UnfinishedTrial,
    count_by_state,
    ended_among,
    unfinished_trials,
)
from studies.records.attributes import ABANDONED, FAILURE, INTERRUPTED, KILLED
from studies.storage.connections import HEARTBEAT_GRACE_SECONDS
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_storage import StudyStorage, storage_errors

WORKER_DIED: Final = "its worker died"
"""Why a trial failed that nobody ran any more."""


@final
@dataclass(frozen=True, kw_only=True)
class Reaped:
    """What a reaper did.

    Attributes:
        failed: Numbers of the trials it failed because nobody ran them any more.
        retried: Numbers of the trials whose parameters it enqueued once more.
        num_claims: How many claims of dead workers it deleted.
    """

    failed: tuple[int, ...] = ()
    retried: tuple[int, ...] = ()
    num_claims: int = 0


def reap(storage: StudyStorage, study_uuid: str, *, total: int | None = None) -> Reaped:
    """Fail the running trials of dead workers, enqueue each once more, and delete the claims of the dead.

    Two processes may reap at once. Whether a worker on another machine lives, its trial's heartbeat tells.

    Args:
        storage: Where the study lives, opened for writing.
        study_uuid: The study's UUID.
        total: Finished trials that the study shall have. Where it is given, trials that were killed twice are run once
            more as soon as nothing but them is missing; see `studies.claims.retries.KILLS_BEFORE_LAST`.

    Raises:
        StudyError: If there is no such study.
        StorageError: If the database fails.
    """
    with storage_errors(storage.url):
        if _find_work(storage, study_uuid, total=total).is_nothing:
            return Reaped()
        study = storage.load_by_uuid(study_uuid)
        with storage.exclusive():
            work = _find_work(storage, study_uuid, total=total)
            if not all(trial.has_parameters for trial in work.to_fail):
                # Its worker may have sampled them and died since the trials were read; the dead write no more.
                work = _find_work(storage, study_uuid, total=total)
            again = sorted(trial.number for trial in work.to_retry)
            failed = [
                trial.number for trial in work.to_fail if _fail(storage, study, trial, retry=trial in work.to_retry)
            ]
            for trial in work.to_retry:
                if not trial.is_running:
                    _enqueue(storage, study, trial)
            if work.dead_claims:
                discard(storage, study_uuid, work.dead_claims)
    return Reaped(failed=tuple(failed), retried=tuple(again), num_claims=len(work.dead_claims))


def foresee(storage: StudyStorage, study_uuid: str) -> Reaped:
    """Return what `reap` would do now; changes nothing.

    Raises:
        StudyError: If there is no such study.
        StorageError: If the database cannot be read.
    """
    with storage_errors(storage.url):
        work = _find_work(storage, study_uuid, total=None)
    return Reaped(
        failed=tuple(trial.number for trial in work.to_fail),
        retried=tuple(sorted(trial.number for trial in work.to_retry)),
        num_claims=len(work.dead_claims),
    )


def release(storage: StudyStorage, held: Claim, *, trial_number: int | None, reason: str) -> bool:
    """End an interrupted trial of this process at once: fail it, enqueue it once more and close its claim.

    Args:
        storage: Where the study lives, opened for writing.
        held: The claim that the trial ran under.
        trial_number: The trial; None if the interrupt came before there was one. Optuna may have failed it already.
        reason: Why, in words; kept as the trial's `failure` if the trial still runs.

    Returns:
        Whether its parameters were enqueued once more.

    Raises:
        StudyError: If there is no such study.
        StorageError: If the database fails.
    """
    study = storage.load_by_uuid(held.study_uuid)
    retried = False
    with storage_errors(storage.url):
        with storage.exclusive():
            trial = _interrupted(storage, held.study_uuid, trial_number)
            if trial is not None:
                retried = _retry_time(trial) is RetryTime.AT_ONCE
                if trial.is_running:
                    _fail(storage, study, trial, reason=reason, retry=retried)
                elif retried:
                    _enqueue(storage, study, trial)
        close(storage, held)
    return retried


def abandoned_trials(storage: StudyStorage, study_uuid: str) -> set[int]:
    """Numbers of the trials that run as far as the database knows, but whose worker is known to be dead.

    They fail at the next run of the study. Changes nothing.

    Raises:
        StudyError: If there is no such study.
        StorageError: If the database cannot be read.
    """
    study_id = study_id_of(storage.read_by_uuid(study_uuid))
    with storage_errors(storage.url), storage.read_engine.begin() as connection:
        trials = unfinished_trials(connection, study_id, grace_seconds=HEARTBEAT_GRACE_SECONDS)
        claims = _Claims(read_claims(connection, study_uuid), ended=())
    owned = [trial for trial in trials if trial.worker is not None or claims.has_one_for(trial)]
    return {trial.number for trial in owned if claims.nobody_runs(trial)}


@final
@dataclass(frozen=True, kw_only=True)
class _Work:
    """What there is to do; a trial that runs is enqueued again before it fails."""

    to_fail: Sequence[UnfinishedTrial]
    to_retry: Sequence[UnfinishedTrial]
    dead_claims: Sequence[str]

    @property
    def is_nothing(self) -> bool:
        return not (self.to_fail or self.to_retry or self.dead_claims)


@final
class _Claims:
    """The open claims of a study, seen from this machine at one moment."""

    def __init__(self, claims: Sequence[Claim], *, ended: Collection[int]) -> None:
        self._claims = claims
        self._ended = ended
        self._attached = {held.trial_number: held for held in claims if held.trial_number is not None}
        self._waiting = [held.worker for held in claims if held.trial_number is None and _is_live(held)]

    @property
    def num_waiting(self) -> int:
        """Claims of live workers that have no trial yet."""
        return len(self._waiting)

    def has_one_for(self, trial: UnfinishedTrial) -> bool:
        """Whether a claim was used for this trial."""
        return trial.number in self._attached

    def nobody_runs(self, trial: UnfinishedTrial) -> bool:
        """Whether a trial that should run has lost its worker."""
        if not trial.is_running or trial.is_silent:
            return trial.is_running
        if self.has_one_for(trial):
            return not _is_live(self._attached[trial.number])
        if trial.worker is None:
            return not self._waiting
        return trial.worker.is_here and not (trial.worker in self._waiting and trial.worker.is_alive())

    def was_abandoned(self, trial: UnfinishedTrial) -> bool:
        """Whether a trial failed by nobody's fault: it says so, or a worker of ours ran it and could not say why."""
        if trial.is_running:
            return False
        return trial.cause is not None or trial.worker is not None or self.has_one_for(trial)

    def dead(self) -> list[str]:
        """Tokens of the claims whose worker is dead or whose trial has ended."""
        return [held.token for held in self._claims if not _is_live(held) or held.trial_number in self._ended]


def _is_live(held: Claim) -> bool:
    if held.worker.is_here:
        return held.worker.is_alive()
    # Once it has a trial, that trial's heartbeat tells.
    return held.trial_number is not None or held.age.total_seconds() < UNATTACHED_SECONDS


def _find_work(storage: StudyStorage, study_uuid: str, *, total: int | None) -> _Work:
    study_id = study_id_of(storage.read_by_uuid(study_uuid))
    with storage.read_engine.begin() as connection:
        # Trials first: the claim of a trial seen here is then seen as well, unless the trial has ended.
        trials = unfinished_trials(connection, study_id, grace_seconds=HEARTBEAT_GRACE_SECONDS)
        num_by_state = count_by_state(connection, study_id)
        held = read_claims(connection, study_uuid)
        numbers = [claim.trial_number for claim in held if claim.trial_number is not None]
        claims = _Claims(held, ended=ended_among(connection, study_id, numbers))
    to_fail = [trial for trial in trials if claims.nobody_runs(trial)]
    lost = to_fail + [trial for trial in trials if claims.was_abandoned(trial)]
    at_once = [trial for trial in lost if _retry_time(trial) is RetryTime.AT_ONCE]
    last = [trial for trial in lost if _retry_time(trial) is RetryTime.LAST]
    if total is None or not last:
        last = []
    else:
        num_in_use = sum(num_by_state[state] for state in (*FINISHED_STATES, TrialState.RUNNING)) - len(to_fail)
        # A worker whose claim has no trial yet is about to take one that waits.
        num_coming = max(num_by_state[TrialState.WAITING] + len(at_once), claims.num_waiting)
        last = _last_tries(last, num_free=total - num_in_use - num_coming)
    return _Work(to_fail=to_fail, to_retry=at_once + last, dead_claims=claims.dead())


def _last_tries(trials: Sequence[UnfinishedTrial], *, num_free: int) -> list[UnfinishedTrial]:
    """Return which of the trials that are run again last have their turn: none while the study has room for others."""
    return list(trials[: max(0, num_free)]) if num_free <= len(trials) else []


def _interrupted(storage: StudyStorage, study_uuid: str, number: int | None) -> UnfinishedTrial | None:
    """Return that trial as one that the user stopped, unless it is finished or failed by its own fault."""
    study_id = study_id_of(storage.read_by_uuid(study_uuid))
    with storage.read_engine.begin() as connection:
        trials = unfinished_trials(connection, study_id, grace_seconds=HEARTBEAT_GRACE_SECONDS)
    return next((replace(trial, cause=INTERRUPTED) for trial in trials if trial.number == number), None)


def _retry_time(trial: UnfinishedTrial) -> RetryTime:
    if trial.has_retry or not trial.has_parameters:
        return RetryTime.NEVER
    return retry_time(_num_kills(trial))


def _num_kills(trial: UnfinishedTrial) -> int:
    """Return how often an abandoned trial's parameters were killed, this time included."""
    return trial.num_kills + (trial.cause != INTERRUPTED)


def _fail(
    storage: StudyStorage, study: optuna.Study, trial: UnfinishedTrial, *, retry: bool, reason: str | None = None
) -> bool:
    """Fail a running trial; return whether it still ran.

    The retry comes first: a kill in between then loses nothing, and nobody takes its place among the study's trials.
    """
    # Another process's heartbeat check may fail it first; the next reaper then enqueues the retry.
    with suppress(UpdateFinishedTrialError):
        storage.optuna.set_trial_user_attr(trial.id, FAILURE, reason or trial.failure or WORKER_DIED)
        storage.optuna.set_trial_user_attr(trial.id, ABANDONED, trial.cause or KILLED)
        if retry:
            _enqueue(storage, study, trial)
        storage.optuna.set_trial_state_values(trial.id, TrialState.FAIL)
        return True
    return False


def _enqueue(storage: StudyStorage, study: optuna.Study, trial: UnfinishedTrial) -> None:
    enqueue_retry(study, storage.optuna.get_trial(trial.id), num_kills=_num_kills(trial))
