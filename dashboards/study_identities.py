"""Telling a study from another one that has its id: SQLite gives the id of a deleted study to the next."""

import datetime
from collections.abc import Mapping

import sqlalchemy

from dashboards.private_names import StudyModel, TrialModel
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage

StudyIdentity = tuple[str, datetime.datetime | None]
"""Name of a study, and when its first trial began: two studies of one name and id differ in it once trials are run."""


def study_identities(storage: StudyStorage) -> Mapping[int, StudyIdentity]:
    """Return what each study is by Optuna's id of it, in one statement.

    Raises:
        StorageError: The database cannot be read.
    """
    studies, trials = StudyModel.__table__, TrialModel.__table__
    first = sqlalchemy.and_(trials.c.study_id == studies.c.study_id, trials.c.number == 0)
    query = sqlalchemy.select(studies.c.study_id, studies.c.study_name, trials.c.datetime_start)
    with storage_errors(storage.url), storage.read_engine.connect() as connection:
        rows = connection.execute(query.select_from(studies.outerjoin(trials, first))).all()
    return {study_id: (name, started) for study_id, name, started in rows}
