"""What we use of Optuna beyond its public API, in one place; its test fails where Optuna moves any of it."""

from pathlib import Path
from typing import Final

import optuna
import sqlalchemy
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from optuna.storages import BaseStorage, RDBStorage
from optuna.storages import _rdb as optuna_rdb
from optuna.storages._rdb.models import (
    StudyModel,
    StudySystemAttributeModel,
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
    "STUDY_SYSTEM_ATTRIBUTES",
    "TRIALS",
    "TRIAL_ATTRIBUTES",
    "TRIAL_HEARTBEATS",
    "TRIAL_PARAMETERS",
    "TRIAL_SYSTEM_ATTRIBUTES",
    "TrialIntermediateValueModel",
    "TrialValueModel",
    "optuna_schema_of",
    "optuna_schemas",
    "storage_of",
    "study_id_of",
    "trial_id_of",
    "upgrade_optuna_schema",
]

STUDIES: Table = StudyModel.__table__
"""One row a study: `study_id` and `study_name`."""

STUDY_ATTRIBUTES: Table = StudyUserAttributeModel.__table__
"""User attributes of studies: `study_id` and `key` together once, `value_json`."""

STUDY_SYSTEM_ATTRIBUTES: Table = StudySystemAttributeModel.__table__
"""The same of Optuna's own attributes."""

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

ARTIFACTS_ATTR_PREFIX: Final = "artifacts:"
"""Before an artifact's id, the attribute that notes it; not imported, as the drivers of all buckets come along."""

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


def optuna_schemas() -> list[str]:
    """Return the versions of Optuna's own tables that the installed Optuna knows, the newest first."""
    scripts = ScriptDirectory(str(Path(optuna_rdb.__path__[0]) / "alembic"))
    return [script.revision for script in scripts.walk_revisions()]


def optuna_schema_of(connection: sqlalchemy.Connection) -> str | None:
    """Return the version of Optuna's own tables in a database; None if they say none. Only reads."""
    return MigrationContext.configure(connection).get_current_revision()


def upgrade_optuna_schema(url: str) -> None:
    """Bring Optuna's own tables to the newest version, as `optuna storage upgrade` does."""
    storage = RDBStorage(url, skip_compatibility_check=True)
    try:
        storage.upgrade()
    finally:
        storage.remove_session()
        storage.engine.dispose()
