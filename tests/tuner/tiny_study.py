"""A study so small that a trial takes about a second, its pictures, and the command line on it: in process and out."""

import contextlib
import io
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final
from unittest.mock import patch

from optuna.trial import FrozenTrial, TrialState

from models.pictures.images import write_image
from studies.claims.trial_states import FINISHED_STATES
from studies.storage.study_storage import StudyStorage
from tests.objectives.drawn_pictures import draw_photo, draw_style
from tuner.command_line import main as cli

NUM_PHOTOS = 16
NAME = "waves"

CONFIGURATION = """
style: style.png
photos: [photos]
network: {width: 4, num_residual_blocks: 1}
loss: {content_layers: [relu2_1], style_layers: [relu1_1, relu2_1]}
data: {crop_size: 32, num_crops: 16, style_size: 48, held_out: {rung: 2, calibration: 1, report: 1, size: 48}}
training: {images: 16, batch_size: 4, learning_rate: 0.01}
search: {trials: 3, rungs: [0.5, 1], baseline: [1, 1, 0.1], style_to_content: [0.01, 10], tv_to_content: [0.001, 1]}
full_training: {crop_size: 48, style_size: 48, images: 16, batch_size: 4, checkpoint_every: 8}
"""

PROCESS_SECONDS = 240
"""Longest life of a command: loading the libraries alone takes tens of seconds on a machine with other work."""


def write_tiny_study(folder: Path) -> Path:
    """Draw photos and a style image, and write the configuration "tiny.yaml" beside them."""
    photos = folder / "photos"
    photos.mkdir(parents=True)
    for seed in range(NUM_PHOTOS):
        write_image(photos / f"photo_{seed:02}.png", draw_photo(seed, height=64, width=64 + 4 * (seed % 4)))
    write_image(folder / "style.png", draw_style())
    (folder / "tiny.yaml").write_text(CONFIGURATION, encoding="utf-8")
    return folder


@final
@dataclass(frozen=True, kw_only=True)
class Outcome:
    """How a command ended."""

    status: int
    stdout: str
    stderr: str

    def require_success(self) -> "Outcome":
        assert self.status == 0, self.stdout + self.stderr
        return self

    def require_refusal(self, *words: str) -> "Outcome":
        """Bad input: status 2, and a message of at most three lines that has these words and no traceback."""
        # What is found before the fault, such as how many photos there are, is no part of the message.
        _, _, message = self.stderr.rpartition("Error: ")
        assert self.status == 2, self.stdout + self.stderr
        assert "Traceback" not in self.stdout + self.stderr
        assert 1 <= len(message.splitlines()) <= 3, self.stderr
        for word in words:
            assert word in message, f"{word!r} is not in {message!r}"
        return self


def run_command(*arguments: object, cwd: Path, typed: str = "") -> Outcome:
    """Run the command line in this process, which has loaded its libraries already, with what is typed into it."""
    stdout, stderr = io.StringIO(), io.StringIO()
    status: object = None
    with (
        contextlib.chdir(cwd),
        patch.object(sys, "argv", ["styletuner", *map(str, arguments)]),
        patch.object(sys, "stdin", io.StringIO(typed)),
        contextlib.redirect_stdout(stdout),
        contextlib.redirect_stderr(stderr),
    ):
        try:
            cli.main()
        except SystemExit as stop:
            status = stop.code
    assert isinstance(status, int)
    return Outcome(status=status, stdout=stdout.getvalue(), stderr=stderr.getvalue())


@final
class CommandProcess:
    """The command line in a process group of its own, as from a terminal."""

    def __init__(
        self,
        *arguments: object,
        cwd: Path,
        environment: dict[str, str] | None = None,
        program: Sequence[str] = ("-P", "-m", "styletuner"),
    ) -> None:
        self._log = cwd / f"log-{time.monotonic_ns()}.txt"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, *program, *map(str, arguments)],
                cwd=cwd,
                env={**os.environ, **(environment or {})},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def output(self) -> str:
        """Standard output and error so far."""
        return self._log.read_text(encoding="utf-8", errors="replace")

    def wait_until(self, condition: Callable[[], bool]) -> None:
        """Wait for something to happen while the process lives."""
        deadline = time.monotonic() + PROCESS_SECONDS
        while not condition():
            assert self._process.poll() is None, f"The process ended too early:\n{self.output}"
            assert time.monotonic() < deadline, f"Nothing happened:\n{self.output}"
            time.sleep(0.01)

    def signal_group(self, number: signal.Signals) -> None:
        """Send a signal to the process and its children, as Ctrl-C in a terminal does."""
        os.killpg(self._process.pid, number)

    def kill(self) -> None:
        self.signal_group(signal.SIGKILL)
        self._process.wait()

    def wait(self) -> int:
        """Wait for its end and return the status."""
        return self._process.wait(timeout=PROCESS_SECONDS)

    def __enter__(self) -> "CommandProcess":
        return self

    def __exit__(self, *_: object) -> None:
        if self._process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                self.kill()


def read_trials(storage: Path | str, name: str = NAME) -> list[FrozenTrial]:
    """All trials of a study, read anew."""
    with opened(storage) as studies:
        return studies.read_study(name).get_trials()


@contextlib.contextmanager
def opened(storage: Path | str) -> Iterator[StudyStorage]:
    with StudyStorage.open_read_only(str(storage)) as studies:
        yield studies


def num_running(storage: Path | str, name: str = NAME) -> int:
    """Running trials; none while there is no such study yet."""
    if "://" not in str(storage) and not Path(storage).exists():
        return 0
    with contextlib.suppress(Exception):
        return sum(trial.state is TrialState.RUNNING for trial in read_trials(storage, name))
    return 0


def is_in_a_trial(storage: Path | str, *, finished: int, name: str = NAME) -> bool:
    """Whether a trial runs and at least so many have finished, at one moment."""
    if "://" not in str(storage) and not Path(storage).exists():
        return False
    with contextlib.suppress(Exception):
        states = [trial.state for trial in read_trials(storage, name)]
        return TrialState.RUNNING in states and sum(state in FINISHED_STATES for state in states) >= finished
    return False


def num_finished(storage: Path | str, name: str = NAME) -> int:
    return sum(trial.state in FINISHED_STATES for trial in read_trials(storage, name))


def require_exactly(storage: Path | str, total: int, name: str = NAME) -> None:
    """The study has its total of finished trials, each of its own weights, and nothing runs."""
    trials = read_trials(storage, name)
    finished = [trial for trial in trials if trial.state in FINISHED_STATES]
    assert len(finished) == total, [(trial.number, trial.state.name) for trial in trials]
    assert not [trial.number for trial in trials if trial.state is TrialState.RUNNING]
    parameters = {tuple(sorted(trial.params.items())) for trial in finished}
    assert len(parameters) == total
