"""What a PostgreSQL server bears: many workers that sleep in place of training, on one study of many trials.

    .venv/bin/python benchmarks/scale.py postgresql://USER@HOST/EMPTY [--load 200:600] [--trials 20000]

A worker is a thread with connections, claims, heartbeats and a copy of the trials of its own, run by the loop that
trains elsewhere, on another machine as far as its claims say. What others report it reads as it would there. Only those
trials that are there before it begins are read by one reader a process, which tells how long that takes, and copied to
its workers: so many readings would take long here. It samples at random, so that no sampler's own time is counted.

Two Markdown tables. Claims alone, made and closed as fast as so many workers can: claims a second, the seconds that one
took (median, 95th percentile, worst), milliseconds of a core that one cost the server. And the loop: workers; seconds
that a trial sleeps; trials that ended a second, and what share that is of what the workers could end (1 if nobody ever
waited); claims a second and their seconds; transactions a second and connections of the server; milliseconds of a core
that a trial cost the server (known only if it runs here) and its worker. What a trial costs depends little on what else
this machine does, all else does: workers and server share its cores.
"""

import argparse
import copy
import multiprocessing
import os
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

os.environ["KERAS_BACKEND"] = "numpy"  # nothing is trained

import numpy as np
import optuna
import psutil
import sqlalchemy
from many_trials import NAME, fill_study

import tuner.running.workers.worker as worker_module
from studies.claims.claiming import close
from studies.claims.processes import WorkerIdentity
from studies.storage.addresses import ARTIFACTS_VARIABLE, parse_storage
from studies.storage.connections import look
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import SearchSection, StudyConfig
from tuner.running.stopping import Allowance
from tuner.search.pruners import report_quality
from tuner.search.space import suggest_values

NUM_RUNGS = 4
NUM_PROCESSES = 2
NUM_MADE = 25
MANY = 10**6
CLAIMING_SECONDS = 20.0
START_SECONDS = 0.4  # between two workers of a process

OF_TRIAL = {
    "trial_params": "param_name, param_value, distribution_json",
    "trial_values": "objective, value, value_type",
    "trial_intermediate_values": "step, intermediate_value, intermediate_value_type",
    "trial_user_attributes": "key, value_json",
    "trial_system_attributes": "key, value_json",
}
"""Optuna's tables of what a trial has, and their columns."""

OF_SERVER = """
    SELECT (SELECT count(*) FROM trials WHERE state = 'COMPLETE') AS trials, xact_commit AS commits,
           numbackends AS connections, pg_backend_pid() AS backend
    FROM pg_stat_database WHERE datname = current_database()
"""


@dataclass(frozen=True, kw_only=True)
class Load:
    """One line of the table."""

    address: str
    workers: int
    trial_seconds: float
    seconds: float


class SleepingRunner:
    """A trial that trains nothing."""

    def __init__(self, seconds: float, *, first_share: float) -> None:
        self.config = StudyConfig(search=SearchSection(sampler="random", pruner="none"))
        self._seconds = seconds
        self._share = first_share

    def run(self, trial: optuna.Trial) -> list[float]:
        suggest_values(trial, self.config.search)
        for rung in self.config.rungs:
            time.sleep(self._share * self._seconds / NUM_RUNGS)
            report_quality(trial, 0.5, images_seen=rung)
        self._share = 1.0
        return [0.5]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("address", help="of an empty database; its server needs four connections a worker")
    parser.add_argument("--trials", type=int, default=20_000, help="in the study before anybody begins")
    parser.add_argument("--claiming", type=int, nargs="*", default=(1, 50, 200), help="workers that only claim")
    parser.add_argument(
        "--load",
        nargs="*",
        default=("200:600",),
        help="workers, and seconds of their trials; the next load finds the dead of the one before",
    )
    parser.add_argument("--seconds", type=float, default=120.0, help="that each load is measured for")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    with tempfile.TemporaryDirectory() as folder:
        os.environ[ARTIFACTS_VARIABLE] = folder
        with StudyStorage.create(arguments.address) as storage:
            _fill(storage, arguments.trials)
        seconds = [_seconds_of_opening(arguments.address) for _ in range(10)]
        print(f"{arguments.trials} trials; a worker opens the storage in {np.median(seconds):.2f} s.\n", flush=True)
        _print_head("workers | claims/s | claim s | p95 | worst | server ms")
        for workers in arguments.claiming:
            load = Load(address=arguments.address, workers=workers, trial_seconds=0.0, seconds=CLAIMING_SECONDS)
            print(f"| {workers} | {_measure(load, work=_claim_only)} |", flush=True)
        print()
        _print_head(
            "workers | trial s | trials/s | share | claims/s | claim s | p95 | worst | commits/s | connections | "
            "server ms | worker ms | first reading s, MB"
        )
        for text in arguments.load:
            workers, _, trial_seconds = text.partition(":")
            load = Load(
                address=arguments.address,
                workers=int(workers),
                trial_seconds=float(trial_seconds),
                seconds=arguments.seconds,
            )
            print(f"| {workers} | {load.trial_seconds:g} | {_measure(load, work=_run_trials)} |", flush=True)


