"""What we use of Optuna beyond its public API, in one place; its test fails where Optuna moves any of it."""

from typing import Final

import optuna
from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX
from optuna.storages import BaseStorage
from optuna.storages._rdb.models import (
    StudyModel,
    StudyUserAttributeModel,
    TrialHeartbeatModel,
    TrialIntermediateValueModel,
    TrialModel,
    TrialParamModel,
    TrialSystemAttributeModel,
    TrialUserAttributeModel,
    TrialValueModel,
)
from sqlalchemy import Table

__all__ = [
    "ARTIFACTS_ATTR_PREFIX",
    "FIXED_PARAMETERS",
    "STUDIES",
    "STUDY_ATTRIBUTES",
    "TRIALS",
    "TRIAL_ATTRIBUTES",
    "TRIAL_HEARTBEATS",
    "TRIAL_PARAMETERS",
    "TRIAL_SYSTEM_ATTRIBUTES",
    "TrialIntermediateValueModel",
    "TrialValueModel",
    "storage_of",
    "study_id_of",
    "trial_id_of",
]

STUDIES: Table = StudyModel.__table__
"""One row a study: `study_id` and `study_name`."""

STUDY_ATTRIBUTES: Table = StudyUserAttributeModel.__table__
"""User attributes of studies: `study_id` and `key` together once, `value_json`."""

TRIALS: Table = TrialModel.__table__
"""One row a trial: `trial_id`, `study_id`, `number` in the study and `state`."""

TRIAL_ATTRIBUTES: Table = TrialUserAttributeModel.__table__
"""User attributes of trials: `trial_id` and `key` together once, `value_json`."""

TRIAL_SYSTEM_ATTRIBUTES: Table = TrialSystemAttributeModel.__table__
"""The same of Optuna's own attributes."""

TRIAL_PARAMETERS: Table = TrialParamModel.__table__
"""One row for each parameter that a trial has sampled: `trial_id`."""

TRIAL_HEARTBEATS: Table = TrialHeartbeatModel.__table__
"""At most one row a trial: `trial_id` and `heartbeat`, by the database's clock."""

FIXED_PARAMETERS: Final = "fixed_params"
"""System attribute in which an enqueued trial carries its parameters until it has sampled them."""


def study_id_of(study: optuna.Study) -> int:
    """Return Optuna's id of a study, which another one may get after it was deleted."""
    return study._study_id


def trial_id_of(trial: optuna.Trial | optuna.trial.FrozenTrial) -> int:
    """Return Optuna's id of a trial, which no other trial of the storage has at the same time."""
    return trial._trial_id


def storage_of(study: optuna.Study) -> BaseStorage:
    """Return the storage through which a study reads and writes its trials."""
    return study._storage
