"""What `styletuner doctor` looks at."""

import importlib.metadata
import os
import platform
import shutil
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, final

from models.errors import PretrainedError
from models.pretrained import files as pretrained
from tuner.installation.environment import load_networks, visible_devices

OLDEST_PYTHON: Final = (3, 11)
PACKAGES: Final = ("keras", "tensorflow", "torch", "lpips", "optuna", "optuna-dashboard", "sqlalchemy", "numpy")
NEEDED_FILES: Final = ("vgg19", "alexnet")
LEAST_FREE_BYTES: Final = 4 * 2**30
"""A study with the default 2 GB of cached content features, its pictures and a checkpoint fit in this."""

INSTALL: Final = "pip install -r requirements.lock"
OTHER_FOLDER: Final = "Work in a folder that can be read, and set STYLETUNER_CACHE to one for the cache."


@final
@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing looked at.

    Attributes:
        subject: What.
        fine: Whether it will do.
        state: What was found.
        remedy: How to mend it; empty when it is fine.
    """

    subject: str
    fine: bool
    state: str
    remedy: str = ""

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def diagnose() -> list[Finding]:
    """Look at everything; nothing raises, what fails is a finding."""
    findings = [_python(), *(_package(name) for name in PACKAGES)]
    findings += [_guarded("backend", _backend, remedy=INSTALL), _guarded("judge", _judge, remedy=INSTALL)]
    for name in pretrained.PRETRAINED_FILES:
        look = partial(_pretrained_file, name)
        findings.append(_guarded(f"weights {name}", look, remedy=f"styletuner weights fetch {name}"))
    for subject, folder in (("cache", pretrained.cache_folder), ("working folder", Path.cwd)):
        findings.append(_guarded(f"disk: {subject}", partial(_free_disk, subject, folder), remedy=OTHER_FOLDER))
    return findings


def _guarded(subject: str, look: Callable[[], Finding], *, remedy: str) -> Finding:
    try:
        return look()
    except Exception as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        return Finding(subject=subject, fine=False, state=f"fails: {reason}", remedy=remedy)


def _python() -> Finding:
    fine = sys.version_info >= OLDEST_PYTHON
    wanted = ".".join(map(str, OLDEST_PYTHON))
    remedy = "" if fine else f"Install Python {wanted} or newer."
    return Finding(subject="python", fine=fine, state=platform.python_version(), remedy=remedy)


def _package(name: str) -> Finding:
    try:
        return Finding(subject=name, fine=True, state=importlib.metadata.version(name))
    except importlib.metadata.PackageNotFoundError:
        return Finding(subject=name, fine=False, state="not installed", remedy=f"pip install {name}")


def _backend() -> Finding:
    load_networks()
    import keras

    backend = keras.backend.backend()
    onednn = os.environ.get("TF_ENABLE_ONEDNN_OPTS")
    state = f"{backend} on {', '.join(visible_devices())}; {os.cpu_count()} cores"
    if backend == "tensorflow" and onednn == "0":
        return Finding(
            subject="backend",
            fine=False,
            state=f"{state}; oneDNN is switched off",
            remedy="Unset TF_ENABLE_ONEDNN_OPTS: training on a CPU is about a half slower without.",
        )
    return Finding(subject="backend", fine=True, state=state)


def _judge() -> Finding:
    from measures.versions import JUDGE_VERSION

    return Finding(subject="judge", fine=True, state=f"version {JUDGE_VERSION}")


def _pretrained_file(name: str) -> Finding:
    status = _status(name)
    subject = f"weights {name}"
    if not status.present:
        needed = name in NEEDED_FILES
        return Finding(
            subject=subject,
            fine=not needed,
            state="not fetched" + ("" if needed else " (only needed when asked for)"),
            remedy=f"styletuner weights fetch {name}" if needed else "",
        )
    try:
        pretrained.load(name)
    except PretrainedError as error:
        return Finding(subject=subject, fine=False, state="damaged", remedy=str(error).splitlines()[-1])
    now = _status(name)
    # Loading mends a damaged file where it can.
    mended = "was damaged, is fetched anew: " if now.size != status.size else ""
    return Finding(subject=subject, fine=True, state=f"{mended}{now.size / 2**20:.0f} MB at {now.path}")


def _status(name: str) -> pretrained.PretrainedStatus:
    return next(status for status in pretrained.statuses() if status.name == name)


def _free_disk(subject: str, find_folder: Callable[[], Path]) -> Finding:
    folder = find_folder()
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    free = shutil.disk_usage(existing).free
    fine = free >= LEAST_FREE_BYTES and os.access(existing, os.W_OK)
    remedy = "" if fine else f"Free some space at {existing}, or make it writable, or set STYLETUNER_CACHE to another."
    return Finding(
        subject=f"disk: {subject}", fine=fine, state=f"{free / 2**30:.0f} GB free at {folder}", remedy=remedy
    )
