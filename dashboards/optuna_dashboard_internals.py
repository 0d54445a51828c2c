"""What we use of optuna-dashboard beyond its public API, in one place; its test fails where any of it moves.

Of Optuna it is what optuna-dashboard itself uses so; more of Optuna stands in `studies.storage.optuna_internals`.
"""

from typing import Final

from optuna.storages._rdb.models import StudySystemAttributeModel
from optuna_dashboard._note import note_str_key_prefix, note_ver_key, split_body
from sqlalchemy import Table

from studies.storage.optuna_internals import ARTIFACTS_ATTR_PREFIX

__all__ = [
    "ARTIFACTS_ATTR_PREFIX",
    "STUDY_SYSTEM_ATTRIBUTES",
    "note_str_key_prefix",
    "note_ver_key",
    "split_body",
]

STUDY_SYSTEM_ATTRIBUTES: Final[Table] = StudySystemAttributeModel.__table__
"""System attributes of studies: `study_id` and `key` together once, `value_json`."""
