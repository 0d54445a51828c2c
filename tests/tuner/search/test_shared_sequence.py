"""Sequences that all workers share: against Optuna's own, and that no point is left out or comes twice."""

import itertools
import math
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import GridSampler
from optuna.trial import TrialState
from scipy.stats import qmc

from studies.claims.claiming import attach, claim
from studies.claims.processes import WorkerIdentity
from studies.claims.reaping import reap
from studies.records import attributes
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.search_sections import SearchSection
from tuner.search.samplers import build_sampler
from tuner.search.space import STYLE_TO_CONTENT, TV_TO_CONTENT, distributions, suggest_values

GRID = SearchSection(sampler="grid", grid=(4, 3), trials=13)
QMC = SearchSection(sampler="qmc")
NUM_POINTS = 12
SEARCHES = pytest.mark.parametrize("search", [GRID, QMC], ids=["grid", "qmc"])


def point_of(params: dict[str, Any]) -> tuple[float, float]:
    return params[STYLE_TO_CONTENT], params[TV_TO_CONTENT]


def drawn(search: SearchSection, count: int, *, seed: int = 3) -> list[tuple[float, float]]:
    """The first points of an undisturbed study."""
    study = optuna.create_study(direction="maximize", sampler=build_sampler(search, seed=seed))
    for _ in range(count):
        run_next(study, search)
    return [point_of(trial.params) for trial in study.trials]


def run_next(study: optuna.Study, search: SearchSection, *, state: TrialState = TrialState.COMPLETE) -> None:
    trial = study.ask()
    suggest_values(trial, search)
    study.tell(trial, 0.5 if state is TrialState.COMPLETE else None, state=state)


def test_a_grid_by_hand() -> None:
    search = SearchSection(sampler="grid", grid=(3, 1), style_to_content=(0.1, 10.0), tv_to_content=(0.01, 1.0))
    expected = [(0.1, 0.1), (1.0, 0.1), (10.0, 0.1)]
    np.testing.assert_allclose(sorted(drawn(search, 3)), expected, rtol=1e-12)


def test_a_grid_is_that_of_optuna() -> None:
    sides = [
        np.geomspace(one.low, one.high, count).tolist()
        for one, count in zip(distributions(GRID).values(), GRID.grid or (), strict=True)
    ]
    study = optuna.create_study(sampler=GridSampler(dict(zip(distributions(GRID), sides, strict=True)), seed=3))
    study.optimize(lambda trial: suggest_values(trial, GRID).to_dict()[TV_TO_CONTENT])
    theirs = sorted(point_of(trial.params) for trial in study.trials)
    np.testing.assert_allclose(sorted(drawn(GRID, NUM_POINTS)), theirs, rtol=1e-12)


def test_quasi_random_points_are_those_of_scipy_taken_one_by_one() -> None:
    low, high = np.log([(one.low, one.high) for one in distributions(QMC).values()]).T
    ours = (np.log(drawn(QMC, 21)) - low) / (high - low)
    for number, point in enumerate(ours):
        sequence = qmc.Sobol(2, scramble=True, rng=3)
        theirs = (sequence.fast_forward(number) if number else sequence).random(1)
        np.testing.assert_allclose(point, theirs[0], atol=1e-12)


def test_quasi_random_points_lie_more_evenly_than_random_ones() -> None:
    def emptiest(sampler: str) -> int:
        points = np.log(drawn(SearchSection(sampler=sampler), 64))
        low, high = np.log([(one.low, one.high) for one in distributions(QMC).values()]).T
        cells = np.floor(4 * (points - low) / (high - low)).astype(int)
        counts = np.zeros((4, 4), int)
        np.add.at(counts, tuple(np.clip(cells, 0, 3).T), 1)
        return int(counts.min())

    assert emptiest("qmc") == 4
    assert emptiest("random") < 4


def test_past_its_end_a_grid_goes_on_at_random() -> None:
    points = drawn(GRID, NUM_POINTS + 2)
    assert len(set(points)) == NUM_POINTS + 2
    assert set(points[:NUM_POINTS]) == set(drawn(GRID, NUM_POINTS))


@SEARCHES
@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL])
def test_what_is_enqueued_takes_no_point(search: SearchSection, state: TrialState) -> None:
    study = optuna.create_study(direction="maximize", sampler=build_sampler(search, seed=3))
    for number in range(NUM_POINTS):
        study.enqueue_trial(dict.fromkeys(distributions(search), 0.5 + 0.01 * number))
        run_next(study, search, state=state)
        run_next(study, search)
    assert [point_of(trial.params) for trial in study.trials[1::2]] == drawn(search, NUM_POINTS)


