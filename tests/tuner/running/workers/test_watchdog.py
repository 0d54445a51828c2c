"""What the watchdog counts; that it ends a real worker is tested with worker processes."""

import time
from typing import Any

import pytest

from tuner.running.workers import watchdog
from tuner.running.workers.watchdog import ProgressWatchdog

PATIENCE = 900.0


class EndedError(Exception):
    """Stands for the end of the process."""


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Seconds between looks, to be filled; after the last one the watchdog is told to stop."""
    seconds: list[float] = []
    now = time.monotonic()

    def wait(_watchdog: Any, _seconds: float) -> bool:
        nonlocal now
        now += seconds.pop(0) if seconds else 0.0
        return not seconds

    def end(_status: int) -> None:
        raise EndedError

    monkeypatch.setattr(watchdog.time, "monotonic", lambda: now)
    monkeypatch.setattr(watchdog.threading.Event, "wait", wait)
    monkeypatch.setattr(watchdog.os, "_exit", end)
    return seconds


@pytest.mark.usefixtures("capfd")
def test_training_that_stands_still(looked: list[float]) -> None:
    looked += [1.0] * 1000
    with pytest.raises(EndedError):
        ProgressWatchdog(patience_seconds=PATIENCE)._watch()
    assert len(looked) == 1000 - PATIENCE - 1


def test_a_process_that_was_stopped(looked: list[float]) -> None:
    looked += [1.0] * 400 + [86_400.0] + [1.0] * 400
    ProgressWatchdog(patience_seconds=PATIENCE)._watch()
    assert not looked


def test_progress_begins_the_count_anew(looked: list[float]) -> None:
    found = ProgressWatchdog(patience_seconds=PATIENCE)
    for _ in range(3):
        looked += [1.0] * 600
        found._watch()
        found.progressed()
