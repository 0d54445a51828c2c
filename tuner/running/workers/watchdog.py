"""Notices a worker that stands still; by default it ends the process, and its trial is run again."""

import faulthandler
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable
from contextlib import suppress
from typing import Final, final

from tuner.installation.environment import STANDARD_ERROR
from tuner.running.workers.worker_ends import HUNG

HANG_SECONDS: Final = 900.0
"""Time without a training step after which a worker counts as hung: the first step, compilation included, takes
tens of seconds on the slowest machine tried; fifteen minutes leave room for far larger crops."""


def end_process(seconds: float, *, status: int = HUNG) -> None:
    """End this process, which is there for nothing else: who finds it dead runs its trial again.

    Args:
        seconds: For how long nothing has happened.
        status: To end with; by default as a worker process.
    """
    # Not to sys.stderr, which a worker process has turned away.
    follows = "Its trial is run again by another one." if status == HUNG else "Run the same command again to resume."
    words = (
        f"styletuner: no progress for {seconds:.0f} s; this worker ends. "
        f"{follows} The stacks below say where it stood.\n"
    )
    with suppress(OSError):
        os.write(STANDARD_ERROR, words.encode())
        faulthandler.dump_traceback(file=STANDARD_ERROR)
    os._exit(status)


def warn_of_hang(seconds: float) -> None:
    """Say where this process, which is not ours to end, stands.

    Args:
        seconds: For how long nothing has happened.
    """
    frame = sys._current_frames().get(threading.main_thread().ident or 0)
    stack = "".join(traceback.format_stack(frame)) if frame is not None else ""
    with suppress(Exception):
        sys.stderr.write(
            f"styletuner: no progress for {seconds:.0f} s. Interrupt it to give the trial back; the stack below says "
            f"where it stands.\n{stack}"
        )


@final
class ProgressWatchdog:
    """Notices when training stands still although the process, and its heartbeat, live.

    Time in which the watchdog itself did not run is not counted: the whole process was stopped then, by Ctrl-Z perhaps.
    """

    def __init__(self, *, patience_seconds: float, on_hang: Callable[[float], None] = end_process) -> None:
        """Prepare to watch.

        Args:
            patience_seconds: For how long nothing may happen.
            on_hang: Told that so long nothing has happened; and, if it returns, after as long again.
        """
        self._patience = patience_seconds
        self._on_hang = on_hang
        self._num_progressed = 0
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="progress-watchdog", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def progressed(self) -> None:
        """Say that something was done."""
        self._num_progressed += 1

    def stop(self) -> None:
        """Stop watching."""
        self._stopped.set()

    def _watch(self) -> None:
        between = min(1.0, self._patience / 4)
        looked, known, still, num_told = time.monotonic(), self._num_progressed, 0.0, 0
        while not self._stopped.wait(between):
            now, num_progressed = time.monotonic(), self._num_progressed
            if num_progressed != known:
                still, num_told = 0.0, 0
            else:
                still += min(now - looked, 2 * between)
            looked, known = now, num_progressed
            if still > self._patience * (num_told + 1):
                num_told += 1
                self._on_hang(still)
