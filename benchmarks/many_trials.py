"""How long a worker needs between two trials, and what a reaper, a claim and a summary cost, in studies of many trials.

    .venv/bin/python benchmarks/many_trials.py [--trials 1000 3000 10000] [--storage ADDRESS]

Makes studies of made-up trials in a temporary folder (or in an empty database named by its address) and prints a
Markdown table: SQL statements, and seconds in brackets. `gap` is the time from a trial's end to the next one's start,
with the sampler and the pruner of the presets; `first gap` that of a worker that has just begun, which reads them all.
"""

import argparse
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import sqlalchemy
from optuna.trial import FrozenTrial, TrialState, create_trial

from studies.claims.claiming import Claim, claim, close
from studies.claims.processes import WorkerIdentity
from studies.claims.reaping import reap
from studies.records import attributes
from studies.records.summaries import summarise
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.search_sections import SearchSection
from tuner.configuration.settings import StudyConfig
from tuner.running.stopping import Allowance
from tuner.running.workers.worker import Worker
from tuner.search.pruners import report_quality, should_prune
from tuner.search.space import suggest_values

NAME = "many"
RUNGS = (300, 600, 900, 1200)
MEASURED_TRIALS = 4


@dataclass
class Cost:
    """What something took."""

    statements: int = 0
    seconds: float = 0.0

    def __str__(self) -> str:
        return f"{self.statements} ({self.seconds:.3f})"


class QuickRunner:
    """A trial that samples, reports at every rung and asks the pruner, but trains nothing; notes when it begins."""

    def __init__(self) -> None:
        self.config = StudyConfig()
        self.began: list[float] = []
        self.statements_at: list[int] = []
        self.count: Callable[[], int] = lambda: 0

    def run(self, trial: optuna.Trial) -> list[float]:
        suggest_values(trial, self.config.search)
        self.began.append(time.perf_counter())
        self.statements_at.append(self.count())
        for rung in RUNGS:
            report_quality(trial, 0.5, images_seen=rung)
            should_prune(trial)
        return [0.5]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, nargs="+", default=(1000, 3000, 10_000))
    parser.add_argument("--storage")
    arguments = parser.parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    print(
        "| trials | reap | claim | first gap | gap | summarise | again |\n| --- | --- | --- | --- | --- | --- | --- |"
    )
    for num_trials in arguments.trials:
        with tempfile.TemporaryDirectory() as folder:
            address = arguments.storage or str(Path(folder) / "studies.db")
            with StudyStorage.create(address) as storage:
                fill_study(storage, num_trials)
            costs = " | ".join(map(str, _measure(address, num_trials)))
            if arguments.storage:
                with StudyStorage.open(address) as storage:
                    storage.delete_study(NAME)
        print(f"| {num_trials} | {costs} |", flush=True)


def _measure(address: str, num_trials: int) -> list[Cost]:
    with StudyStorage.open(address) as storage:
        study_uuid = uuid_of(storage.read_study(NAME))
        reap(storage, study_uuid, total=num_trials + 1)
        costs = [_cost(storage, lambda: reap(storage, study_uuid, total=num_trials + 1))]
        costs.append(_cost(storage, lambda: _claim_and_close(storage, study_uuid, num_trials)))
        costs += _gaps(storage, study_uuid, num_trials)
    with StudyStorage.open_read_only(address) as storage:
        costs += [_cost(storage, lambda: summarise(storage, NAME)) for _ in range(2)]
    return costs


def _claim_and_close(storage: StudyStorage, study_uuid: str, num_trials: int) -> None:
    held = claim(storage, study_uuid, total=num_trials + 1, worker=WorkerIdentity.current())
    assert isinstance(held, Claim)
    close(storage, held)


def _gaps(storage: StudyStorage, study_uuid: str, num_trials: int) -> list[Cost]:
    runner: Any = QuickRunner()
    ended: list[tuple[float, int]] = []

    def note(_trial: FrozenTrial) -> None:
        ended.append((time.perf_counter(), len(statements)))

    with _statements(storage) as statements:
        runner.count = lambda: len(statements)
        began = time.perf_counter(), 0
        total = num_trials + MEASURED_TRIALS
        Worker(storage, study_uuid, allowance=lambda: Allowance(total=total), runner=runner, on_trial=note).run()
    gaps = [
        Cost(statements=counted - before[1], seconds=moment - before[0])
        for before, moment, counted in zip([began, *ended], runner.began, runner.statements_at, strict=False)
    ]
    return [gaps[0], min(gaps[1:], key=lambda gap: gap.seconds)]


def _cost(storage: StudyStorage, action: Callable[[], object]) -> Cost:
    with _statements(storage) as statements:
        started = time.perf_counter()
        action()
        seconds = time.perf_counter() - started
    return Cost(statements=len(statements), seconds=seconds)


@contextmanager
def _statements(storage: StudyStorage) -> Iterator[list[str]]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    engines = {id(engine): engine for engine in (storage.engine, storage.read_engine)}.values()
    for engine in engines:
        sqlalchemy.event.listen(engine, "before_cursor_execute", note)
    yield statements
    for engine in engines:
        sqlalchemy.event.remove(engine, "before_cursor_execute", note)


def fill_study(
    storage: StudyStorage, num_trials: int, *, search: SearchSection | None = None, rungs: Sequence[int] = RUNGS
) -> None:
    """Make a study `NAME` of made-up trials."""
    generator = np.random.default_rng(0)
    create_study(storage.optuna, NAME)
    study = storage.load_study(NAME)
    search = search or SearchSection()
    distributions = {
        name: optuna.distributions.FloatDistribution(*limits, log=True)
        for name, limits in {"style_to_content": search.style_to_content, "tv_to_content": search.tv_to_content}.items()
    }
    worker = WorkerIdentity.current().as_attribute()
    for number in range(num_trials):
        quality = float(generator.uniform(0.2, 0.8))
        params = {name: float(np.exp(generator.uniform(*np.log([d.low, d.high])))) for name, d in distributions.items()}
        pruned = number % 3 == 0
        study.add_trial(
            create_trial(
                state=TrialState.PRUNED if pruned else TrialState.COMPLETE,
                value=quality,
                params=params,
                distributions=distributions,
                intermediate_values=dict.fromkeys(rungs[:1] if pruned else rungs, quality),
                user_attrs={attributes.WORKER: worker, attributes.IMAGES_SEEN: rungs[-1], attributes.SECONDS: 20.0},
            )
        )


if __name__ == "__main__":
    main()
