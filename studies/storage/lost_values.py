"""Databases that lost a number: Optuna refuses to read a study in which a finished trial's value is NULL."""

import math
from typing import Any

import sqlalchemy
from sqlalchemy.orm import attributes

from studies.storage.optuna_internals import TrialIntermediateValueModel, TrialValueModel


def tolerate_lost_values() -> None:
    """Have values that are lost read as minus infinity, which counts as no quality; the database stays as it is.

    Not a number would say it better, but optuna-dashboard breaks over it; at a rung it is what Optuna has for that.

    It holds for every reader in this process. Optuna writes NULL for infinities too, and says so beside it: those stay.
    """
    for model, read in ((TrialValueModel, _read_value), (TrialIntermediateValueModel, _read_intermediate_value)):
        if not sqlalchemy.event.contains(model, "load", read):
            sqlalchemy.event.listen(model, "load", read)


def _read_value(row: Any, _context: object) -> None:
    if row.value is None and row.value_type == TrialValueModel.TrialValueType.FINITE:
        attributes.set_committed_value(row, "value", -math.inf)


def _read_intermediate_value(row: Any, _context: object) -> None:
    kinds = TrialIntermediateValueModel.TrialIntermediateValueType
    if row.intermediate_value is None and row.intermediate_value_type == kinds.FINITE:
        attributes.set_committed_value(row, "intermediate_value", math.nan)
