"""Telling a study from another one that has its id: SQLite gives the id of a deleted study to the next."""

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from typing import final

import sqlalchemy

from studies.storage.database_errors import storage_errors
from studies.storage.optuna_internals import STUDIES, STUDY_ATTRIBUTES, TRIALS
from studies.storage.study_identity import STUDY_UUID
from studies.storage.study_storage import StudyStorage


@final
@dataclass(frozen=True, kw_only=True)
class StudyIdentity:
    """What stands behind an id of Optuna's at the moment.

    Attributes:
        name: The study's name.
        uuid: Its UUID, as it is stored; None in a study that Optuna made.
        began: When its first trial began: tells apart two studies of one name that have no UUID.
    """

    name: str
    uuid: str | None
    began: datetime.datetime | None


def study_identities(storage: StudyStorage) -> Mapping[int, StudyIdentity]:
    """Return what each study is by Optuna's id of it, in one statement.

    Raises:
        StorageError: The database cannot be read.
    """
    first = sqlalchemy.and_(TRIALS.c.study_id == STUDIES.c.study_id, TRIALS.c.number == 0)
    held = sqlalchemy.and_(STUDY_ATTRIBUTES.c.study_id == STUDIES.c.study_id, STUDY_ATTRIBUTES.c.key == STUDY_UUID)
    query = sqlalchemy.select(
        STUDIES.c.study_id, STUDIES.c.study_name, STUDY_ATTRIBUTES.c.value_json, TRIALS.c.datetime_start
    ).select_from(STUDIES.outerjoin(TRIALS, first).outerjoin(STUDY_ATTRIBUTES, held))
    with storage_errors(storage.url), storage.read_engine.connect() as connection:
        rows = connection.execute(query).all()
    return {study_id: StudyIdentity(name=name, uuid=held, began=began) for study_id, name, held, began in rows}
