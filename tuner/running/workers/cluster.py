"""A Ray cluster that runs a study's workers: finding it, what it must have, and its end.

Ray is imported when a cluster is wanted, and not before. It places the workers, gives each its GPU and starts one again
whose process or machine has died; what they run is claimed in the database as everywhere.
"""

import importlib
import os
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, final

from optuna.trial import TrialState

from groundwork.interrupts import HeldInterrupts
from studies.storage.addresses import ARTIFACTS_VARIABLE, artifact_address, is_bucket, parse_storage
from tuner.errors import ConfigError, WorkerError
from tuner.installation.versions import versions
from tuner.running.observer import StudyObserver
from tuner.running.study_run import StudyRun
from tuner.running.workers.cluster_request import ClusterRequest, imported_ray
from tuner.running.workers.cluster_worker import run_cluster_worker
from tuner.running.workers.placement import CORES, GPUS, Machine, cores_per_worker, num_places
from tuner.running.workers.run_ending import ending_of
from tuner.running.workers.worker_places import THREADS
from tuner.running.workers.worker_processes import follow

MAX_RESTARTS: Final = 16
"""Deaths of one worker's process or machine after which Ray lets it rest: a preempted machine counts as well."""

CONNECT_SECONDS: Final = 5.0
LOOK_SECONDS: Final = 300.0
"""Ray starts a process on a machine and imports us there; one with twenty processes a core took two minutes."""

GIVE_BACK_SECONDS: Final = 30.0
"""How long a worker that is asked to end has to give its trial back: it does so after a training step or a score."""


