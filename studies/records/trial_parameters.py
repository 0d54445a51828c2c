"""The parameters that a trial is run with, whether or not Optuna has written them all."""

from typing import Any

from optuna.trial import FrozenTrial

from studies.records.attribute_values import mapping_of
from studies.records.attributes import DRAWN_POINT, DRAWN_SETTING, FORETOLD, FORETOLD_SETTING
from studies.storage.optuna_internals import FIXED_PARAMETERS


def parameters_of(trial: FrozenTrial) -> dict[str, Any]:
    """Return the parameters that a trial has, or will have once it is run, by name.

    Optuna writes one after the other; what a trial was enqueued with, what a scout suggested, and the point of a
    grid or quasi-random sequence are known before.
    """
    suggested = mapping_of(mapping_of(trial.user_attrs.get(FORETOLD)).get(FORETOLD_SETTING))
    drawn = mapping_of(mapping_of(trial.user_attrs.get(DRAWN_POINT)).get(DRAWN_SETTING))
    return {**suggested, **drawn, **trial.system_attrs.get(FIXED_PARAMETERS, {}), **trial.params}
