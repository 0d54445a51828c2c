"""Who may run the next trial, so that a study ends with exactly the finished trials asked for, whoever is killed.

A worker claims a trial, runs it, attaches its number to the claim as soon as the trial exists, and closes the claim.
`reap` cleans up after processes that died anywhere on that way. A process holds one claim at a time.
"""

import enum
import uuid
import warnings
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, final

import optuna
import sqlalchemy
from optuna.exceptions import ExperimentalWarning, UpdateFinishedTrialError
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.dialects import postgresql, sqlite

from studies.claims.processes import WorkerIdentity, this_host
from studies.claims.retries import enqueue_missing_retries, enqueue_retry
from studies.errors import ClaimLostError
from studies.records.attributes import ABANDONED, FAILURE, INTERRUPTED, KILLED, WORKER
from studies.storage.study_storage import StudyStorage, storage_errors
from studies.storage.tables import ClaimRow, StudyLockRow

FINISHED_STATES = (TrialState.COMPLETE, TrialState.PRUNED)
"""What `--trials` counts."""
_IN_USE_STATES = (*FINISHED_STATES, TrialState.RUNNING)

UNATTACHED_SECONDS = 120
"""Age at which another host's claim without a trial counts as dead; making a trial takes below a second."""


@final
@dataclass(frozen=True, kw_only=True)
class Claim:
    """The right to run one trial of a study.

    Attributes:
        token: Names the claim.
        study_uuid: The study's UUID.
        worker: The process that holds it.
        trial_number: The trial it was used for; None until `attach`.
        age: How long ago it was claimed, by the database's clock.
    """

    token: str
    study_uuid: str
    worker: WorkerIdentity
    trial_number: int | None = None
    age: timedelta = timedelta(0)


@final
class NoClaim(enum.Enum):
    """Why there is no trial to run."""

    DONE = "done"
    """The study has its total of finished trials: end."""
    FULL = "full"
    """Others run all the trials that are missing: `reap`, wait a little and claim again, one of them may fail."""


@final
@dataclass(frozen=True, kw_only=True)
class Reaped:
    """What a reaper did.

    Attributes:
        failed: Numbers of the trials it failed because nobody ran them any more.
        retried: Numbers of the trials whose parameters it enqueued once more.
        num_claims: How many claims of dead workers it deleted.
    """

    failed: tuple[int, ...]
    retried: tuple[int, ...]
    num_claims: int


def claim(storage: StudyStorage, study_uuid: str, *, total: int, worker: WorkerIdentity) -> Claim | NoClaim:
    """Claim one trial, in one transaction.

    Finished and running trials and claims without a trial are in use; waiting and failed trials are not. What this
    worker claimed earlier and did not close is given up.

    Args:
        storage: Where the study lives, opened for writing.
        study_uuid: The study's UUID.
        total: Finished (complete and pruned) trials that the study shall have.
        worker: The process that will run the trial.

    Returns:
        A claim for exactly one trial, or why there is none.

    Raises:
        StudyError: If there is no such study.
        StorageError: If the database fails.
    """
    study = storage.read_by_uuid(study_uuid)
    with storage_errors(storage.url), _locked_study(storage, study_uuid) as connection:
        connection.execute(_delete(study_uuid, *_held_by(worker)))
        # Trials are read before claims: a trial made in between still has its claim, which waits for this lock.
        states = [trial.state for trial in study.get_trials(deepcopy=False, states=_IN_USE_STATES)]
        if sum(state in FINISHED_STATES for state in states) >= total:
            return NoClaim.DONE
        unattached = [held for held in _claims(connection, study_uuid) if held.trial_number is None]
        if len(states) + len(unattached) >= total:
            return NoClaim.FULL
        granted = Claim(token=uuid.uuid4().hex, study_uuid=study_uuid, worker=worker)
        connection.execute(sqlalchemy.insert(ClaimRow).values(_values(granted, connection)))
    return granted


