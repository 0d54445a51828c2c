"""What each worker process of a machine gets: a GPU, or its share of the cores."""

import functools
import os
import re
import shutil
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

from tuner.errors import ConfigError
from tuner.running.workers.core_quotas import core_quota

VISIBLE_GPUS: Final = "CUDA_VISIBLE_DEVICES"
"""What CUDA, and so TensorFlow, Torch and JAX, read for the GPUs of a process, by number or by name."""

THREADS: Final = ("OMP_NUM_THREADS", "TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS")
"""What Torch and NumPy, and TensorFlow, read for their threads when they load."""

MAX_WORKERS_PER_CORE: Final = 4
"""More for each core would hold libraries and networks of their own, and have no core to use them."""

_SECONDS: Final = 20.0
"""For `nvidia-smi`, which takes a second or two where its driver is not kept loaded."""

_GPU_LINE: Final = re.compile(r"^(?P<part>\s*)(?:GPU|MIG).*\(UUID: (?P<name>[^)]+)\)")


@final
@dataclass(frozen=True, kw_only=True)
class WorkerPlaces:
    """How the workers of one command share a machine.

    Attributes:
        num_workers: At least 1.
        gpus: Those that there are, as CUDA is told them; none where it runs on the processor.
        num_cores: Those that this process may use.
    """

    num_workers: int
    gpus: Sequence[str]
    num_cores: int

    def __post_init__(self) -> None:
        most = MAX_WORKERS_PER_CORE * self.num_cores
        if self.num_workers > most:
            raise ConfigError(
                f"`--workers {self.num_workers}` is too many for {_counted(self.num_cores, 'core')}: each loads "
                f"libraries and networks of its own. Use at most {most}."
            )

    @property
    def num_at_once(self) -> int:
        """How many trials run at full speed beside each other: one a GPU, and one on all cores."""
        return min(self.num_workers, len(self.gpus)) or 1

    def environment(self, place: int) -> dict[str, str]:
        """Return the variables of the worker at a place, from 0, over which the user's own go."""
        threads = str(max(1, self.num_cores // self.num_workers))
        gpu = {VISIBLE_GPUS: self.gpus[place % len(self.gpus)]} if self.gpus else {}
        return {**dict.fromkeys(THREADS, threads), **gpu}

    def in_words(self) -> str | None:
        """Return who shares what, where there are more workers than GPUs or cores; None elsewhere."""
        if self.gpus:
            if self.num_workers <= len(self.gpus):
                return None
            return f"{self.num_workers} workers share {_counted(len(self.gpus), 'GPU')}, memory included."
        if self.num_workers <= self.num_cores:
            return None
        return f"{self.num_workers} workers share {_counted(self.num_cores, 'core')}: as many workers are as fast."


ONE_WORKER: Final = WorkerPlaces(num_workers=1, gpus=(), num_cores=1)
"""It has all that there is."""


def find_places(num_workers: int, environment: Mapping[str, str] = os.environ) -> WorkerPlaces:
    """Look at this machine.

    Args:
        num_workers: At least 1.
        environment: What the user has set.

    Raises:
        ConfigError: A GPU is named that is not there, or there are far too many workers.
    """
    named = environment.get(VISIBLE_GPUS)
    # One worker has all that there is, as its library finds it.
    gpus = [] if num_workers == 1 else usable_gpus(installed_gpus(), named)
    return WorkerPlaces(num_workers=num_workers, gpus=gpus, num_cores=usable_cores())


def usable_gpus(installed: Sequence[str], named: str | None) -> list[str]:
    """Return the GPUs that workers may have.

    Args:
        installed: Names of those that the machine has, in the order of their numbers.
        named: `CUDA_VISIBLE_DEVICES`; None where it is not set.

    Raises:
        ConfigError: It names one that the machine surely has not.
    """
    if named is None:
        return list(installed)
    wanted = [name.strip() for name in named.split(",") if name.strip()]
    if "-1" in wanted or named.strip() in {"none", "NoDevFiles", "void"}:
        # CUDA takes what stands before a device that there is none of.
        wanted = wanted[: wanted.index("-1")] if "-1" in wanted else []
    # Numbers stand for names where `nvidia-smi` gave none, and parts for the GPU that is divided: neither tells.
    has_names = bool(installed) and all(gpu.startswith("GPU-") for gpu in installed)
    for name in wanted if has_names else ():
        missing = int(name) >= len(installed) if name.isdigit() else not any(gpu.startswith(name) for gpu in installed)
        if missing:
            there = f"{_counted(len(installed), 'GPU')}, counted from 0"
            raise ConfigError(
                f"`{VISIBLE_GPUS}` names GPU {name!r}, and this machine has {there}. Correct it, or unset it for all."
            )
    return wanted


@functools.cache
def installed_gpus() -> tuple[str, ...]:
    """Return the names of this machine's NVIDIA GPUs, or of the parts that they are divided into; maybe none."""
    if (program := shutil.which("nvidia-smi")) is not None:
        with suppress(OSError, subprocess.SubprocessError):
            listed = subprocess.run([program, "-L"], capture_output=True, text=True, check=True, timeout=_SECONDS)
            return tuple(listed_gpus(listed.stdout))
    files = [path for path in Path("/dev").glob("nvidia*") if path.name.removeprefix("nvidia").isdigit()]
    return tuple(str(number) for number in range(len(files)))


def listed_gpus(listing: str) -> list[str]:
    """Return the names in a list of `nvidia-smi -L`: of a divided GPU (MIG) its parts, which alone can be used."""
    gpus: list[list[str]] = []
    for line in listing.splitlines():
        found = _GPU_LINE.match(line)
        if found is None:
            continue
        if found["part"] and gpus:
            gpus[-1].append(found["name"])
        else:
            gpus.append([found["name"]])
    return [name for whole, *parts in gpus for name in (parts or [whole])]


def usable_cores() -> int:
    """Return how many cores this process may use: those that it is bound to, and no more than its container has."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = core_quota()
    return cores if quota is None else min(cores, quota)


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}"
