"""Errors that `groundwork` raises. `OutputError` is for the user; callers turn others into theirs."""


class GroundworkError(Exception):
    """Root of every error of this package; its message names the thing in one or two lines."""


class OutputError(GroundworkError, OSError):
    """An output may not be written where it was asked for; names the path, what is there, and the fix."""


class YamlError(GroundworkError, ValueError):
    """Text or a file cannot be read as the plain YAML of settings; names it, the line and the key."""
