"""Rows of our own tables that belong to no study or trial.

People's choices about studies that are gone stay, and the scores of what they chose between: they still say what those
people weigh how.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import sqlalchemy

from studies.checking.finding import Finding
from studies.storage.database_errors import storage_errors
from studies.storage.optuna_internals import STUDY_ATTRIBUTES, TRIALS
from studies.storage.study_identity import STUDY_UUID
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import ClaimRow, PhotoQualityRow, PreferenceRow, StudyLockRow

_CALLED: Final[Mapping[str, tuple[str, str]]] = {
    ClaimRow.__tablename__: ("claim", "claims"),
    StudyLockRow.__tablename__: ("lock", "locks"),
    PhotoQualityRow.__tablename__: ("score of a photo", "scores of photos"),
}


_AT_ONCE: Final = 500
"""Trials that one statement names: databases bound both its depth and its parameters."""


def find_stray_rows(storage: StudyStorage) -> list[Finding]:
    """Return which rows of our tables belong to no study or trial.

    Raises:
        StorageError: The database cannot be read.
    """
    with storage_errors(storage.url), storage.read_engine.begin() as connection:
        counts = _count(connection, _stray(connection))
    if not any(counts.values()):
        return []
    return [
        Finding(
            kind="stray rows",
            study=None,
            text=f"{_listed(counts)}: of no study or trial",
            advice="Nothing reads them.",
            mend=lambda: _delete(storage),
        )
    ]


def _delete(storage: StudyStorage) -> str:
    with storage.exclusive(), storage_errors(storage.url), storage.engine.begin() as connection:
        stray = _stray(connection)
        counts = _count(connection, stray)
        for name, conditions in stray.items():
            for condition in conditions:
                connection.execute(sqlalchemy.delete(_table(name)).where(condition))
    return f"deleted {_listed(counts)}"


def _stray(connection: sqlalchemy.Connection) -> dict[str, list[sqlalchemy.ColumnElement[bool]]]:
    """By table, which of its rows are nobody's: those that fulfil one of the conditions; none fulfils two."""
    quality = PhotoQualityRow.__table__.c
    # What rows name is read before what there is: a study or trial that begins meanwhile is then there.
    scored = connection.execute(sqlalchemy.select(quality.study_uuid, quality.trial_number).distinct()).all()
    named = {name: _named_by(connection, name) for name in (ClaimRow.__tablename__, StudyLockRow.__tablename__)}
    chosen = _named_by(connection, PreferenceRow.__tablename__)
    trials_of = _trials_of(connection)
    lost: dict[str, list[int]] = {}
    for study_uuid, number in scored:
        if study_uuid not in chosen and number not in trials_of.get(study_uuid, ()):
            lost.setdefault(study_uuid, []).append(number)
    nobodys: list[sqlalchemy.ColumnElement[bool]] = [
        (quality.study_uuid == one) & quality.trial_number.in_(few)
        for one, numbers in lost.items()
        for few in _few_at_a_time(numbers)
    ]
    studies: dict[str, list[sqlalchemy.ColumnElement[bool]]] = {
        name: [_table(name).c.study_uuid.in_(few) for few in _few_at_a_time(sorted(found - trials_of.keys()))]
        for name, found in named.items()
    }
    return {**studies, PhotoQualityRow.__tablename__: nobodys}


def _named_by(connection: sqlalchemy.Connection, name: str) -> set[str]:
    return set(connection.execute(sqlalchemy.select(_table(name).c.study_uuid).distinct()).scalars())


def _trials_of(connection: sqlalchemy.Connection) -> dict[str, set[int]]:
    """Numbers of trials by their study's UUID; of a study and its copies together."""
    attribute = STUDY_ATTRIBUTES.c
    query = (
        sqlalchemy.select(attribute.value_json, TRIALS.c.number)
        .select_from(STUDY_ATTRIBUTES.outerjoin(TRIALS, TRIALS.c.study_id == attribute.study_id))
        .where(attribute.key == STUDY_UUID)
    )
    found: dict[str, set[int]] = {}
    for row in connection.execute(query):
        found.setdefault(str(json.loads(row.value_json)), set()).add(row.number)
    return found


def _few_at_a_time(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    for start in range(0, len(values), _AT_ONCE):
        yield values[start : start + _AT_ONCE]


def _table(name: str) -> sqlalchemy.Table:
    return ClaimRow.metadata.tables[name]


def _count(
    connection: sqlalchemy.Connection, stray: Mapping[str, Sequence[sqlalchemy.ColumnElement[bool]]]
) -> dict[str, int]:
    counts = dict.fromkeys(stray, 0)
    for name, conditions in stray.items():
        for condition in conditions:
            query = sqlalchemy.select(sqlalchemy.func.count()).select_from(_table(name)).where(condition)
            counts[name] += int(connection.execute(query).scalar_one())
    return counts


def _listed(counts: Mapping[str, int]) -> str:
    found = [(count, *_CALLED[name]) for name, count in counts.items() if count]
    return ", ".join(f"{count} {one if count == 1 else several}" for count, one, several in found) or "nothing"
