"""Ends a worker that stands still: a resume then finds it dead, and runs its trial again."""

import faulthandler
import os
import threading
import time
from contextlib import suppress
from typing import final

from tuner.installation.environment import STANDARD_ERROR


@final
class ProgressWatchdog:
    """Ends the process when training stands still although it, and its heartbeat, live.

    A resume then finds a dead worker, and runs the trial again. Time in which the watchdog itself did not run is not
    counted: the whole process was stopped then, by Ctrl-Z perhaps.
    """

    def __init__(self, *, patience_seconds: float) -> None:
        self._patience = patience_seconds
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
        looked, known, still = time.monotonic(), self._num_progressed, 0.0
        while not self._stopped.wait(between):
            now, num_progressed = time.monotonic(), self._num_progressed
            still = still + min(now - looked, 2 * between) if num_progressed == known else 0.0
            looked, known = now, num_progressed
            if still > self._patience:
                self._say_where_it_stands()
                os._exit(1)

    def _say_where_it_stands(self) -> None:
        # Not to sys.stderr, which a worker process has turned away.
        words = (
            f"styletuner: no progress for {self._patience:.0f} s; this worker ends. "
            "Run the same command again to resume; the stacks below say where it stood.\n"
        )
        with suppress(OSError):
            os.write(STANDARD_ERROR, words.encode())
            faulthandler.dump_traceback(file=STANDARD_ERROR)
