"""A worker on a machine of a Ray cluster: the same loop as everywhere, ended by Ray where it is asked to."""

from collections.abc import Sequence
from typing import Any


def run_cluster_worker(storage: str, study_uuid: str, *, ending: str, photos: Sequence[str]) -> str | None:
    """Run trials of a study in this process, a Ray actor's; return what went wrong, None if nothing did.

    Args:
        storage: The database's URL.
        study_uuid: The study.
        ending: What ends it, as `RunEnding.to_json` wrote it.
        photos: Where the photos lie on this machine.
    """
    from studies.storage.study_storage import StudyStorage
    from tuner.error_messages import explain
    from tuner.running.workers.run_ending import RunEnding
    from tuner.running.workers.worker_process import run_worker

    try:
        with StudyStorage.open(storage) as opened:
            run_worker(opened, study_uuid, ending=RunEnding.from_json(ending), photos=photos, check=check_cancelled)
    except KeyboardInterrupt:
        return "it was interrupted"
    except Exception as error:
        message, _ = explain(error)
        return message
    return None


def check_cancelled() -> None:
    """Raise KeyboardInterrupt where the driver has cancelled what this actor does."""
    import ray

    if ray.get_runtime_context().is_canceled():
        raise KeyboardInterrupt


def describe_machine(storage: str) -> dict[str, Any]:
    """Return what this machine of a Ray cluster knows.

    Args:
        storage: A database's URL.

    Returns:
        "version": ours; "failure": why the database cannot be used from here, None if it can; "most_gpus": how many
        GPUs the cluster's autoscaler may come to have, None where there is no autoscaler.
    """
    from ray._private.state import state

    from studies.errors import StorageError
    from studies.storage.study_storage import StudyStorage
    from tuner.installation.versions import versions

    failure = None
    try:
        StudyStorage.exists(storage)
    except StorageError as error:
        failure = str(error)
    most = state.get_max_resources_from_cluster_config()
    return {
        "version": versions().get("styletuner"),
        "failure": failure,
        "most_gpus": None if most is None else most.get("GPU", 0),
    }
