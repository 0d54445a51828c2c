"""Who runs a trial: a process on a machine, told apart from a later process of the same number by when it started."""

import functools
import math
import os
import socket
import uuid
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self, final

import psutil

_START_TOLERANCE = 1.5
"""Seconds: the kernel gives the time of boot in whole seconds, and it may be read on either side of one."""

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PROCESS_NAMESPACE = Path("/proc/self/ns/pid")


@final
@dataclass(frozen=True, kw_only=True)
class WorkerIdentity:
    """One process.

    Attributes:
        machine: Where its number means something; see `this_machine`. Empty in what an earlier version wrote.
        host: Name of the computer, to show; containers may share it.
        pid: Its process id on the machine.
        started: When it started, in seconds since that machine booted, which no change of the clock moves.
    """

    machine: str
    host: str
    pid: int
    started: float

    @classmethod
    def current(cls) -> Self:
        """This process."""
        return cls.of(os.getpid())

    @classmethod
    def of(cls, pid: int) -> Self:
        """A process of this machine that is there, be it as one that has ended and that nobody has waited for."""
        process = psutil.Process(pid)
        return cls(
            machine=this_machine(), host=socket.gethostname(), pid=process.pid, started=_seconds_since_boot(process)
        )

    @classmethod
    def from_attribute(cls, attribute: object) -> Self | None:
        """Read what `as_attribute` wrote, also by a version that knew no machines; None if it is anything else."""
        if not isinstance(attribute, Mapping):
            return None
        try:
            return cls(
                machine=str(attribute.get("machine", "")),
                host=str(attribute["host"]),
                pid=int(attribute["pid"]),
                started=float(attribute["started"]),
            )
        except (KeyError, TypeError, ValueError):
            return None

    def as_attribute(self) -> dict[str, Any]:
        """A dictionary for a trial's user attribute."""
        return asdict(self)

    @property
    def is_here(self) -> bool:
        """Whether it is or was a process of this machine; what became of another machine's, nobody here can tell."""
        return self.machine == this_machine()

    def is_alive(self) -> bool:
        """Whether the process still runs, as far as this machine can tell: another one's counts as alive.

        A zombie does not run.
        """
        if not self.is_here:
            return True
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
def this_machine() -> str:
    """Name what a process id belongs to: one boot of one kernel, and one namespace of processes in it.

    Two containers of one host name are two machines, each of which sees its own processes alone; so are a computer
    before and after it booted. Where there is no /proc (macOS) there are no such namespaces either, and the computer's
    hardware address stands for it: processes of an earlier boot are then told by when they started.
    """
    try:
        return f"{_BOOT_ID.read_text(encoding='ascii').strip()}/{_PROCESS_NAMESPACE.stat().st_ino}"
    except OSError:
        return f"{uuid.getnode():012x}"


def _seconds_since_boot(process: psutil.Process) -> float:
    return round(process.create_time() - psutil.boot_time(), 2)
