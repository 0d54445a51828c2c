"""What is settled before a network library loads."""

import os
import subprocess
import sys
from pathlib import Path

import keras
import pytest

from tuner.installation.environment import _held_back_stderr, own_command, sees_gpus, set_defaults

NAMES = (
    "TF_ENABLE_ONEDNN_OPTS",
    "TF_CPP_MIN_LOG_LEVEL",
    "TF_FORCE_GPU_ALLOW_GROWTH",
    "XLA_PYTHON_CLIENT_PREALLOCATE",
    "OMP_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
)


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """`set_defaults` writes to the process; setting first has pytest put everything back."""
    for name in NAMES:
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)


def test_onednn_is_on_and_threads_are_left_alone() -> None:
    set_defaults()
    assert [os.environ.get(name) for name in NAMES] == ["1", "3", "true", "false", None, None]


def test_what_the_user_has_set_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.setenv(name, "7")
    set_defaults()
    assert [os.environ[name] for name in NAMES] == ["7"] * len(NAMES)


def test_what_native_code_writes_is_held_back(capfd: pytest.CaptureFixture[str]) -> None:
    with _held_back_stderr():
        os.write(2, b"chatter\n")
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def write_and_fail() -> None:
    with _held_back_stderr():
        os.write(2, b"the reason\n")
        raise ImportError("no library")


def test_what_was_held_back_is_shown_on_failure(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ImportError, match="no library"):
        write_and_fail()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "the reason\nafter\n"


def run_python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, timeout=120)


def test_loading_the_networks_is_quiet_and_sets_the_defaults() -> None:
    finished = run_python(
        "import sys\nfrom tuner.installation.environment import load_networks\n"
        "assert 'keras' not in sys.modules\nload_networks()\nassert 'keras' in sys.modules\n"
        "import os\nprint(os.environ['TF_ENABLE_ONEDNN_OPTS'])\nprint('still open', file=sys.stderr)"
    )
    assert finished.returncode == 0, finished.stderr
    assert (finished.stdout, finished.stderr) == ("1\n", "still open\n")


@pytest.mark.parametrize("closing", ["os.close(2)", "sys.stderr = None"])
def test_a_process_without_standard_error_does_without(closing: str) -> None:
    finished = run_python(
        f"import os, sys\nfrom tuner.installation.environment import _held_back_stderr\n{closing}\n"
        "with _held_back_stderr():\n    print('inside')\nprint('after')"
    )
    assert (finished.returncode, finished.stdout) == (0, "inside\nafter\n")


@pytest.mark.parametrize(
    ("started", "on_path", "typed"),
    [
        ("my venv/bin/styletuner", False, "'my venv/bin/styletuner'"),
        ("my venv/bin/styletuner", True, "styletuner"),
        ("site-packages/tuner/cli.py", False, "styletuner"),
    ],
)
def test_own_command_is_what_the_user_can_type(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, started: str, on_path: bool, typed: str
) -> None:
    script = tmp_path / started
    script.parent.mkdir(parents=True)
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    other = tmp_path / "other"
    other.mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", str(script.parent if on_path else other))
    monkeypatch.setattr(sys, "argv", [started])
    assert own_command() == typed


def test_another_installation_on_the_path_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for folder in ("ours", "theirs"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "styletuner").write_text("#!/bin/sh\n")
        (tmp_path / folder / "styletuner").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path / "theirs"))
    monkeypatch.setattr(sys, "argv", [str(tmp_path / "ours" / "styletuner")])
    assert own_command() == str(tmp_path / "ours" / "styletuner")


@pytest.mark.parametrize(("devices", "seen"), [(["cpu:0"], False), (["gpu:0", "gpu:1"], True), (["cuda:0"], True)])
def test_gpus_are_those_that_the_library_can_use(
    monkeypatch: pytest.MonkeyPatch, devices: list[str], seen: bool
) -> None:
    """JAX calls them cuda, and raises an error where it is asked for GPUs and has none."""
    monkeypatch.setattr(keras.distribution, "list_devices", lambda: devices)
    assert sees_gpus() is seen