@final
class Cluster:
    """A cluster that this process is connected to; made by `connected`."""

    def __init__(self, ray: Any, request: ClusterRequest, *, machines: list[Machine], most_gpus: float | None) -> None:
        """Decide what each worker gets.

        Args:
            ray: The package.
            request: What is wanted.
            machines: What the cluster has.
            most_gpus: That its autoscaler may come to have; None where there is no autoscaler.
        """
        self._ray = ray
        self._request = request
        self._most_gpus = most_gpus
        has_gpus = bool(most_gpus) or any(machine.get(GPUS, 0) for machine in machines)
        asked = request.gpus_per_worker
        self.gpus = float(has_gpus) if asked is None else asked
        self.cores = cores_per_worker(machines, request.num_workers, gpus=self.gpus)
        self.num_at_once = min(request.num_workers, num_places(machines, cores=self.cores, gpus=self.gpus))
        self.num_gpus = sum(machine.get(GPUS, 0) for machine in machines)

    def in_words(self) -> str:
        """Return what is going to run, as a line."""
        gpus = f", {self.gpus:g} GPU{'' if self.gpus == 1 else 's'}" if self.gpus else ""
        later = self._request.num_workers - self.num_at_once
        waiting = f"; {later} wait for a machine that Ray adds or frees" if later else ""
        cores = f"{self.cores} core{'' if self.cores == 1 else 's'}"
        several = "" if self._request.num_workers == 1 else "s"
        return f"{self._request.num_workers} worker{several} on the cluster, each with {cores}{gpus}{waiting}"

    def require_gpus(self) -> None:
        """Refuse what the cluster will never have room for.

        Raises:
            ConfigError: It has too few GPUs, or no machine with so many.
        """
        most = self._most_gpus
        wanted = self.gpus * self._request.num_workers
        if self.gpus and self.num_at_once < self._request.num_workers and (most or 0) < wanted:
            raise ConfigError(
                f"`--workers {self._request.num_workers} --gpus-per-worker {self.gpus:g}` must fit the cluster, which "
                f"has {max(self.num_gpus, most or 0):g} GPUs and room for {self.num_at_once} such workers. Lower one "
                "of them, or add machines."
            )

    def run(
        self, run: StudyRun, observer: StudyObserver, *, loop: Callable[..., str | None] = run_cluster_worker
    ) -> None:
        """Start the workers and tell what they finish, until the study has its total or is stopped.

        Args:
            run: The study.
            observer: Told what happens.
            loop: What each worker runs.

        Raises:
            WorkerError: Every worker ended before that, or the cluster was lost.
            KeyboardInterrupt: After the workers have given their trials back.
        """
        if run.is_done():
            return
        observer.say(self.in_words())
        photos = [str(Path(photo).absolute()) for photo in run.config.photos]
        asked = {"loop": loop, "ending": ending_of(run).to_json(), "photos": photos}
        with _told_losses(self._request.address):
            actors = [self._start() for _ in range(self._request.num_workers)]
            # Ray ends an actor that nobody knows any more, and has room for another one that waits.
            running = {actor.run.remote(run.storage.url, run.uuid, **asked): actor for actor in actors}
        del actors
        failures: list[str] = []
        try:
            with HeldInterrupts() as interrupts:
                follow(run, lambda: self._is_running(run, running, failures), observer, check=interrupts.check)
            # None of them has a trial any more; those that Ray had no room for begin none.
            with _told_losses(self._request.address):
                self._give_back(list(running))
        except KeyboardInterrupt:
            observer.close()
            observer.say("The workers give their trials back; Ctrl-C once more stops them at once.")
            # A cluster that is gone has nothing to give back, and the user's wish is the same.
            with suppress(self._ray.exceptions.RayError, ConnectionError):
                self._give_back(list(running))
            raise
        finally:
            observer.close()
        if len(failures) == self._request.num_workers:
            who = "The worker" if len(failures) == 1 else f"All {len(failures)} workers"
            first = "" if len(failures) == 1 else " The first one"
            raise WorkerError(f"{who} ended before the study had its trials{first and '.'}{first}: {failures[0]}")
        for failure in dict.fromkeys(failures):
            observer.say(f"A worker ended before the others: {failure}")

    def leave(self) -> None:
        """Let go of its machines, once there is nothing more to run on them."""
        self._ray.shutdown()

    def _start(self) -> Any:
        actor = self._ray.remote(_on_machines().ClusterWorker).options(
            num_cpus=self.cores, num_gpus=self.gpus, max_restarts=MAX_RESTARTS, max_task_retries=-1
        )
        address = artifact_address()
        place = address if is_bucket(address) else str(Path(address).expanduser().absolute())
        return actor.remote({ARTIFACTS_VARIABLE: place}, defaults=dict.fromkeys(THREADS, str(self.cores)))

    def _is_running(self, run: StudyRun, running: dict[Any, Any], failures: list[str]) -> bool:
        """Whether there is a worker to wait for; those that have ended are forgotten, and why is noted."""
        with _told_losses(self._request.address):
            ended, _ = self._ray.wait(list(running), num_returns=len(running), timeout=0) if running else ([], [])
        for call in ended:
            del running[call]
            failure = self._failure(call)
            failures += [] if failure is None else [failure]
        if not running:
            return False
        # Those that Ray has no room for would be waited for in vain.
        return not run.is_done() or _has_running_trial(run)

    def _give_back(self, calls: list[Any]) -> None:
        """Have the workers end, give back what they have, and wait for that."""
        for call in calls:
            self._ray.cancel(call)
        self._ray.wait(calls, num_returns=len(calls), timeout=GIVE_BACK_SECONDS)

    def _failure(self, call: Any) -> str | None:
        """Return why a worker that has ended did so before its time; None if it did not."""
        try:
            failure: str | None = self._ray.get(call)
        except self._ray.exceptions.RayTaskError as error:
            return _last_line(error)
        except self._ray.exceptions.RayError as error:
            if getattr(error, "actor_init_failed", False):
                return f"it could not begin: {_last_line(error)}"
            return f"it died more than {MAX_RESTARTS} times ({_first_line(error)})"
        return failure


