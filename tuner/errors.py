"""Errors that `tuner` raises for input a user can mend. The command line formats them; nothing else does."""


class TunerError(Exception):
    """Root of every error of this package; its message names the thing and the fix in one or two lines."""


class ConfigError(TunerError, ValueError):
    """A configuration names an unknown key, or a value of the wrong type or range."""


class ShortTimeError(ConfigError):
    """The time of a run does not hold the trials that it must have."""


class WorkerError(TunerError, RuntimeError):
    """The workers of a study ended before it had its trials."""


class RescoringError(TunerError, ValueError):
    """A study, or one of its trials, cannot be scored again from what is kept of it."""


class ValidatingError(TunerError, ValueError):
    """A study's settings cannot be trained longer as asked."""


class ConvertingError(TunerError, ValueError):
    """A trial's weights cannot be converted into another trainer's."""


class WideningError(TunerError, ValueError):
    """A study cannot go on beyond the ranges that it searches."""


class NetworkFileError(TunerError, ValueError):
    """A file that should hold a finished network does not."""


class ScoutError(TunerError, ValueError):
    """A file that should hold a scout does not, or the scout is of other pictures, networks or weights."""


class PictureMatchError(TunerError, ValueError):
    """A picture to be scored has no photo, or more than one."""


class PresetError(TunerError, ValueError):
    """There is no preset of that name."""
