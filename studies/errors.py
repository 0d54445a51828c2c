"""Errors that `studies` raises for input a user can mend. The command line formats them; nothing else does."""


class StudiesError(Exception):
    """Root of every error of this package; its message names the thing and the fix in one or two lines."""


class StorageError(StudiesError, OSError):
    """The study database cannot be opened or written."""


class ArtifactGoneError(StorageError):
    """A picture, checkpoint or style image is not where it was kept, which does not happen by an outage."""


class StudyError(StudiesError, ValueError):
    """A study or trial is missing, or differs from what it is asked to be."""


class ExportError(StudiesError, ValueError):
    """A study has nothing to export, or an exported file cannot be understood."""


class ClaimLostError(StudyError):
    """A worker's claim on a trial was given to another worker while it was silent."""


class CalibrationError(StudiesError, ValueError):
    """There are too few choices of a person, or none that can be used, to find what the person weighs how."""


class PreferenceError(StudiesError, ValueError):
    """A study has nothing to ask a person about, or the person cannot be asked."""