@contextmanager
def connected(request: ClusterRequest, storage: str) -> Iterator[Cluster]:
    """Connect to a cluster once it has been found to have what is wanted; leave it as it was at the end.

    Args:
        request: What is wanted.
        storage: Where the study shall live.

    Raises:
        ConfigError: See `ClusterRequest.check`; or the cluster has too few GPUs.
        WorkerError: Ray is not installed, or the cluster does not answer, has no styletuner or another version.
        StorageError: Its machines cannot use the database.
    """
    request.check(storage)
    ray = imported_ray()
    _connect(ray, request.address)
    try:
        with _told_losses(request.address):
            nodes = [node for node in ray.nodes() if node["Alive"]]
            known = _look(ray, parse_storage(storage), nodes)
        cluster = Cluster(ray, request, machines=[node["Resources"] for node in nodes], most_gpus=known[0]["most_gpus"])
        cluster.require_gpus()
        yield cluster
    finally:
        ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    _require_listening(address)
    try:
        ray.init(address=address, log_to_driver=False, logging_level="ERROR")
    except ConnectionError as error:
        raise WorkerError(_no_cluster(address, "none runs on this machine")) from error
    except Exception as error:
        # Ray says in errors of many kinds that its or Python's versions differ.
        raise WorkerError(f"Cannot use the Ray cluster at {address}: {_first_line(error)}") from error


def _require_listening(address: str) -> None:
    """Find out in seconds what Ray takes minutes for, and tells in lines of its own."""
    place = (os.environ.get("RAY_ADDRESS") or _last_started()) if address == "auto" else address
    host, _, port = (place or "").removeprefix("ray://").rpartition(":")
    if not (host and port.isdecimal()):
        return  # Ray looks for one itself
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, UnicodeError) as error:
        where = "" if place == address else f"{place}: "
        raise WorkerError(_no_cluster(address, f"{where}{getattr(error, 'strerror', None) or error}")) from error


def _last_started() -> str | None:
    """Return the address of the cluster that this machine was made part of last, which may be gone."""
    from ray._private.utils import read_ray_address

    address: str | None = read_ray_address()
    return address


def _no_cluster(address: str, reason: str) -> str:
    return (
        f"No Ray cluster answers at `--cluster {address}` ({reason}). Start one with `ray start --head`, or name "
        "another with ray://HOST:PORT; the port is 10001 if nothing else was said."
    )


def _on_machines() -> Any:
    """Return the module that Ray loads on the machines: by name, as `python -m` takes that of a worker process."""
    return importlib.import_module("styletuner._cluster_worker")


def _look(ray: Any, url: str, nodes: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Ask each machine that has cores, or where none has, any; return what they know, the first one's first."""
    from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

    look = ray.remote(_on_machines().look_around)
    options = {"num_cpus": 0, "max_retries": 0}
    ids = [node["NodeID"] for node in nodes if node["Resources"].get(CORES)]
    # Softly: a machine that has just been lost is listed for a while, and another one is asked in its place.
    places = [NodeAffinitySchedulingStrategy(node_id, soft=True) for node_id in ids] or ["DEFAULT"]
    try:
        calls = [look.options(**options, scheduling_strategy=place).remote(url) for place in places]
        known: list[dict[str, Any]] = ray.get(calls, timeout=LOOK_SECONDS)
    except ray.exceptions.GetTimeoutError as error:
        raise WorkerError(
            f"The cluster has started nothing in {LOOK_SECONDS:g} s. Look at it with `ray status`."
        ) from error
    except ray.exceptions.RayError as error:
        if "ModuleNotFoundError" not in str(error):
            raise
        raise WorkerError(
            f"The cluster's machines cannot load styletuner: {_last_line(error)}. Install the same version there, with "
            "the extras `ray` and `postgresql`."
        ) from error
    ours = versions().get("styletuner")
    for machine in known:
        if machine["version"] != ours:
            raise WorkerError(
                f"A machine of the cluster has styletuner {machine['version']}, this one {ours}. Install the same "
                "version."
            )
        if machine["failure"] is not None:
            raise WorkerError(f"Seen from the cluster: {machine['failure']}")
    return known


@contextmanager
def _told_losses(address: str) -> Iterator[None]:
    import ray

    try:
        yield
    except (ray.exceptions.RayError, ConnectionError) as error:
        raise WorkerError(
            f"The Ray cluster at {address} was lost: {_first_line(error)}. Run the same command again to go on; "
            "finished trials are kept."
        ) from error


def _has_running_trial(run: StudyRun) -> bool:
    trials = run.storage.read_by_uuid(run.uuid).get_trials(deepcopy=False)
    return any(trial.state is TrialState.RUNNING for trial in trials)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")


def _last_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[-1].rstrip(".")
