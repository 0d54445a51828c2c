"""Durations in words."""

from typing import Final

SECONDS_PER_MINUTE: Final = 60


def format_seconds(seconds: float) -> str:
    """Return a duration in words: "45 s", "12 min", "2 h 05 min"."""
    if seconds < SECONDS_PER_MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / SECONDS_PER_MINUTE)
    if minutes < SECONDS_PER_MINUTE:
        return f"{minutes} min"
    return f"{minutes // SECONDS_PER_MINUTE} h {minutes % SECONDS_PER_MINUTE:02d} min"
