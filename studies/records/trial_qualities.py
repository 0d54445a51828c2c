"""A trial's quality, rung by rung and at the end, however many objectives its study has."""

import math

from optuna.trial import FrozenTrial, TrialState

from studies.records import attributes


def rung_qualities(trial: FrozenTrial) -> dict[int, float]:
    """Return the quality by images seen, in that order, in [0, 1], higher is better; what is not finite is left out.

    Optuna keeps intermediate values of studies with one objective only; those of others stand in a user attribute.
    """
    noted = trial.user_attrs.get(attributes.RUNG_QUALITIES, {})
    qualities = {**trial.intermediate_values, **{int(images): float(quality) for images, quality in noted.items()}}
    return {images: quality for images, quality in sorted(qualities.items()) if math.isfinite(quality)}


def quality_of(trial: FrozenTrial) -> float | None:
    """Return the quality at the end of a complete trial, else at its last rung so far; None without any.

    With several objectives it is the one number that prunes, which none of the objectives is.
    """
    if trial.state is TrialState.COMPLETE and trial.values is not None and len(trial.values) == 1:
        return trial.values[0] if math.isfinite(trial.values[0]) else None
    qualities = rung_qualities(trial)
    return qualities[max(qualities)] if qualities else None
