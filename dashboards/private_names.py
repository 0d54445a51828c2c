"""All that we use of Optuna and optuna-dashboard without their promise, in one place.

`tests/dashboards/test_private_names.py` fails when one of them moves or comes to mean something else.
"""

from optuna.artifacts._upload import ARTIFACTS_ATTR_PREFIX
from optuna.storages._rdb.models import StudyModel, StudySystemAttributeModel, TrialModel
from optuna_dashboard._note import note_str_key_prefix, note_ver_key, split_body

__all__ = [
    "ARTIFACTS_ATTR_PREFIX",
    "StudyModel",
    "StudySystemAttributeModel",
    "TrialModel",
    "note_str_key_prefix",
    "note_ver_key",
    "split_body",
]
