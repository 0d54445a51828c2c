"""Studies of many trials, made in a few statements, and counting the statements that something needs."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import optuna
import sqlalchemy
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from studies.storage.optuna_internals import TRIAL_ATTRIBUTES, TRIALS
from studies.storage.study_storage import StudyStorage


def add_trials(storage: StudyStorage, study: optuna.Study, num_trials: int, **attributes: Any) -> None:
    """Add a complete trial of these attributes and as many copies of its rows in Optuna's tables as are wanted."""
    trial = create_trial(
        state=TrialState.COMPLETE,
        value=0.5,
        params={"x": 0.5},
        distributions={"x": FloatDistribution(0, 1)},
        intermediate_values={1: 0.4, 2: 0.5},
        user_attrs=attributes,
    )
    study.add_trial(trial)
    with storage.engine.begin() as connection:
        row = connection.execute(sqlalchemy.select(TRIALS).order_by(TRIALS.c.trial_id.desc()).limit(1)).mappings().one()
        template = {name: value for name, value in row.items() if name != "trial_id"}
        copies = [{**template, "number": row["number"] + step} for step in range(1, num_trials)]
        if not copies:
            return
        inserted = sqlalchemy.insert(TRIALS).returning(TRIALS.c.trial_id)
        ids = connection.execute(inserted, copies).scalars().all()
        for table in TRIAL_ATTRIBUTES.metadata.sorted_tables:
            if "trial_id" in table.c and table is not TRIALS:
                _copy_rows(connection, table, row["trial_id"], ids)


def _copy_rows(connection: sqlalchemy.Connection, table: sqlalchemy.Table, original: int, ids: Sequence[int]) -> None:
    (key,) = table.primary_key.columns
    found = connection.execute(sqlalchemy.select(table).where(table.c.trial_id == original)).mappings().all()
    rows = [{name: value for name, value in row.items() if name != key.name} for row in found]
    if rows:
        connection.execute(sqlalchemy.insert(table), [{**row, "trial_id": id_} for id_ in ids for row in rows])


@contextmanager
def counted_statements(*engines: sqlalchemy.Engine) -> Iterator[list[str]]:
    """Gather the statements that are sent to the database, beginnings of transactions included."""
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    for engine in engines:
        sqlalchemy.event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        for engine in engines:
            sqlalchemy.event.remove(engine, "before_cursor_execute", note)
