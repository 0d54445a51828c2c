"""Durations in words, and words as durations."""

import re
from typing import Any, Final, final

import click

from tuner.errors import ConfigError

MINUTES_PER_UNIT: Final = {"h": 60.0, "m": 1.0, "s": 1 / 60}
SECONDS_PER_MINUTE: Final = 60


def format_seconds(seconds: float) -> str:
    """Return a duration in words: "45 s", "12 min", "2 h 05 min"."""
    if seconds < SECONDS_PER_MINUTE:
        return f"{seconds:.0f} s"
    minutes = round(seconds / SECONDS_PER_MINUTE)
    if minutes < SECONDS_PER_MINUTE:
        return f"{minutes} min"
    return f"{minutes // SECONDS_PER_MINUTE} h {minutes % SECONDS_PER_MINUTE:02d} min"


def parse_minutes(text: str) -> float:
    """Return the minutes that a duration such as 45m, 1h30m, 1.5h or 90s has.

    Raises:
        ConfigError: It is none.
    """
    lower = text.strip().lower()
    if not re.fullmatch(r"(\d+(\.\d+)?[hms])+", lower):
        raise ConfigError(f"{text!r} is no duration. Give one such as 45m, 1h30m or 90s.")
    return sum(float(number) * MINUTES_PER_UNIT[unit] for number, unit in re.findall(r"([\d.]+)([hms])", lower))


@final
class Minutes(click.ParamType[float]):
    """A duration such as 45m, 1h30m, 1.5h or 90s, in minutes."""

    name = "duration"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the minutes that a text stands for."""
        if isinstance(value, float):
            return value
        try:
            return parse_minutes(str(value))
        except ConfigError as error:
            self.fail(str(error), param, ctx)
