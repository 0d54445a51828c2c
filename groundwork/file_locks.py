"""Locks that processes of one machine share, and that end with their process."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import filelock

SECONDS_BETWEEN_REPORTS: Final = 30.0
"""While somebody else has a lock: far less than the time after which a silent worker counts as hung."""


@contextmanager
def held_alone(path: Path, *, on_wait: Callable[[], None]) -> Iterator[None]:
    """Hold a lock for as long as the block lasts.

    Args:
        path: The lock's file, whose folder is there.
        on_wait: Called now and then while another process has it.
    """
    lock = filelock.FileLock(path)
    while True:
        try:
            lock.acquire(timeout=SECONDS_BETWEEN_REPORTS)
            break
        except filelock.Timeout:
            on_wait()
    try:
        yield
    finally:
        lock.release()
