"""What Ray runs on the machines of a cluster, whatever else bears our names there."""

import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, final

from styletuner._own_packages import claim_names


@final
class ClusterWorker:
    """A Ray actor: one process that runs trials of a study."""

    def __init__(self, settings: Mapping[str, str], *, defaults: Mapping[str, str]) -> None:
        """Prepare the process, before anything heavy is loaded.

        Args:
            settings: Environment variables that it shall have.
            defaults: Those that it shall have where its machine sets none.
        """
        os.environ.update({**defaults, **os.environ, **settings})
        claim_names()

    def run(
        self,
        storage: str,
        study_uuid: str,
        *,
        loop: Callable[..., str | None],
        ending: str,
        photos: Sequence[str],
    ) -> str | None:
        """Run trials until something ends it; return what went wrong, None if nothing did.

        Args:
            storage: The database's URL, password included: Ray shows no arguments of an actor's calls.
            study_uuid: The study.
            loop: `tuner.running.workers.cluster_worker.run_cluster_worker`, or what stands in for it.
            ending: What ends it, as `RunEnding.to_json` wrote it.
            photos: Where the photos lie on this machine.
        """
        return loop(storage, study_uuid, ending=ending, photos=photos)


def look_around(storage: str) -> dict[str, Any]:
    """Return what one machine of a cluster knows; see `describe_machine`.

    Args:
        storage: The database's URL.
    """
    claim_names()
    from tuner.running.workers.cluster_worker import describe_machine  # noqa: PLC0415  only now are the names ours

    return describe_machine(storage)
