"""The parameters that a trial is run with, whether or not Optuna has written them all."""

from typing import Any

from optuna.trial import FrozenTrial

from studies.records.attribute_values import mapping_of
from studies.records.attributes import FORETOLD, FORETOLD_SETTING
from studies.storage.optuna_internals import FIXED_PARAMETERS


def parameters_of(trial: FrozenTrial) -> dict[str, Any]:
    """Return the parameters that a trial has, or will have once it is run, by name.

    Optuna writes one after the other; what a trial was enqueued with, and what a scout suggested, is known before.
    """
    suggested = mapping_of(mapping_of(trial.user_attrs.get(FORETOLD)).get(FORETOLD_SETTING))
    return {**suggested, **trial.system_attrs.get(FIXED_PARAMETERS, {}), **trial.params}
