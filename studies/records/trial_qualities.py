"""A trial's quality, rung by rung and at the end, however many objectives its study has."""

import math

from optuna.trial import FrozenTrial, TrialState

from studies.records import attributes
from studies.records.trial_record import qualities_by_rung


def rung_qualities(trial: FrozenTrial) -> dict[int, float]:
    """Return the quality by images seen, in that order, in [0, 1], higher is better; what is not finite is left out.

    Optuna keeps intermediate values of studies with one objective only; those of others stand in a user attribute.
    """
    noted = qualities_by_rung(trial.user_attrs.get(attributes.RUNG_QUALITIES))
    qualities = {**trial.intermediate_values, **noted}
    return {images: quality for images, quality in sorted(qualities.items()) if math.isfinite(quality)}


def quality_of(trial: FrozenTrial) -> float | None:
    """Return the quality at the end of a complete trial, else at its last rung so far; None without any.

    With several objectives it is the one number that prunes, which none of the objectives is. A complete trial whose
    values the database lost has none.
    """
    if trial.state is TrialState.COMPLETE:
        if trial.values is None or not all(map(math.isfinite, trial.values)):
            return None
        if len(trial.values) == 1:
            return float(trial.values[0])
    qualities = rung_qualities(trial)
    return qualities[max(qualities)] if qualities else None
