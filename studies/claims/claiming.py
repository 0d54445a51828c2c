"""Who may run the next trial, so that a study ends with exactly the finished trials asked for, whoever is killed.

A worker claims a trial, runs it, attaches its number to the claim as soon as the trial exists, and closes the claim.
`reaping` cleans up after processes that died anywhere on that way. A process holds one claim at a time.
"""

import enum
import uuid
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, final

import sqlalchemy
from optuna.trial import TrialState
from sqlalchemy.dialects import postgresql, sqlite

from studies.claims.processes import WorkerIdentity
from studies.claims.trial_states import FINISHED_STATES, count_by_state
from studies.errors import ClaimLostError
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_storage import StudyStorage, storage_errors
from studies.storage.tables import ClaimRow, StudyLockRow

UNATTACHED_SECONDS = 120
"""Age at which another machine's claim without a trial counts as dead; making a trial takes below a second."""


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
    study_id = study_id_of(storage.read_by_uuid(study_uuid))
    with storage_errors(storage.url), _locked_study(storage, study_uuid) as connection:
        connection.execute(_delete(study_uuid, *_held_by(worker)))
        # Trials are read before claims: a trial made in between still has its claim, which waits for this lock.
        num_by_state = count_by_state(connection, study_id)
        num_finished = sum(num_by_state[state] for state in FINISHED_STATES)
        if num_finished >= total:
            return NoClaim.DONE
        unattached = [held for held in read_claims(connection, study_uuid) if held.trial_number is None]
        if num_finished + num_by_state[TrialState.RUNNING] + len(unattached) >= total:
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
        return read_claims(connection, study_uuid)


def live_workers(storage: StudyStorage, study_uuid: str) -> list[WorkerIdentity]:
    """Workers that hold a claim and live, as far as this machine can tell; other machines' workers count as alive."""
    workers = dict.fromkeys(held.worker for held in open_claims(storage, study_uuid))
    return [worker for worker in workers if worker.is_alive()]


def discard(storage: StudyStorage, study_uuid: str, tokens: Collection[str]) -> None:
    """Delete the claims of these tokens."""
    with _locked_study(storage, study_uuid) as connection:
        connection.execute(_delete(study_uuid, ClaimRow.token.in_(tokens)))


def read_claims(connection: sqlalchemy.Connection, study_uuid: str) -> list[Claim]:
    """All claims of a study that nobody has closed, oldest first, as a transaction sees them."""
    columns = ClaimRow.__table__.columns
    query = sqlalchemy.select(*columns).where(ClaimRow.study_uuid == study_uuid).order_by(ClaimRow.claimed_at)
    now = _now(connection)
    return [
        Claim(
            token=row.token,
            study_uuid=row.study_uuid,
            worker=WorkerIdentity(machine=row.machine, host=row.host, pid=row.pid, started=row.started),
            trial_number=row.trial_number,
            age=now - row.claimed_at,
        )
        for row in connection.execute(query)
    ]


@contextmanager
def _locked_study(storage: StudyStorage, study_uuid: str) -> Iterator[sqlalchemy.Connection]:
    """A transaction that no other of these overlaps: a row lock in PostgreSQL, SQLite's write lock."""
    with storage.engine.begin() as connection:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        connection.execute(insert(StudyLockRow).values(study_uuid=study_uuid).on_conflict_do_nothing())
        row = sqlalchemy.select(StudyLockRow.study_uuid).where(StudyLockRow.study_uuid == study_uuid)
        connection.execute(row.with_for_update())
        yield connection


def _values(granted: Claim, connection: sqlalchemy.Connection) -> dict[str, Any]:
    return {
        "token": granted.token,
        "study_uuid": granted.study_uuid,
        "machine": granted.worker.machine,
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
    return ClaimRow.machine == worker.machine, ClaimRow.pid == worker.pid


def _delete(study_uuid: str, *conditions: sqlalchemy.ColumnElement[bool]) -> sqlalchemy.Delete:
    return sqlalchemy.delete(ClaimRow).where(ClaimRow.study_uuid == study_uuid, *conditions)
