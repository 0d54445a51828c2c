"""How many of some like things are done, and how long the others take: a live line, or one in a log now and then."""

import time
from typing import Final, final

import click
from rich.console import Console
from rich.markup import escape
from rich.status import Status

from tuner.command_line.durations import format_seconds

LOG_SECONDS: Final = 30.0
"""Between two lines where standard error is no terminal: often enough to see that it lives."""


@final
class CountedProgress:
    """Tells on standard error how far a command is; a context, at whose end the live line goes."""

    def __init__(self, what: str, *, things: str) -> None:
        """Take the words.

        Args:
            what: What is done: "re-scoring".
            things: What is counted, in the plural: "trials".
        """
        self._what = what
        self._things = things
        self._console = Console(stderr=True)
        self._status: Status | None = None
        self._begun: tuple[float, int] | None = None
        self._logged = 0.0

    def __enter__(self) -> "CountedProgress":
        return self

    def __exit__(self, *_: object) -> None:
        """Take the live line away, which also brings the cursor back."""
        if self._status is not None:
            self._status.stop()
            self._status = None

    def show(self, num_done: int, total: int) -> None:
        """Say that so many are done; the first call says with how many it begins."""
        now = time.monotonic()
        if self._begun is None:
            self._begun, self._logged = (now, num_done), now
        line = f"{self._what}: {num_done} of {total} {self._things}{self._left(now, num_done, total)}"
        if self._console.is_terminal:
            self._show_live(line)
        elif now - self._logged >= LOG_SECONDS:
            self._logged = now
            click.echo(line, err=True)

    def say(self, text: str) -> None:
        """Print a line that stays."""
        self._console.print(text, markup=False, highlight=False, soft_wrap=True)

    def _left(self, now: float, num_done: int, total: int) -> str:
        started, num_before = self._begun or (now, num_done)
        if not num_before < num_done < total:
            return ""
        return f", {format_seconds((now - started) / (num_done - num_before) * (total - num_done))} left"

    def _show_live(self, line: str) -> None:
        if self._status is None:
            self._status = self._console.status(escape(line))
            self._status.start()
        else:
            self._status.update(escape(line))
