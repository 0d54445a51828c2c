"""A worker of a Ray cluster that trains nothing; only there it puts itself into the place of what loads networks."""

from collections.abc import Sequence


def run_untrained(storage: str, study_uuid: str, *, ending: str, photos: Sequence[str]) -> str | None:
    """`run_cluster_worker` without networks."""
    import tests.tuner.untrained.resources  # noqa: F401, PLC0415  before anything loads a network library
    from tuner.running.workers.cluster_worker import run_cluster_worker  # noqa: PLC0415

    return run_cluster_worker(storage, study_uuid, ending=ending, photos=photos)


def refuse(storage: str, study_uuid: str, *, ending: str, photos: Sequence[str]) -> str | None:
    """A worker that cannot begin."""
    del storage, study_uuid, ending, photos
    return "The photos are not there."
