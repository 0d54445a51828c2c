"""What we use of Optuna beyond its public API is where we look for it, and means what we take it to mean."""

import json

import optuna
import sqlalchemy

from studies.storage.optuna_internals import STUDIES, STUDY_ATTRIBUTES
from studies.storage.study_storage import StudyStorage


def test_studies_and_their_attributes(storage: StudyStorage) -> None:
    study = optuna.create_study(study_name="waves", storage=storage.optuna)
    study.set_user_attr("key", {"a": "é"})
    with storage.engine.connect() as connection:
        ((study_id, name),) = connection.execute(sqlalchemy.select(STUDIES.c.study_id, STUDIES.c.study_name))
        ((owner, key, value),) = connection.execute(
            sqlalchemy.select(STUDY_ATTRIBUTES.c.study_id, STUDY_ATTRIBUTES.c.key, STUDY_ATTRIBUTES.c.value_json)
        )
    assert name == "waves"
    assert (owner, key, json.loads(value)) == (study_id, "key", {"a": "é"})


def test_an_attribute_is_there_once(storage: StudyStorage) -> None:
    """What gives a study one UUID when two processes write one at once."""
    constraints = sqlalchemy.inspect(storage.engine).get_unique_constraints(STUDY_ATTRIBUTES.name)
    assert {"study_id", "key"} in [set(constraint["column_names"]) for constraint in constraints]
