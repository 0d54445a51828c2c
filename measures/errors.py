"""Errors that `measures` raises for numbers a user can mend. The command line formats them; nothing else does."""


class MeasuresError(Exception):
    """Root of every error of this package; its message names the thing and the fix in one or two lines."""


class WeightsError(MeasuresError, ValueError):
    """Loss weights are negative, not finite, or leave nothing of the photo."""


class SampledValuesError(MeasuresError, ValueError):
    """A trial's sampled values are not those that a trial has, or not finite numbers of at least 0."""


class NoScoresError(MeasuresError, ValueError):
    """A mean over photos is asked for where there is no photo."""


class TrainerError(MeasuresError, ValueError):
    """There is no such published trainer, or its loss has no term that a weight is given for."""


class MatchingError(MeasuresError, ValueError):
    """Two losses cannot be compared: one of their terms does not change with the pictures."""