def attach(storage: StudyStorage, held: Claim, *, trial_number: int) -> None:
    """Say which trial a claim is used for; call it first thing in the trial.

    Raises:
        ClaimLostError: If the claim was given to somebody else meanwhile; let the trial fail.
        StorageError: If the database fails.
    """
    with storage_errors(storage.url), _locked_study(storage, held.study_uuid) as connection:
        mine = sqlalchemy.update(ClaimRow).where(ClaimRow.token == held.token)
        if connection.execute(mine.values(trial_number=trial_number)).rowcount == 0:
            raise ClaimLostError(
                f"Trial {trial_number} lost its claim: this worker was silent for more than "
                f"{UNATTACHED_SECONDS} s before the trial. Claim another trial."
            )


def close(storage: StudyStorage, held: Claim) -> None:
    """Give a claim back after its trial, however it ended; a claim that is gone already is fine.

    Raises:
        StorageError: If the database fails.
    """
    with storage_errors(storage.url), _locked_study(storage, held.study_uuid) as connection:
        connection.execute(_delete(held.study_uuid, ClaimRow.token == held.token))


def open_claims(storage: StudyStorage, study_uuid: str) -> list[Claim]:
    """All claims of a study that nobody has closed, oldest first."""
    with storage_errors(storage.url), storage.engine.begin() as connection:
        return _claims(connection, study_uuid)


def live_workers(
    storage: StudyStorage, study_uuid: str, *, hosts: Collection[str] | None = None
) -> list[WorkerIdentity]:
    """Workers that hold a claim and live, as far as this host can tell; other hosts' workers count as alive."""
    local = frozenset(hosts) if hosts is not None else frozenset({this_host()})
    workers = dict.fromkeys(held.worker for held in open_claims(storage, study_uuid))
    return [worker for worker in workers if worker.host not in local or worker.is_alive()]


def reap(storage: StudyStorage, study_uuid: str, *, hosts: Collection[str] | None = None) -> Reaped:
    """Fail the running trials of dead workers, enqueue each once more, and delete the claims of the dead.

    Two processes may reap at once. Trials of other hosts are left to Optuna's heartbeats, which are looked at too.

    Args:
        storage: Where the study lives, opened for writing.
        study_uuid: The study's UUID.
        hosts: Names of the machines whose processes this process sees; this one's when not given.

    Raises:
        StudyError: If there is no such study.
        StorageError: If the database fails.
    """
    study = storage.load_by_uuid(study_uuid)
    local = frozenset(hosts) if hosts is not None else frozenset({this_host()})
    with storage_errors(storage.url):
        with warnings.catch_warnings():
            # Marked experimental since Optuna 2.9.
            warnings.simplefilter("ignore", ExperimentalWarning)
            optuna.storages.fail_stale_trials(study)
        with storage.exclusive():
            # Trials first: the claim of a trial seen here is then seen as well, unless the trial has ended.
            trials = study.get_trials(deepcopy=False)
            claims = _Claims(open_claims(storage, study_uuid), local=local)
            running = [trial for trial in trials if trial.state == TrialState.RUNNING]
            abandoned = {trial.number for trial in running if claims.nobody_runs(trial)}
            failed, retried = _fail(storage, study, abandoned, reason="its worker died", cause=KILLED)
            retried += enqueue_missing_retries(study)
            dead = claims.dead(ended={trial.number for trial in trials if trial.state.is_finished()})
            with _locked_study(storage, study_uuid) as connection:
                connection.execute(_delete(study_uuid, ClaimRow.token.in_([held.token for held in dead])))
    return Reaped(failed=tuple(failed), retried=tuple(sorted(retried)), num_claims=len(dead))


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
    with storage_errors(storage.url):
        with storage.exclusive():
            numbers = set() if trial_number is None else {trial_number}
            _, retried = _fail(storage, study, numbers, reason=reason, cause=INTERRUPTED)
            for trial in study.get_trials(deepcopy=False, states=(TrialState.FAIL,)):
                if trial.number in numbers and enqueue_retry(study, trial, cause=INTERRUPTED):
                    retried.append(trial.number)
        close(storage, held)
    return bool(retried)


