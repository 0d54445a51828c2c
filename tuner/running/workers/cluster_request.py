"""A Ray cluster that is wanted, and what can be wrong with it before anybody asks it."""

import math
import os
import re
from dataclasses import dataclass
from typing import Any, Final, final

from studies.storage.addresses import ARTIFACTS_VARIABLE, parse_storage, redact, sqlite_path
from tuner.errors import ConfigError, WorkerError

LEAST_SHARE: Final = 1e-4
"""Of a GPU: Ray counts no smaller ones."""

CLUSTER_ADDRESS: Final = re.compile(r"auto|ray://(?P<host>[^\s/:]+|\[[^\]]+\]):(?P<port>\d{1,5})")


@final
@dataclass(frozen=True, kw_only=True)
class ClusterRequest:
    """A cluster that is wanted.

    Attributes:
        address: "auto" for the one that this machine belongs to or RAY_ADDRESS names, or "ray://HOST:PORT".
        num_workers: Workers on it.
        gpus_per_worker: GPUs for each, or a share of one; None for one where the cluster has any.
    """

    address: str
    num_workers: int
    gpus_per_worker: float | None = None

    def check(self, storage: str) -> None:
        """Find out what is wrong with it before anything is connected or made.

        Args:
            storage: Where the study shall live.

        Raises:
            ConfigError: The address is none, the machines could not share the study or its files, or a share of a GPU
                is none.
            WorkerError: Ray is not installed.
        """
        if CLUSTER_ADDRESS.fullmatch(self.address) is None:
            raise ConfigError(
                f"`--cluster` must be auto or ray://HOST:PORT. Received {self.address!r}. Name one of these."
            )
        if sqlite_path(parse_storage(storage)) is not None:
            raise ConfigError(
                f"`--cluster` needs a database that its machines share. Received {redact(storage)!r}. Give --storage "
                "postgresql://USER@HOST/DATABASE."
            )
        if not os.environ.get(ARTIFACTS_VARIABLE):
            raise ConfigError(
                f"`--cluster` needs a place for pictures that its machines share. Set {ARTIFACTS_VARIABLE} to a folder "
                "that all of them have, or to s3://BUCKET/PREFIX."
            )
        gpus = self.gpus_per_worker or 0
        if not math.isfinite(gpus) or 0 < gpus < LEAST_SHARE or (gpus > 1 and gpus != int(gpus)):
            raise ConfigError(
                f"`--gpus-per-worker` must be a whole number or a share below 1, of {LEAST_SHARE:g} or more. Received "
                f"{gpus:g}. Round it."
            )
        imported_ray()


def imported_ray() -> Any:
    """Return Ray.

    Raises:
        WorkerError: It is not installed.
    """
    try:
        import ray
    except ImportError as error:
        raise WorkerError(
            "`--cluster` needs Ray, which is not installed. Install it with `pip install 'styletuner[ray]'`, of the "
            "version that the cluster runs."
        ) from error
    return ray
