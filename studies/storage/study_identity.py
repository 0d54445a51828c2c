"""What a study is: a UUID made with it. Its name is a label, and Optuna's ids are used again after a deletion."""

import json
import uuid
from dataclasses import dataclass
from typing import Any, Final, final

import optuna
import sqlalchemy
from optuna.storages import RDBStorage
from sqlalchemy.dialects import postgresql, sqlite

from studies.storage.optuna_internals import STUDIES, STUDY_ATTRIBUTES

STUDY_UUID: Final = "styletuner_uuid"
"""User attribute that holds it; optuna-dashboard copies it where it renames a study, which makes a new one."""

UUID_LENGTH: Final = 36
"""Characters of a UUID as it is written (RFC 9562)."""


@final
@dataclass(frozen=True, kw_only=True)
class StudyPlace:
    """Where a study stands at the moment.

    Attributes:
        name: Its name.
        optuna_id: Optuna's id.
        uuid: What it is; None if Optuna made it and nothing of ours has written to it.
    """

    name: str
    optuna_id: int
    uuid: str | None


def create_study(storage: RDBStorage, name: str, *, num_objectives: int = 1) -> optuna.Study:
    """Make a study that maximises its objectives, with a UUID.

    Raises:
        optuna.exceptions.DuplicatedStudyError: There is one of that name.
    """
    study = optuna.create_study(storage=storage, study_name=name, directions=["maximize"] * num_objectives)
    study.set_user_attr(STUDY_UUID, str(uuid.uuid4()))
    return study


def uuid_of(study: optuna.Study) -> str:
    """Return a study's UUID; empty if it has none yet, so that nothing is kept about it."""
    return str(study.user_attrs.get(STUDY_UUID, ""))


def find_by_name(engine: sqlalchemy.Engine, name: str) -> StudyPlace | None:
    """Return where the study of that name stands, in one query; None if there is none."""
    return _found(engine, STUDIES.c.study_name == name)


def find_by_uuid(engine: sqlalchemy.Engine, study_uuid: str) -> StudyPlace | None:
    """Return where a study stands, whatever it is called now, in one query; None if it is gone.

    While optuna-dashboard renames it there are two; the newer one stays.
    """
    return _found(engine, STUDY_ATTRIBUTES.c.value_json == json.dumps(study_uuid))


def is_copied(engine: sqlalchemy.Engine, study_uuid: str) -> bool:
    """Whether more than one study has this UUID: Optuna's copies have, and one that is being renamed."""
    held = (STUDY_ATTRIBUTES.c.key == STUDY_UUID) & (STUDY_ATTRIBUTES.c.value_json == json.dumps(study_uuid))
    query = sqlalchemy.select(sqlalchemy.func.count()).select_from(STUDY_ATTRIBUTES).where(held)
    with engine.connect() as connection:
        return connection.execute(query).scalar_one() > 1


def names_with(engine: sqlalchemy.Engine, key: str) -> list[str]:
    """Return the names of the studies that have a user attribute, in one query.

    While optuna-dashboard renames a study there are two; the newer one, which stays, comes first.
    """
    held = (STUDY_ATTRIBUTES.c.study_id == STUDIES.c.study_id) & (STUDY_ATTRIBUTES.c.key == key)
    query = sqlalchemy.select(STUDIES.c.study_name).join(STUDY_ATTRIBUTES, held).order_by(STUDIES.c.study_id.desc())
    with engine.connect() as connection:
        return [str(name) for name in connection.execute(query).scalars()]


def give_uuid(engine: sqlalchemy.Engine, place: StudyPlace) -> None:
    """Give a study a UUID unless another process has just done so."""
    with engine.begin() as connection:
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        values = {"study_id": place.optuna_id, "key": STUDY_UUID, "value_json": json.dumps(str(uuid.uuid4()))}
        connection.execute(insert(STUDY_ATTRIBUTES).values(values).on_conflict_do_nothing())


def _found(engine: sqlalchemy.Engine, condition: sqlalchemy.ColumnElement[bool]) -> StudyPlace | None:
    own = sqlalchemy.and_(STUDY_ATTRIBUTES.c.study_id == STUDIES.c.study_id, STUDY_ATTRIBUTES.c.key == STUDY_UUID)
    query = (
        sqlalchemy.select(STUDIES.c.study_name, STUDIES.c.study_id, STUDY_ATTRIBUTES.c.value_json)
        .select_from(STUDIES.outerjoin(STUDY_ATTRIBUTES, own))
        .where(condition)
        .order_by(STUDIES.c.study_id.desc())
        .limit(1)
    )
    with engine.connect() as connection:
        row: Any = connection.execute(query).first()
    if row is None:
        return None
    held = None if row.value_json is None else str(json.loads(row.value_json))
    return StudyPlace(name=row.study_name, optuna_id=row.study_id, uuid=held)
