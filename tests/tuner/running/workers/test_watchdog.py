"""What the watchdog counts; that it ends a real worker is tested with worker processes."""

import pytest

from tuner.running.workers import watchdog
from tuner.running.workers.watchdog import ProgressWatchdog

PATIENCE = 900.0


class EndedError(Exception):
    """Stands for the end of the process."""


class Looks(list[float]):
    """Seconds between looks, to be filled; after the last one the watchdog is told to stop."""

    def __init__(self) -> None:
        super().__init__()
        self.watchdog = ProgressWatchdog(patience_seconds=PATIENCE)
        self.now = 0.0
        self.progress_at = -1
        self.num_done = 0

    def wait(self, _seconds: float) -> bool:
        self.now += self.pop(0)
        self.num_done += 1
        if self.num_done == self.progress_at:
            self.watchdog.progressed()
        return not self


@pytest.fixture
def looks(monkeypatch: pytest.MonkeyPatch) -> Looks:
    found = Looks()

    def end(_status: int) -> None:
        raise EndedError

    monkeypatch.setattr(watchdog.time, "monotonic", lambda: found.now)
    monkeypatch.setattr(watchdog.threading.Event, "wait", found.wait)
    monkeypatch.setattr(watchdog.os, "_exit", end)
    return found


@pytest.mark.usefixtures("capfd")
def test_training_that_stands_still(looks: Looks) -> None:
    looks += [1.0] * 1000
    with pytest.raises(EndedError):
        looks.watchdog._watch()
    assert looks.num_done == PATIENCE + 1


def test_a_process_that_was_stopped(looks: Looks) -> None:
    looks += [1.0] * 400 + [86_400.0] + [1.0] * 400
    looks.watchdog._watch()
    assert looks.num_done == 801


@pytest.mark.usefixtures("capfd")
def test_progress_begins_the_count_anew(looks: Looks) -> None:
    looks += [1.0] * 2000
    looks.progress_at = 600
    with pytest.raises(EndedError):
        looks.watchdog._watch()
    assert looks.num_done == 600 + PATIENCE + 1


def test_who_is_told_goes_on_and_is_told_again(looks: Looks, capsys: pytest.CaptureFixture[str]) -> None:
    """A notebook's process is not ours to end."""
    looks.watchdog._on_hang = watchdog.warn_of_hang
    looks += [1.0] * 2000
    looks.watchdog._watch()
    told = [line for line in capsys.readouterr().err.splitlines() if line.startswith("styletuner: no progress for")]
    assert [line.split(". ")[0] for line in told] == [
        "styletuner: no progress for 901 s",
        "styletuner: no progress for 1801 s",
    ]
