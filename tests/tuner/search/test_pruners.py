"""Pruning: below the median with one objective, and by the same pruners on our own quality with two."""

import math
from collections.abc import Callable, Sequence
from typing import Any, get_args

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from optuna.pruners import (
    BasePruner,
    HyperbandPruner,
    MedianPruner,
    PercentilePruner,
    SuccessiveHalvingPruner,
    ThresholdPruner,
    WilcoxonPruner,
)
from optuna.trial import TrialState

from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import SearchSection
from tuner.search.pruners import PRUNERS as OURS
from tuner.search.pruners import PresentQualityPruner, build_pruner, report_quality, should_prune

RUNGS = (2, 4, 8)

PRUNERS: dict[str, Callable[[], BasePruner]] = {
    "median": lambda: MedianPruner(n_startup_trials=2),
    "percentile": lambda: PercentilePruner(60.0, n_startup_trials=1),
    "halving": lambda: SuccessiveHalvingPruner(min_resource=2, reduction_factor=2),
    "hyperband": lambda: HyperbandPruner(min_resource=2, max_resource=8, reduction_factor=2),
    "threshold": lambda: ThresholdPruner(lower=0.3),
    "ours": lambda: build_pruner(SearchSection()),
}


def made_study(num_objectives: int, pruner: BasePruner, **storage: Any) -> optuna.Study:
    return optuna.create_study(
        study_name="waves",
        directions=["maximize"] * num_objectives,
        pruner=pruner,
        sampler=optuna.samplers.RandomSampler(seed=0),
        **storage,
    )


def run_trials(study: optuna.Study, curves: Sequence[tuple[float, ...]]) -> list[int]:
    """Run trials of these qualities at the rungs; return how many rungs each reached."""
    reached = []
    for curve in curves:
        trial = study.ask()
        for index, (rung, quality) in enumerate(zip(RUNGS, curve, strict=True)):
            report_quality(trial, quality, images_seen=rung)
            if index + 1 == len(RUNGS):
                # Two values that no pruner may look at: they fall as the quality rises.
                study.tell(trial, quality if len(study.directions) == 1 else (1 - quality, -quality))
            elif should_prune(trial):
                study.tell(trial, state=TrialState.PRUNED)
                break
        reached.append(index + 1)
    return reached


def run_constant(qualities: list[float], *, search: SearchSection, num_objectives: int) -> list[bool]:
    """Whether each trial, of the same quality at each rung, is pruned."""
    study = made_study(num_objectives, build_pruner(search))
    return [num < len(RUNGS) for num in run_trials(study, [(quality,) * len(RUNGS) for quality in qualities])]


@pytest.mark.parametrize("num_objectives", [1, 2])
@pytest.mark.parametrize("trials", [8, 16, 50])
def test_pruner_prunes_below_the_median_after_four_trials(trials: int, num_objectives: int) -> None:
    qualities = [0.5, 0.4, 0.3, 0.2, 0.1, 0.6, 0.3]
    pruned = run_constant(qualities, search=SearchSection(trials=trials), num_objectives=num_objectives)
    assert pruned == [False] * 4 + [True, False, True]


def test_a_rung_is_pruned_at_once_enough_trials_have_a_quality_there() -> None:
    """Trials that were re-scored have one at their last rung alone."""
    study = made_study(1, build_pruner(SearchSection()))
    for _ in range(6):
        study.add_trial(optuna.trial.create_trial(value=0.5, intermediate_values={RUNGS[-1]: 0.5}))
    assert run_trials(study, [(0.6,) * 3, (0.5,) * 3, (0.7,) * 3, (0.4,) * 3, (0.1,) * 3]) == [3, 3, 3, 3, 1]


@pytest.mark.parametrize("num_objectives", [1, 2])
@pytest.mark.parametrize(
    ("curve", "num_rungs"),
    [((0.6, 0.05, 0.05), 2), ((0.6, 0.49, 0.9), 2), ((0.6, 0.5, 0.5), 3), ((0.49, 0.9, 0.9), 1)],
)
def test_a_trial_that_falls_below_the_median_ends(
    curve: tuple[float, ...], num_rungs: int, num_objectives: int
) -> None:
    """However good it was at the rung before: Optuna's own median pruner would let the first two go on."""
    median = (0.5, 0.5, 0.5)
    assert (
        run_trials(made_study(num_objectives, build_pruner(SearchSection())), [median] * 4 + [curve])[-1] == num_rungs
    )