@final
class _Claims:
    """The open claims of a study, seen from some hosts, at one moment."""

    def __init__(self, claims: Collection[Claim], *, local: frozenset[str]) -> None:
        self._claims = claims
        self._local = local
        self._attached = {held.trial_number: held for held in claims if held.trial_number is not None}
        self._waiting = [held.worker for held in claims if held.trial_number is None and self._is_live(held)]

    def nobody_runs(self, trial: FrozenTrial) -> bool:
        """Whether a running trial has lost its worker."""
        if trial.number in self._attached:
            return not self._is_live(self._attached[trial.number])
        owner = WorkerIdentity.from_attribute(trial.user_attrs.get(WORKER))
        if owner is None:
            return not self._waiting
        return owner.host in self._local and not (owner in self._waiting and owner.is_alive())

    def dead(self, *, ended: Collection[int]) -> list[Claim]:
        """Claims whose worker is dead or whose trial has ended."""
        return [held for held in self._claims if not self._is_live(held) or held.trial_number in ended]

    def _is_live(self, held: Claim) -> bool:
        if held.worker.host in self._local:
            return held.worker.is_alive()
        # Once it has a trial, that trial's heartbeat tells.
        return held.trial_number is not None or held.age.total_seconds() < UNATTACHED_SECONDS


def _fail(
    storage: StudyStorage, study: optuna.Study, numbers: Collection[int], *, reason: str, cause: str
) -> tuple[list[int], list[int]]:
    """Fail those of the trials that still run; the retry comes first, so that a kill in between loses nothing."""
    failed, retried = [], []
    study_id = storage.optuna.get_study_id_from_name(study.study_name)
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.number not in numbers:
            continue
        trial_id = storage.optuna.get_trial_id_from_study_id_trial_number(study_id, trial.number)
        # Another process's heartbeat check may fail it first; then that one enqueues the retry.
        with suppress(UpdateFinishedTrialError):
            storage.optuna.set_trial_user_attr(trial_id, FAILURE, reason)
            storage.optuna.set_trial_user_attr(trial_id, ABANDONED, cause)
            if enqueue_retry(study, trial, cause=cause):
                retried.append(trial.number)
            storage.optuna.set_trial_state_values(trial_id, TrialState.FAIL)
            failed.append(trial.number)
    return failed, retried


@contextmanager
def _locked_study(storage: StudyStorage, study_uuid: str) -> Iterator[sqlalchemy.Connection]:
    """A transaction that no other of these overlaps: a row lock in PostgreSQL, SQLite's write lock."""
    with storage.engine.begin() as connection:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(StudyLockRow).values(study_uuid=study_uuid).on_conflict_do_nothing())
        row = sqlalchemy.select(StudyLockRow.study_uuid).where(StudyLockRow.study_uuid == study_uuid)
        connection.execute(row.with_for_update())
        yield connection


def _claims(connection: sqlalchemy.Connection, study_uuid: str) -> list[Claim]:
    columns = ClaimRow.__table__.columns
    query = sqlalchemy.select(*columns).where(ClaimRow.study_uuid == study_uuid).order_by(ClaimRow.claimed_at)
    now = _now(connection)
    return [
        Claim(
            token=row.token,
            study_uuid=row.study_uuid,
            worker=WorkerIdentity(row.host, row.pid, row.started),
            trial_number=row.trial_number,
            age=now - row.claimed_at,
        )
        for row in connection.execute(query)
    ]


def _values(granted: Claim, connection: sqlalchemy.Connection) -> dict[str, Any]:
    return {
        "token": granted.token,
        "study_uuid": granted.study_uuid,
        "host": granted.worker.host,
        "pid": granted.worker.pid,
        "started": granted.worker.started,
        "claimed_at": _now(connection),
    }


def _now(connection: sqlalchemy.Connection) -> datetime:
    """The database's clock in naive UTC, which all hosts share."""
    if connection.dialect.name == "postgresql":
        clock: Any = sqlalchemy.func.timezone("UTC", sqlalchemy.func.clock_timestamp())
    else:
        clock = sqlalchemy.func.current_timestamp()
    return connection.execute(sqlalchemy.select(sqlalchemy.type_coerce(clock, sqlalchemy.DateTime()))).scalar_one()


def _held_by(worker: WorkerIdentity) -> tuple[sqlalchemy.ColumnElement[bool], ...]:
    return ClaimRow.host == worker.host, ClaimRow.pid == worker.pid


def _delete(study_uuid: str, *conditions: sqlalchemy.ColumnElement[bool]) -> sqlalchemy.Delete:
    return sqlalchemy.delete(ClaimRow).where(ClaimRow.study_uuid == study_uuid, *conditions)
