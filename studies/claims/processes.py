"""Who runs a trial: a process on a host, told apart from a later process of the same number by when it started."""

import functools
import math
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, final

import psutil

_START_TOLERANCE = 1.5
"""Seconds: the kernel gives the time of boot in whole seconds, and it may be read on either side of one."""


@final
@dataclass(frozen=True)
class WorkerIdentity:
    """One process.

    Attributes:
        host: Name of its machine.
        pid: Its process id there.
        started: When it started, in seconds since that machine booted, which no change of the clock moves.
    """

    host: str
    pid: int
    started: float

    @classmethod
    def current(cls) -> Self:
        """This process."""
        process = psutil.Process()
        return cls(host=this_host(), pid=process.pid, started=_seconds_since_boot(process))

    @classmethod
    def from_attribute(cls, attribute: object) -> Self | None:
        """Read what `as_attribute` wrote; None if it is anything else."""
        if not isinstance(attribute, Mapping):
            return None
        try:
            return cls(str(attribute["host"]), int(attribute["pid"]), float(attribute["started"]))
        except (KeyError, TypeError, ValueError):
            return None

    def as_attribute(self) -> dict[str, Any]:
        """A dictionary for a trial's user attribute."""
        return asdict(self)

    def is_alive(self) -> bool:
        """Whether the process still runs; only its own host can tell. A zombie does not run."""
        try:
            process = psutil.Process(self.pid)
            if process.status() == psutil.STATUS_ZOMBIE:
                return False
            return math.isclose(_seconds_since_boot(process), self.started, rel_tol=0, abs_tol=_START_TOLERANCE)
        except psutil.NoSuchProcess:
            return False
        except psutil.AccessDenied:
            return True


@functools.cache
def this_host() -> str:
    """Name of this machine."""
    return socket.gethostname()


def _seconds_since_boot(process: psutil.Process) -> float:
    return round(process.create_time() - psutil.boot_time(), 2)
