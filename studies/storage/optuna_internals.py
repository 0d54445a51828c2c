"""What we use of Optuna beyond its public API, in one place; its test fails where Optuna moves any of it."""

from optuna.storages._rdb.models import StudyModel, StudyUserAttributeModel
from sqlalchemy import Table

STUDIES: Table = StudyModel.__table__
"""One row a study: `study_id` and `study_name`."""

STUDY_ATTRIBUTES: Table = StudyUserAttributeModel.__table__
"""User attributes of studies: `study_id` and `key` together once, `value_json`."""
