"""Looks before it opens: a path that leads to no ordinary file is named for what it is, and nothing waits for it."""

import errno
import os
import stat
from pathlib import Path
from typing import Final

from models.errors import ImageError

_KINDS: Final = (
    (stat.S_ISDIR, "is a folder. Name a picture file."),
    (stat.S_ISFIFO, "is a named pipe, which would be waited for. Save what comes through it to a file."),
    (stat.S_ISSOCK, "is a socket. Name a picture file."),
    (stat.S_ISCHR, "is a device. Name a picture file."),
    (stat.S_ISBLK, "is a device. Name a picture file."),
)


def require_regular_file(path: Path, *, name: str | None = None) -> os.stat_result:
    """Sees that a path leads to an ordinary file, through links or not; opens nothing.

    Args:
        path: Any path.
        name: What error messages call it; the path by default.

    Returns:
        The file's status.

    Raises:
        ImageError: Nothing is there, or a folder, named pipe, socket or device, or a link that leads nowhere.
    """
    status = find_status(path, name=name)
    for is_kind, reason in _KINDS:
        if is_kind(status.st_mode):
            raise ImageError(f"{name or str(path)!r} {reason}")
    return status


def find_status(path: Path, *, name: str | None = None) -> os.stat_result:
    """Looks up the status of what a path leads to, a folder or whatever else.

    Args:
        path: Any path.
        name: What error messages call it; the path by default.

    Raises:
        ImageError: Nothing is there, the path may not be followed, or it is a link that leads nowhere or in a circle.
    """
    try:
        return path.stat()
    except (OSError, ValueError) as error:  # ValueError: a name with a zero byte
        raise ImageError(f"{name or str(path)!r} {explain(path, error)}") from error


def explain(path: Path, error: OSError | ValueError) -> str:
    """What is wrong with a path that could not be followed or opened, continuing the sentence that its name begins."""
    match error:
        case FileNotFoundError() | NotADirectoryError() if path.is_symlink():
            return f"is a dangling link to {str(path.readlink())!r}. Mend or delete the link."
        case FileNotFoundError() | NotADirectoryError():
            return "does not exist. Check the path."
        case PermissionError():
            return "may not be read. Change its permissions."
        case OSError(errno=errno.ELOOP):
            return "is a link that leads in a circle. Mend or delete the link."
        case OSError(strerror=str() as reason):
            return f"cannot be read ({reason}). Replace the file."
        case _:
            return f"cannot be read ({error}). Replace the file."
