"""What claims must know about a study's trials, asked of Optuna's tables: few statements, however many trials it has.

Optuna's storage hands out whole trials with all that they carry, each of them once for every process that asks.
"""

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, final

import sqlalchemy
from optuna.trial import TrialState

from studies.claims.processes import WorkerIdentity
from studies.records.attributes import ABANDONED, DRAWN_POINT, FAILURE, FORETOLD, NUM_RETRIES, RETRY_OF, WORKER
from studies.records.trial_record import TrialRecord
from studies.storage.optuna_internals import (
    FIXED_PARAMETERS,
    TRIAL_ATTRIBUTES,
    TRIAL_HEARTBEATS,
    TRIAL_PARAMETERS,
    TRIAL_SYSTEM_ATTRIBUTES,
    TRIALS,
)

FINISHED_STATES: Final = (TrialState.COMPLETE, TrialState.PRUNED)
"""What `--trials` counts."""

_ENDED_STATES: Final = (*FINISHED_STATES, TrialState.FAIL)
_NOTED: Final = (ABANDONED, FAILURE, NUM_RETRIES, WORKER)


@final
@dataclass(frozen=True, kw_only=True)
class UnfinishedTrial:
    """A trial that runs, or that failed and may have to be run again.

    Attributes:
        id: Optuna's id of it.
        number: Its number in the study.
        is_running: Whether it runs as far as the database knows; it failed otherwise.
        is_silent: Whether it runs and its process has not been heard of for too long.
        worker: The process that runs or ran it; None before it has said so.
        failure: Why it failed, in words; None if nobody of us said so.
        cause: How it ended if not by its own fault, as far as that was noted: `KILLED` or `INTERRUPTED`.
        num_kills: How often its parameters were killed before.
        has_parameters: Whether there is something to run again.
        has_retry: Whether that was done: another trial names this one.
    """

    id: int
    number: int
    is_running: bool
    is_silent: bool
    worker: WorkerIdentity | None
    failure: str | None
    cause: str | None
    num_kills: int
    has_parameters: bool
    has_retry: bool


def count_by_state(connection: sqlalchemy.Connection, study_id: int) -> dict[TrialState, int]:
    """Return how many trials a study has in each state; states without trials count 0."""
    query = (
        sqlalchemy.select(TRIALS.c.state, sqlalchemy.func.count())
        .where(TRIALS.c.study_id == study_id)
        .group_by(TRIALS.c.state)
    )
    return dict.fromkeys(TrialState, 0) | dict(connection.execute(query).all())


def unfinished_trials(
    connection: sqlalchemy.Connection, study_id: int, *, grace_seconds: float
) -> list[UnfinishedTrial]:
    """Return the trials that run, and the failed ones that do not say whose fault it was or say that it was nobody's.

    Args:
        connection: To the database of the study.
        study_id: Optuna's id of the study.
        grace_seconds: Silence of a running trial's process after which it counts as dead.
    """
    retried = _retried_numbers(connection, study_id)
    now = connection.execute(sqlalchemy.select(sqlalchemy.func.now())).scalar_one().replace(tzinfo=None)
    heard_before = now - timedelta(seconds=grace_seconds)
    rows: dict[int, sqlalchemy.Row[Any]] = {}
    notes: dict[int, dict[str, Any]] = {}
    for row in connection.execute(_unfinished_query(study_id)):
        rows[row.number] = row
        notes.setdefault(row.number, {})
        if row.key is not None:
            notes[row.number][row.key] = json.loads(row.value_json)
    return [
        _unfinished(row, notes[number], heard_before=heard_before, has_retry=number in retried)
        for number, row in rows.items()
    ]


def ended_among(connection: sqlalchemy.Connection, study_id: int, numbers: Collection[int]) -> set[int]:
    """Return those of the trials of these numbers that have ended, whether finished or failed."""
    query = sqlalchemy.select(TRIALS.c.number).where(
        TRIALS.c.study_id == study_id, TRIALS.c.number.in_(numbers), TRIALS.c.state.in_(_ENDED_STATES)
    )
    return set(connection.execute(query).scalars())


def _unfinished_query(study_id: int) -> sqlalchemy.Select[Any]:
    """One row for each trial and each of its attributes that matter here, or one without any."""
    parameter, fixed = TRIAL_PARAMETERS.c, TRIAL_SYSTEM_ATTRIBUTES.c
    has_parameters = sqlalchemy.or_(
        sqlalchemy.exists().where(parameter.trial_id == TRIALS.c.trial_id),
        sqlalchemy.exists().where(fixed.trial_id == TRIALS.c.trial_id, fixed.key == FIXED_PARAMETERS),
        _notes(FORETOLD),
        _notes(DRAWN_POINT),
    )
    wanted = sqlalchemy.or_(
        TRIALS.c.state == TrialState.RUNNING,
        sqlalchemy.and_(TRIALS.c.state == TrialState.FAIL, sqlalchemy.or_(_notes(ABANDONED), ~_notes(FAILURE))),
    )
    heartbeat = TRIAL_HEARTBEATS.c
    noted = sqlalchemy.and_(TRIAL_ATTRIBUTES.c.trial_id == TRIALS.c.trial_id, TRIAL_ATTRIBUTES.c.key.in_(_NOTED))
    return (
        sqlalchemy.select(
            *(TRIALS.c.trial_id, TRIALS.c.number, TRIALS.c.state, heartbeat.heartbeat),
            *(has_parameters.label("has_parameters"), TRIAL_ATTRIBUTES.c.key, TRIAL_ATTRIBUTES.c.value_json),
        )
        .select_from(TRIALS)
        .outerjoin(TRIAL_ATTRIBUTES, noted)
        .outerjoin(TRIAL_HEARTBEATS, heartbeat.trial_id == TRIALS.c.trial_id)
        .where(TRIALS.c.study_id == study_id, wanted)
        .order_by(TRIALS.c.number)
    )


def _notes(key: str) -> sqlalchemy.Exists:
    attribute = TRIAL_ATTRIBUTES.alias().c
    return sqlalchemy.exists().where(attribute.trial_id == TRIALS.c.trial_id, attribute.key == key)


def _unfinished(
    row: sqlalchemy.Row[Any], notes: Mapping[str, Any], *, heard_before: datetime, has_retry: bool
) -> UnfinishedTrial:
    record = TrialRecord.parse(notes)
    is_running = row.state is TrialState.RUNNING
    return UnfinishedTrial(
        id=row.trial_id,
        number=row.number,
        is_running=is_running,
        is_silent=is_running and row.heartbeat is not None and row.heartbeat < heard_before,
        worker=WorkerIdentity.from_attribute(record.worker),
        failure=record.failure,
        cause=record.abandoned,
        num_kills=record.num_retries,
        has_parameters=bool(row.has_parameters),
        has_retry=has_retry,
    )


def _retried_numbers(connection: sqlalchemy.Connection, study_id: int) -> set[int]:
    query = (
        sqlalchemy.select(TRIAL_ATTRIBUTES.c.value_json)
        .join(TRIALS, TRIALS.c.trial_id == TRIAL_ATTRIBUTES.c.trial_id)
        .where(TRIALS.c.study_id == study_id, TRIAL_ATTRIBUTES.c.key == RETRY_OF)
    )
    values: Iterable[Any] = map(json.loads, connection.execute(query).scalars())
    return {value for value in values if isinstance(value, int)}