def test_a_trial_without_a_quality_is_not_pruned() -> None:
    study = made_study(1, PresentQualityPruner(MedianPruner(n_startup_trials=1)))
    run_trials(study, [(0.5, 0.5, 0.5)])
    assert not should_prune(study.ask())


def test_the_configuration_offers_every_pruner() -> None:
    assert set(get_args(SearchSection.model_fields["pruner"].annotation)) == set(OURS)


@pytest.mark.parametrize("num_objectives", [1, 2])
def test_without_a_pruner_nothing_is_pruned(num_objectives: int) -> None:
    qualities = [0.5, 0.4, 0.3, 0.2, 0.1, 0.0]
    assert not any(run_constant(qualities, search=SearchSection(pruner="none"), num_objectives=num_objectives))


curves = st.lists(st.tuples(*[st.sampled_from([0.1, 0.2, 0.3, 0.4, 0.5, 0.6]) for _ in RUNGS]), max_size=14)


@pytest.mark.parametrize("name", PRUNERS)
@given(qualities=curves)
@settings(deadline=None, max_examples=30)
def test_two_objectives_are_pruned_as_quality_alone_would_be(name: str, qualities: list[tuple[float, ...]]) -> None:
    """Every pruner of Optuna that needs no more than qualities at rungs, wherever it looks for them."""
    one, two = (run_trials(made_study(num, PRUNERS[name]()), qualities) for num in (1, 2))
    assert one == two


@pytest.mark.parametrize("name", PRUNERS)
def test_each_of_these_pruners_prunes_something(name: str) -> None:
    """Otherwise their agreement would say nothing."""
    qualities = [(0.6, 0.6, 0.6), (0.5, 0.5, 0.5)] * 3 + [(0.1, 0.1, 0.1)] * 6
    assert min(run_trials(made_study(2, PRUNERS[name]()), qualities)) < len(RUNGS)


@pytest.mark.filterwarnings("ignore:WilcoxonPruner is experimental")
def test_a_pruner_that_asks_for_the_best_trial_gets_that_of_the_highest_quality() -> None:
    study = made_study(2, WilcoxonPruner(p_threshold=0.9, n_startup_steps=1))
    assert run_trials(study, [(0.2, 0.2, 0.2), (0.6, 0.6, 0.6), (0.4, 0.4, 0.4)]) == [3, 3, 2]


@pytest.mark.filterwarnings("ignore:Heartbeat of storage is supposed to be used with Study.optimize")
def test_rungs_are_kept_in_the_storage_and_read_back(tmp_path: Any) -> None:
    """What prunes in one process is what another one noted."""
    with StudyStorage.create(str(tmp_path / "studies.db")) as storage:
        study = made_study(2, MedianPruner(n_startup_trials=1), storage=storage.optuna)
        run_trials(study, [(0.2, 0.4, 0.6)])
        again = storage.load_study("waves", pruner=MedianPruner(n_startup_trials=1))
        assert run_trials(again, [(0.1, 0.9, 0.9), (0.3, 0.3, 0.9)]) == [1, 2]
        summary = summarise(storage, "waves")
    assert [trial.qualities for trial in summary.trials] == [{2: 0.2, 4: 0.4, 8: 0.6}, {2: 0.1}, {2: 0.3, 4: 0.3}]
    assert [trial.quality for trial in summary.trials] == [0.6, 0.1, 0.3]
    assert [trial.values for trial in summary.trials] == [(pytest.approx(0.4), pytest.approx(-0.6)), (), ()]


def test_one_objective_keeps_optunas_own_intermediate_values() -> None:
    study = made_study(1, MedianPruner())
    run_trials(study, [(0.2, 0.4, 0.6)])
    (trial,) = study.trials
    assert trial.intermediate_values == {2: 0.2, 4: 0.4, 8: 0.6}
    assert trial.user_attrs == {}


def test_a_quality_that_is_not_finite_counts_as_none() -> None:
    study = made_study(2, MedianPruner(n_startup_trials=1))
    run_trials(study, [(0.2, 0.4, 0.6)])
    trial = study.ask()
    report_quality(trial, math.nan, images_seen=2)
    assert not should_prune(trial)
