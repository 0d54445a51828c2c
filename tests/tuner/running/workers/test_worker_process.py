"""Worker processes: what they are told, and how they end."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from models.errors import PhotosError
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tests.tuner.tiny_study import NAME, num_finished
from tuner.running.workers.run_ending import RunEnding
from tuner.running.workers.worker_ends import GAVE_BACK
from tuner.running.workers.worker_process import run_worker
from tuner.running.workers.worker_processes import STORAGE_VARIABLE


def test_photos_are_where_they_are_on_this_machine(finished: Path) -> None:
    """The study says where another machine has them."""
    (finished / "photos").rename(finished / "moved")
    four = RunEnding(trials=4, stop={})
    with StudyStorage.open(str(finished / "styletuner.db")) as storage:
        study_uuid = uuid_of(storage.load_study(NAME))
        with pytest.raises(PhotosError, match="photos"):
            run_worker(storage, study_uuid, ending=four, photos=[str(finished / "photos")])
        run_worker(storage, study_uuid, ending=four, photos=[str(finished / "moved")])
    assert num_finished(finished / "styletuner.db") == 4


def start(folder: Path, *arguments: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-P", "-m", "styletuner._worker_process", *arguments],
        cwd=folder,
        env={**os.environ, STORAGE_VARIABLE: str(folder / "styletuner.db")},
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@pytest.mark.slow
def test_error_is_a_line_without_a_traceback(tmp_path: Path) -> None:
    with start(tmp_path, NAME, RunEnding(trials=3, stop={}).to_json(), "photos") as process:
        assert process.stderr is not None
        message = process.stderr.read()
        assert process.wait() == 2
    assert message.startswith(f"styletuner worker {process.pid}: There is no study database at")
    assert "Traceback" not in message


def wait_until_caught(process: subprocess.Popen[str], number: signal.Signals) -> None:
    """Wait for a process to have a handler of its own for a signal; see proc_pid_status(5)."""
    caught = 0
    while not caught >> (number - 1) & 1:
        assert process.poll() is None
        (line,) = re.findall(r"^SigCgt:\s*(\w+)", Path(f"/proc/{process.pid}/status").read_text(), re.MULTILINE)
        caught = int(line, 16)
        time.sleep(0.001)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupt_while_the_libraries_load_is_quiet(tmp_path: Path, number: signal.Signals) -> None:
    with start(tmp_path, NAME, RunEnding(trials=3, stop={}).to_json(), "photos") as process:
        wait_until_caught(process, signal.SIGTERM)  # from then on the libraries load
        process.send_signal(number)
        assert process.stderr is not None
        message = process.stderr.read()
    assert process.returncode == GAVE_BACK
    assert "Traceback" not in message


@pytest.mark.slow
def test_worker_ends_with_its_parent(tmp_path: Path) -> None:
    with start(tmp_path, NAME, RunEnding(trials=3, stop={}).to_json(), "photos") as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.stderr is not None
        message = process.stderr.read()
    assert process.returncode == GAVE_BACK
    assert message == ""
