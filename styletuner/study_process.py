"""A study that runs in a process of its own, so that a notebook stays free and its memory clean."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, final

from studies.storage.addresses import DEFAULT_STORAGE
from styletuner.errors import StudyProcessError
from styletuner.study import Study
from styletuner.study_here import require_one_style

_POLL_SECONDS: Final = 0.1


@final
class StudyProcess:
    """A running or ended `styletuner study run`; made by `start_study`.

    It goes on when the notebook ends: `stop` ends it, and starting the same study again resumes it.
    """

    def __init__(self, process: subprocess.Popen[bytes], *, folder: Path, storage: str) -> None:
        """Follow a process.

        Args:
            process: Writes its events to "events.jsonl" and its words to "log.txt".
            folder: Where these files lie.
            storage: Where its study lives.
        """
        self._process = process
        self._folder = folder
        self._storage = storage

    @property
    def is_running(self) -> bool:
        """Whether the process has not ended yet."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What the process has said so far: progress, a line for each trial, an error."""
        return self._read("log.txt")

    @property
    def events(self) -> list[Mapping[str, Any]]:
        """What has happened so far, one mapping each: "study", "trial" ... and at last "end" in the key "event"."""
        lines = self._read("events.jsonl").splitlines(keepends=True)
        return [json.loads(line) for line in lines if line.endswith("\n")]

    @property
    def study(self) -> Study:
        """The study, as soon as the process has opened it: that takes some seconds.

        Raises:
            StudyProcessError: The process ended before that; says why.
        """
        while True:
            ended = not self.is_running
            opened = [event for event in self.events if event["event"] == "study"]
            if opened:
                # A study that is renamed while it runs is told once more.
                return Study(str(opened[-1]["name"]), storage=self._storage)
            if ended:
                raise self._error()
            time.sleep(_POLL_SECONDS)

    def wait(self, timeout: float | None = None) -> Study:
        """Wait for the study's last trial and return it.

        Args:
            timeout: Seconds to wait at most; for ever by default. An interrupt ends the waiting, not the study.

        Raises:
            StudyProcessError: The process ended before the study had its trials; says why.
            TimeoutError: It still runs.
        """
        try:
            status = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise TimeoutError(f"The study still runs after {timeout:g} s. Wait again, or stop it.") from None
        if status != 0:
            raise self._error()
        return self.study

    def stop(self) -> None:
        """Interrupt the study and wait for its end: ended trials are kept, the running one is run again on resuming."""
        if self.is_running:
            self._process.send_signal(signal.SIGINT)
        self._process.wait()

    def __repr__(self) -> str:
        state = "running" if self.is_running else f"ended with status {self._process.returncode}"
        return f"<StudyProcess {self._process.pid}, {state}>"

    def _read(self, name: str) -> str:
        return (self._folder / name).read_text(encoding="utf-8", errors="replace")

    def _error(self) -> StudyProcessError:
        _, found, message = self.log.rpartition("Error: ")
        words = message.strip() if found else "\n".join(self.log.strip().splitlines()[-2:])
        return StudyProcessError(words or f"The study's process ended with status {self._process.returncode}.")


def start_study(
    config: str | Path,
    *,
    style: str | Path | None = None,
    photos: Sequence[str | Path] = (),
    storage: str | Path = DEFAULT_STORAGE,
    name: str | None = None,
    widen: bool = False,
    **settings: Any,
) -> StudyProcess:
    """Start or resume a study in a process of its own.

    Args:
        config: A YAML file or a preset ("demo", "quick", "gpu").
        style: The style image, over the file's.
        photos: Folders, files or .zip archives of content photos, over the file's.
        storage: SQLite file or database URL.
        name: The study's name; made of preset, style image and a hash by default.
        widen: Go on beyond the range of which the best trial of the study lies near an end, in a study of its own.
        settings: Any setting of docs/configuration.md, with two underscores for a dot: `search__trials=16`,
            `network__width=24`, `search__start="scout"`; and, shorter, `trials`, `finalists`, `seed` and `time` ("45m":
            this run ends by then); `workers`: processes on this machine; `scout_file`: a trained scout that the trials
            start from.

    Returns:
        The process, which has just been started: what is wrong with the input, its `wait` or `study` raises.

    Raises:
        ConfigError: There are several style images.
    """
    require_one_style(style)
    folder = Path(tempfile.mkdtemp(prefix="styletuner-"))
    command = [sys.executable, "-P", "-m", "styletuner", "study", "run", str(config), "--json"]
    command += _options({"style": style, "name": name, "storage": storage})
    command += [word for photo in photos for word in ("--photos", str(photo))]
    command += _setting_options(settings) + (["--widen"] if widen else [])
    with (folder / "events.jsonl").open("wb") as events, (folder / "log.txt").open("wb") as log:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=events,
            stderr=log,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
            # An interrupt of the notebook is not meant for the study.
            process_group=0,
        )
    return StudyProcess(process, folder=folder, storage=str(storage))


def _options(values: Mapping[str, Any]) -> list[str]:
    return [word for name, value in values.items() if value is not None for word in (f"--{name}", str(value))]


def _setting_options(settings: Mapping[str, Any]) -> list[str]:
    flags = {
        name: settings[name]
        for name in ("trials", "time", "finalists", "seed", "workers", "scout_file")
        if name in settings
    }
    others = {name.replace("__", "."): value for name, value in settings.items() if name not in flags}
    # JSON is YAML, which is how `--set` reads a value.
    named = [f"{name}={json.dumps(value, default=str)}" for name, value in others.items()]
    short = _options({name.replace("_", "-"): value for name, value in flags.items()})
    return short + [word for setting in named for word in ("--set", setting)]
