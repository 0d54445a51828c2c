"""A real browser for tests: opens an address in headless Chromium, and gives back the page or a screenshot."""

import shutil
import subprocess
from pathlib import Path
from typing import final

import pytest

# The names under which Debian, Ubuntu, Fedora and Google install it.
_NAMES = ("chromium", "chromium-browser", "google-chrome")

# Pages draw themselves after loading; virtual time runs their timers as fast as the machine can, so this is an upper
# bound on what a page may wait for, not a delay.
_VIRTUAL_TIME_MILLISECONDS = 20_000
# A cold start on two busy cores took 8 s.
_TIMEOUT_SECONDS = 120


@final
class Chromium:
    """One browser program; each call starts it with a new profile under `folder`."""

    def __init__(self, program: str, *, folder: Path) -> None:
        self._program = program
        self._folder = folder
        self._num_calls = 0

    def page(self, url: str) -> str:
        """HTML of the page as scripts left it."""
        return self._run("--dump-dom", url)

    def screenshot(self, url: str, path: Path, *, width: int = 1400, height: int = 1000) -> Path:
        """Writes a PNG of the page and returns its path."""
        self._run(f"--screenshot={path}", f"--window-size={width},{height}", "--hide-scrollbars", url)
        return path

    def _run(self, *arguments: str) -> str:
        self._num_calls += 1
        command = [
            self._program,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            f"--user-data-dir={self._folder / f'profile-{self._num_calls}'}",
            f"--virtual-time-budget={_VIRTUAL_TIME_MILLISECONDS}",
            *arguments,
        ]
        finished = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_SECONDS, check=False)
        assert finished.returncode == 0, finished.stderr
        return finished.stdout


def find_chromium(folder: Path) -> Chromium:
    """The machine's Chromium; skips the test where there is none (`.ci/run` installs it)."""
    program = next(filter(None, map(shutil.which, _NAMES)), None)
    if program is None:
        pytest.skip("needs Chromium: apt-get install chromium")
    return Chromium(program, folder=folder)
