"""How a worker process ends: its exit status, and what people are told of it."""

import signal
from typing import Final

BAD_INPUT: Final = 2
"""It cannot run the study and has said why: another process could not either."""

GAVE_UP: Final = 3
"""A fault that another process would have too ended it, and it has said which: trials failed one after another."""

HUNG: Final = 4
"""Its watchdog ended it."""

GAVE_BACK: Final = 5
"""It was asked to end, and has given its trial back if it had one."""

SAID_WHY: Final = (BAD_INPUT, GAVE_UP)
"""Ends after which no other process takes its place."""

INTERRUPTED: Final = "interrupted by the user"
"""Why a trial failed that was given back."""

LOWER_MEMORY: Final = "lower training.batch_size, data.crop_size or network.width"
"""What a trial's memory grows with."""


def death_in_words(status: int, *, patience_seconds: float) -> str:
    """Return what became of a worker that did not end by itself, to stand behind "its worker" or "worker 2".

    Args:
        status: What `subprocess.Popen.returncode` says: an exit status, or a signal below zero.
        patience_seconds: Time without a training step after which its watchdog ends it.
    """
    if status == HUNG:
        return f"stood still for {patience_seconds:.0f} s and was ended"
    if status >= 0:
        return f"ended with status {status}"
    try:
        name = f", {signal.Signals(-status).name}"
    except ValueError:
        name = ""
    if status == -signal.SIGKILL:
        return (
            f"was killed (signal {-status}{name}): often the machine ran out of memory; use fewer --workers, or "
            f"{LOWER_MEMORY}"
        )
    return f"crashed (signal {-status}{name})"