def _seconds_of_opening(address: str) -> float:
    began = time.perf_counter()
    StudyStorage.open(address).close()
    return time.perf_counter() - began


def _fill(storage: StudyStorage, num_trials: int) -> None:
    """Make a study of so many trials; all but the first are copies, made by the server."""
    fill_study(storage, min(num_trials, NUM_MADE))
    if num_trials <= NUM_MADE:
        return
    values = {"made": NUM_MADE, "all": num_trials}
    with storage.engine.begin() as connection:
        columns = "study_id, state, datetime_start, datetime_complete"
        copies = f"""
            INSERT INTO trials (number, {columns}) SELECT made.number + step * :made, {columns}
            FROM trials made, generate_series(1, (:all - 1) / :made) step WHERE made.number + step * :made < :all
            ORDER BY 1
        """
        connection.execute(sqlalchemy.text(copies), values)
        for table, columns in OF_TRIAL.items():
            rows = f"""
                INSERT INTO {table} (trial_id, {columns}) SELECT copied.trial_id, {columns}
                FROM {table} JOIN trials made USING (trial_id)
                JOIN trials copied ON copied.number % :made = made.number AND copied.number >= :made
                WHERE made.number < :made
            """
            connection.execute(sqlalchemy.text(rows), values)


def _print_head(columns: str) -> None:
    print(f"| {columns} |\n|{'---|' * (columns.count('|') + 1)}", flush=True)


def _measure(load: Load, *, work: Callable[..., None]) -> str:
    context = multiprocessing.get_context("spawn")
    told: Any = context.Queue()
    stop: Any = context.Event()
    counts = [len(part) for part in np.array_split(range(load.workers), NUM_PROCESSES) if len(part)]
    starts = np.cumsum([0, *counts[:-1]])
    processes = [
        context.Process(target=_hold_workers, args=(load, work, int(first), count, told, stop))
        for first, count in zip(starts, counts, strict=True)
    ]
    for process in processes:
        process.start()
    readings = [told.get() for _ in processes]  # all of their workers have begun
    before = _state(load.address, processes)
    time.sleep(load.seconds)
    after = _state(load.address, processes)
    stop.set()
    ended = np.concatenate([told.get() for _ in processes])
    for process in processes:
        process.join()
    claims = ended[(ended[:, 0] >= before["clock"]) & (ended[:, 0] < after["clock"]), 1]
    return _row(load, before, after, claims=claims, reading=max(readings))


def _row(
    load: Load, before: dict[str, float], after: dict[str, float], *, claims: Any, reading: tuple[float, float]
) -> str:
    seconds = after["clock"] - before["clock"]
    rate = {name: (after[name] - before[name]) / seconds for name in ("trials", "commits", "server", "workers")}
    middle, late = np.percentile(claims, [50, 95])
    of_claims = f"{len(claims) / seconds:.1f} | {middle:.3f} | {late:.3f} | {claims.max():.3f}"
    if not load.trial_seconds:
        return f"{of_claims} | {1000 * rate['server'] * seconds / len(claims):.1f}"
    share = rate["trials"] / (load.workers / load.trial_seconds)
    server, worker = (1000 * rate[name] / rate["trials"] for name in ("server", "workers"))
    return (
        f"{rate['trials']:.2f} | {share:.2f} | {of_claims} | {rate['commits']:.0f} | {after['connections']:.0f} | "
        f"{server:.0f} | {worker:.0f} | {reading[0]:.1f}, {reading[1]:.0f}"
    )


