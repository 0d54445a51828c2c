"""How many workers of a size have room on the machines of a cluster."""

from collections.abc import Mapping, Sequence
from typing import Final

CORES: Final = "CPU"
GPUS: Final = "GPU"

Machine = Mapping[str, float]
"""What a machine has: cores and GPUs, among other things."""


def num_places(machines: Sequence[Machine], *, cores: float, gpus: float) -> int:
    """Return how many workers fit on the machines, each of them on one.

    Args:
        machines: All that there are.
        cores: What a worker takes, above 0.
        gpus: What it takes of them, 0 or more; a GPU's shares go to workers whole, as Ray has it.
    """
    return sum(min(int(machine.get(CORES, 0) // cores), _num_on_gpus(machine, gpus)) for machine in machines)


def cores_per_worker(machines: Sequence[Machine], num_workers: int, *, gpus: float) -> int:
    """Return how many cores each worker may have so that as many of them run at once as can, at least 1.

    Args:
        machines: All that there are.
        num_workers: Workers that are wanted.
        gpus: What each takes of them.
    """
    at_once = min(num_workers, num_places(machines, cores=1, gpus=gpus))
    largest = int(max((machine.get(CORES, 0) for machine in machines), default=1))
    fitting = (cores for cores in range(largest, 1, -1) if num_places(machines, cores=cores, gpus=gpus) >= at_once)
    return next(fitting, 1) if at_once else 1


def _num_on_gpus(machine: Machine, gpus: float) -> int:
    owned = machine.get(GPUS, 0)
    if gpus == 0:
        return 2**31
    return int(owned // gpus) if gpus >= 1 else int(owned) * int(1 / gpus + 1e-9)
