"""What we use of Optuna beyond its public API is where we look for it, and means what we take it to mean."""

import dataclasses
import json
import math

import optuna
import sqlalchemy
from optuna.artifacts import _upload
from optuna.trial import create_trial
from sqlalchemy.orm import Session

from studies.storage.artifacts import ArtifactMeta
from studies.storage.optuna_internals import (
    ARTIFACTS_ATTR_PREFIX,
    STUDIES,
    STUDY_ATTRIBUTES,
    TrialIntermediateValueModel,
    TrialValueModel,
    storage_of,
    study_id_of,
    trial_id_of,
)
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


def test_ids_and_storage_of_studies_and_trials(storage: StudyStorage) -> None:
    study = optuna.create_study(study_name="waves", storage=storage.optuna)
    kept = storage_of(study)
    ids = []

    def objective(trial: optuna.Trial) -> float:
        ids.append(trial_id_of(trial))
        return float(kept.get_trial(trial_id_of(trial)).number)

    study.optimize(objective, n_trials=2)
    assert kept.get_study_name_from_id(study_id_of(study)) == "waves"
    assert study.trials[1].value == 1
    assert ids == [trial_id_of(trial) for trial in study.trials]


def test_whether_a_number_was_finite_stands_beside_it(storage: StudyStorage) -> None:
    """What tells a number that the database lost from an infinity, which it writes as NULL as well."""
    study = optuna.create_study(study_name="waves", storage=storage.optuna)
    study.add_trial(create_trial(value=math.inf, intermediate_values={1: math.inf}))
    with Session(storage.engine) as session:
        value = session.scalars(sqlalchemy.select(TrialValueModel)).one()
        reported = session.scalars(sqlalchemy.select(TrialIntermediateValueModel)).one()
    assert value.value is None
    assert value.value_type is not TrialValueModel.TrialValueType.FINITE
    assert reported.intermediate_value is None
    assert reported.intermediate_value_type is not TrialIntermediateValueModel.TrialIntermediateValueType.FINITE


def test_artifacts_are_noted_as_optuna_does() -> None:
    assert ARTIFACTS_ATTR_PREFIX == _upload.ARTIFACTS_ATTR_PREFIX
    ours, theirs = (dataclasses.fields(meta) for meta in (ArtifactMeta, _upload.ArtifactMeta))
    assert [field.name for field in ours] == [field.name for field in theirs]
