"""Errors that `tuner` raises for input a user can mend. The command line formats them; nothing else does."""


class TunerError(Exception):
    """Root of every error of this package; its message names the thing and the fix in one or two lines."""


class ConfigError(TunerError, ValueError):
    """A configuration names an unknown key, or a value of the wrong type or range."""


class WorkerError(TunerError, RuntimeError):
    """The workers of a study ended before it had its trials."""


class NetworkFileError(TunerError, ValueError):
    """A file that should hold a finished network does not."""


class CheckpointError(TunerError, ValueError):
    """A checkpoint cannot be read, or belongs to another training."""


class PreferenceError(TunerError, ValueError):
    """A study has nothing to ask a person about, or the person cannot be asked."""


class PictureMatchError(TunerError, ValueError):
    """A picture to be scored has no photo, or more than one."""
