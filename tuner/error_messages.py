"""What a user is told about an error: the one place where errors become text."""

import errno
from typing import Final

from dashboards.errors import DashboardsError
from groundwork.errors import GroundworkError
from measures.errors import MeasuresError
from models.errors import ModelsError
from objectives.errors import ObjectivesError
from studies.errors import StudiesError
from tuner.errors import TunerError

USER_ERRORS: Final = (
    DashboardsError,
    GroundworkError,
    MeasuresError,
    ModelsError,
    ObjectivesError,
    StudiesError,
    TunerError,
)
"""Errors whose message is written for the user."""

FILE_ERRORS: Final = (FileNotFoundError, FileExistsError, PermissionError, IsADirectoryError, NotADirectoryError)
"""Errors of the system that say all a user needs: which file, and what about it."""


def explain(error: Exception) -> tuple[str, int]:
    """Return what to tell the user about an error, and the exit status: 2 for bad input, 1 for a fault of ours."""
    if isinstance(error, USER_ERRORS):
        return str(error), 2
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        where = f" at {error.filename}" if error.filename else ""
        return f"No space is left on the disk{where}. Free some and run the same command again.", 2
    if isinstance(error, FILE_ERRORS) and error.filename and error.strerror:
        return f"{error.filename}: {error.strerror}.", 2
    lines = str(error).splitlines()
    return f"{type(error).__name__}: {lines[0] if lines else 'no message'}\nRun `styletuner --debug ...` for more.", 1
