"""What we use of Optuna beyond its public API, in one place; its test fails where Optuna moves any of it."""

from typing import Final

from optuna.storages._rdb.models import (
    StudyModel,
    StudyUserAttributeModel,
    TrialHeartbeatModel,
    TrialModel,
    TrialParamModel,
    TrialSystemAttributeModel,
    TrialUserAttributeModel,
)
from sqlalchemy import Table

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
