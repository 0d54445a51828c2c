"""What befalls a process at one place of its way, as a file in its folder says; exactly there, and no race.

The file "accident" holds a place and what happens there; whoever comes there first takes the file away. With "always"
as a third word it stays.
"""

import os
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import BinaryIO

from studies.storage import artifact_folder

FILE = Path("accident")
TAKEN = Path("accident.taken")
"""The file once it was taken: somebody is at the place."""
GO_ON = Path("go_on")
"""Lets whoever waits go on."""


def plan(folder: Path, words: str) -> None:
    """Have something happen in a folder from now on, again if that was the case before."""
    (folder / TAKEN).unlink(missing_ok=True)
    written = folder / f"{FILE}.writing"
    written.write_text(words)
    written.rename(folder / FILE)


def has_happened(folder: Path) -> bool:
    return (folder / TAKEN).exists()


def happen(place: str, *, meanwhile: Callable[[], None] = lambda: None) -> None:
    """Be where something may happen."""
    try:
        planned, what, *always = FILE.read_text().split()
    except (FileNotFoundError, ValueError):
        return
    if planned != place:
        return
    if not always:
        try:
            FILE.rename(TAKEN)
        except FileNotFoundError:
            return
    _befall(what, meanwhile)


def _befall(what: str, meanwhile: Callable[[], None]) -> None:
    if what == "exit":
        os._exit(7)
    if what == "memory":
        raise MemoryError("Unable to allocate 9.0 TiB")
    if what == "hang":
        time.sleep(600)
    if what == "wait":
        while not GO_ON.exists():
            time.sleep(0.02)
            meanwhile()
        return
    os.kill(os.getpid(), signal.Signals[what])
    time.sleep(600)


def _copy(source: BinaryIO, target: BinaryIO) -> None:
    """Write an artifact, with an accident in the middle of it."""
    content = source.read()
    target.write(content[: len(content) // 2])
    target.flush()
    happen("artifact")
    target.write(content[len(content) // 2 :])


class _Copying:
    """`shutil` as the artifacts see it."""

    copyfileobj = staticmethod(_copy)
    disk_usage = staticmethod(shutil.disk_usage)


def let_writing_go_wrong() -> None:
    """Have an accident half way through an artifact's file be possible in this process."""
    artifact_folder.shutil = _Copying  # type: ignore[attr-defined]
