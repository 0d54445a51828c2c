"""Errors that `measures` raises for numbers a user can mend. The command line formats them; nothing else does."""


class MeasuresError(Exception):
    """Root of every error of this package; its message names the thing and the fix in one or two lines."""


class WeightsError(MeasuresError, ValueError):
    """Loss weights are negative, not finite, or leave nothing of the photo."""


class NoScoresError(MeasuresError, ValueError):
    """A mean over photos is asked for where there is no photo."""
