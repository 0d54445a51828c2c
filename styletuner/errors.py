"""Errors of the public API; those of the packages below pass through it as they are."""


class StyletunerError(Exception):
    """Root of every error of this package; its message names the thing and the fix in one or two lines."""


class StudyProcessError(StyletunerError, RuntimeError):
    """A study's process ended before the study had its trials; the message is the process's own last word."""