def _hold_workers(load: Load, work: Callable[..., None], first: int, count: int, told: Any, stop: Any) -> None:
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    reading = _share_first_reading(load.address) if load.trial_seconds else (0.0, 0.0)
    claimed: list[tuple[float, float]] = []
    real_claim = worker_module.claim

    def timed_claim(*arguments: Any, **named: Any) -> Any:
        began = time.time()
        held = real_claim(*arguments, **named)
        claimed.append((time.time(), time.time() - began))
        return held

    worker_module.claim = timed_claim
    has_begun = threading.Semaphore(0)
    threads = []
    for place in range(count):
        arguments = (load, first + place, has_begun, stop)
        threads.append(threading.Thread(target=work, args=arguments, daemon=True))
        threads[-1].start()
        time.sleep(START_SECONDS)
    for _ in range(count):
        has_begun.acquire()
    told.put(reading)
    stop.wait()
    told.put(np.asarray(claimed))
    told.close()
    told.join_thread()
    if not load.trial_seconds:
        for thread in threads:
            thread.join()  # it closes its claim
    os._exit(0)


def _share_first_reading(address: str) -> tuple[float, float]:
    """Have each worker of this process begin with a copy of the trials that there are; return what reading takes."""
    memory, began = psutil.Process().memory_info().rss, time.perf_counter()
    reader: Any = StudyStorage.open(address).load_study(NAME)._storage
    reader.get_all_trials(reader.get_study_id_from_name(NAME), deepcopy=False)
    reading = time.perf_counter() - began, (psutil.Process().memory_info().rss - memory) / 2**20
    real_load = StudyStorage._load

    def load(self: StudyStorage, *arguments: Any, **named: Any) -> optuna.Study:
        study = real_load(self, *arguments, **named)
        own: Any = study._storage
        for name in ("_trial_id_to_study_id_and_number", "_study_id_and_number_to_trial_id"):
            setattr(own, name, dict(getattr(reader, name)))
        own._studies = {key: copy.copy(known) for key, known in reader._studies.items()}
        for known in own._studies.values():
            known.trials, known.unfinished_trial_ids = dict(known.trials), set(known.unfinished_trial_ids)
        return study

    StudyStorage._load = load  # type: ignore[method-assign]
    return reading


def _run_trials(load: Load, number: int, has_begun: threading.Semaphore, stop: Any) -> None:
    # The first ones are of all lengths, so that trials end one after the other from the beginning.
    runner: Any = SleepingRunner(load.trial_seconds, first_share=(number + 1) / load.workers)
    with StudyStorage.open(load.address) as storage:
        worker = worker_module.Worker(
            storage,
            uuid_of(storage.read_study(NAME)),
            allowance=lambda: Allowance(total=0 if stop.is_set() else MANY),
            runner=runner,
            on_trial=lambda _: None,
        )
        worker._identity = _identity(number)
        has_begun.release()
        worker.run()


def _claim_only(load: Load, number: int, has_begun: threading.Semaphore, stop: Any) -> None:
    with StudyStorage.open(load.address) as storage:
        study_uuid = uuid_of(storage.read_study(NAME))
        has_begun.release()
        while not stop.is_set():
            close(storage, worker_module.claim(storage, study_uuid, total=MANY, worker=_identity(number)))


def _identity(number: int) -> WorkerIdentity:
    """Another machine's, so that its claims are its own and its heartbeat says whether it lives."""
    return WorkerIdentity(machine=f"simulated-{number}", host="simulated", pid=number, started=0.0)


def _state(address: str, processes: list[Any]) -> dict[str, float]:
    with look(parse_storage(address)).connect() as connection:
        found = dict(connection.execute(sqlalchemy.text(OF_SERVER)).mappings().one())
        server = _core_seconds(_server_of(int(found.pop("backend"))))
    ours = [psutil.Process(process.pid) for process in processes]
    return {**found, "clock": time.time(), "server": server, "workers": _core_seconds(ours)}


def _server_of(backend: int) -> list[psutil.Process]:
    """The server's processes; none where it runs on another machine."""
    try:
        postmaster = psutil.Process(backend).parent()
    except psutil.NoSuchProcess:
        return []
    return [] if postmaster is None else [postmaster, *postmaster.children(recursive=True)]


def _core_seconds(processes: list[psutil.Process]) -> float:
    total = 0.0
    for process in processes:
        try:
            used = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        # Of those that have ended their parent knows.
        total += used.user + used.system + used.children_user + used.children_system
    return total


if __name__ == "__main__":
    main()
