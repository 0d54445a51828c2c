"""What is told of how far a command is, at times that we set."""

import io
import sys
import time

import pytest

from tuner.command_line.counted_progress import LOG_SECONDS, CountedProgress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_a_log_gets_a_line_now_and_then(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with CountedProgress("re-scoring", things="trials") as progress:
        for num_done in range(2, 6):
            progress.show(num_done, 6)
            clock[0] += LOG_SECONDS / 2
    # Begun with two; two more took as long as the other two will.
    assert capsys.readouterr().err == "re-scoring: 4 of 6 trials, 30 s left\n"


def test_a_quick_command_says_nothing_in_a_log(clock: list[float], capsys: pytest.CaptureFixture[str]) -> None:
    with CountedProgress("re-scoring", things="trials") as progress:
        for num_done in range(3):
            progress.show(num_done, 2)
            clock[0] += 1
    assert capsys.readouterr().err == ""


def test_a_terminal_has_a_live_line_which_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    monkeypatch.setenv("TERM", "xterm")
    with CountedProgress("re-scoring", things="trials") as progress:
        progress.show(0, 3)
        time.sleep(0.2)
        progress.show(1, 3)
        time.sleep(0.2)
    assert "re-scoring: 0 of 3 trials" in terminal.getvalue()
    assert "re-scoring: 1 of 3 trials, " in terminal.getvalue()
    assert terminal.getvalue().rstrip().endswith("\x1b[2K"), "the line is cleared"


def test_what_is_said_stays_as_it_was_written(capsys: pytest.CaptureFixture[str]) -> None:
    told = "trial 3: [bold]quality[/bold] " + "very " * 40 + "high"
    with CountedProgress("validating", things="images") as progress:
        progress.say(told)
    assert capsys.readouterr().err == f"{told}\n"
