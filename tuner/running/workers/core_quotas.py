"""How many cores a Linux container leaves its processes, by the quotas of their control groups.

Facts: "cpu.max" in the kernel's Documentation/admin-guide/cgroup-v2.rst, "cpu.cfs_quota_us" in its
Documentation/scheduler/sched-bwc.rst, and /proc/PID/cgroup in cgroups(7).
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path, PurePosixPath
from typing import Final

_GROUPS: Final = Path("/sys/fs/cgroup")
_OWN_GROUPS: Final = Path("/proc/self/cgroup")


def core_quota(groups: Path = _GROUPS, own_groups: Path = _OWN_GROUPS) -> int | None:
    """Return how many whole cores this process may keep busy, at least 1; None where nothing limits it.

    A group has no more than any group around it. What cannot be read limits nothing.

    Args:
        groups: Where the file systems of control groups are mounted.
        own_groups: The kernel's list of the groups that this process is in.
    """
    quotas = [quota for folder in _folders(groups, own_groups) if (quota := _quota(folder)) is not None]
    return max(1, int(min(quotas))) if quotas else None


def _folders(groups: Path, own_groups: Path) -> Iterator[Path]:
    """Yield the folder of each group, and of those around it, that may limit the processor."""
    try:
        lines = own_groups.read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    found = [line.split(":", 2) for line in lines if line.count(":") > 1]
    # Version 2 has one tree and names no controllers; version 1 mounts a tree for each, or for some of them together.
    mounts = [(groups / name, place) for _, name, place in found if not name or "cpu" in name.split(",")]
    for mount, place in mounts:
        inner = PurePosixPath(place.lstrip("/"))
        # In a namespace of its own a container sees its group as the root, whatever the list names it.
        yield from (mount / folder for folder in (inner, *inner.parents))
    yield groups


def _quota(folder: Path) -> float | None:
    with suppress(OSError, ValueError):
        quota, period = (folder / "cpu.max").read_text(encoding="ascii").split()
        return int(quota) / int(period)
    with suppress(OSError, ValueError, ZeroDivisionError):
        quota, period = ((folder / f"cpu.cfs_{name}_us").read_text(encoding="ascii") for name in ("quota", "period"))
        return int(quota) / int(period) if int(quota) > 0 else None
    return None