@SEARCHES
def test_workers_in_step_share_one_sequence(search: SearchSection, tmp_path: Path) -> None:
    """Three that begin each round before one of them has a setting, each with a study and a sampler of its own."""
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    optuna.create_study(study_name="waves", storage=url, direction="maximize")
    workers = [
        optuna.load_study(study_name="waves", storage=url, sampler=build_sampler(search, seed=3)) for _ in range(3)
    ]
    for _ in range(NUM_POINTS // 3):
        trials = [worker.ask() for worker in workers]
        for trial in reversed(trials):
            suggest_values(trial, search)
        for worker, trial in zip(workers, trials, strict=True):
            worker.tell(trial, 0.5)
    points = [point_of(trial.params) for trial in workers[0].trials]
    assert sorted(points) == sorted(drawn(search, NUM_POINTS))


@SEARCHES
def test_a_worker_knows_what_the_one_before_takes_though_it_has_not_noted_it(search: SearchSection) -> None:
    study = optuna.create_study(direction="maximize", sampler=build_sampler(search, seed=3))
    run_next(study, search)
    study._storage.create_new_trial(study._study_id)
    run_next(study, search)
    assert point_of(study.trials[2].params) == drawn(search, 3)[2]
    study.tell(1, state=TrialState.FAIL)
    run_next(study, search)
    assert point_of(study.trials[3].params) == drawn(search, 2)[1]


@pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed to be used with Study.optimize")
@SEARCHES
@pytest.mark.parametrize("num_written", [0, 1, 2])
@pytest.mark.parametrize("is_noted", [False, True])
def test_a_killed_trial_leaves_its_point_to_another(
    search: SearchSection, num_written: int, is_noted: bool, tmp_path: Path
) -> None:
    """Whether its worker dies before it has any, before, between or after the two ratios; the sequence goes on."""
    dead = WorkerIdentity(machine=WorkerIdentity.current().machine, host="here", pid=2**22 + 1, started=0.0)
    with StudyStorage.create(str(tmp_path / "studies.db")) as storage:
        made = optuna.create_study(study_name="waves", storage=storage.optuna, direction="maximize")
        study = storage.load_study(made.study_name, sampler=build_sampler(search, seed=3))
        run_next(study, search)
        held = claim(storage, uuid_of(study), total=5, worker=dead)
        killed = study.ask()
        killed.set_user_attr(attributes.WORKER, dead.as_attribute())
        attach(storage, held, trial_number=killed.number)
        if is_noted:
            study.sampler.sample_relative(study, study.trials[1], dict(distributions(search)))
        for name, one in itertools.islice(distributions(search).items(), num_written):
            killed.suggest_float(name, one.low, one.high, log=True)
        reap(storage, uuid_of(study), total=5)
        for _ in range(3):
            run_next(study, search)
        trials = study.trials
    points = [point_of(trial.params) for trial in trials if trial.state is TrialState.COMPLETE]
    assert trials[killed.number].state is TrialState.FAIL
    is_run_again = is_noted or num_written > 0
    assert trials[2].user_attrs.get(attributes.RETRY_OF) == (killed.number if is_run_again else None)
    assert points == drawn(search, 4)


def test_a_point_of_other_ranges_is_not_taken() -> None:
    """A widened study begins with the trials of a narrower one, and their attributes."""
    study = optuna.create_study(direction="maximize", sampler=build_sampler(GRID, seed=3))
    wider = GRID.model_copy(update={"style_to_content": (0.05, 40.0)})
    run_next(study, GRID)
    study.sampler = build_sampler(wider, seed=3)
    run_next(study, wider)
    assert point_of(study.trials[1].params) == drawn(wider, 1)[0]


def test_the_largest_values_lie_in_the_range() -> None:
    """Of logarithm and exponential comes another last digit."""
    for one in (0.1, 0.3, 1 / 3, 0.7):
        search = SearchSection(
            sampler="grid", grid=(2, 2), style_to_content=(one, 7 * one), tv_to_content=(one / 9, one)
        )
        for style, variation in drawn(search, 4):
            assert one <= style <= 7 * one
            assert one / 9 <= variation <= one
            assert math.isfinite(style)
