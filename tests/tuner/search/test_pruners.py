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

from measures.quality import PhotoQuality, Quality, average_photos
from studies.records import attributes
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tuner.configuration.search_sections import SearchSection
from tuner.search.pruners import (
    BELOW_MEDIAN,
    PRUNED_BY_RULE,
    PresentQualityPruner,
    RungStepsPruner,
    build_pruner,
    prune_reason,
    report_quality,
    should_prune,
)
from tuner.search.pruners import PRUNERS as OURS

RUNGS = (2, 4, 8)
EVEN_RUNGS = (300, 600, 900, 1200)
"""As studies have them: not multiples of one another by one factor."""

PRUNERS: dict[str, Callable[[], BasePruner]] = {
    "median": lambda: MedianPruner(n_startup_trials=2),
    "percentile": lambda: PercentilePruner(60.0, n_startup_trials=1),
    "halving": lambda: SuccessiveHalvingPruner(min_resource=2, reduction_factor=2),
    "hyperband": lambda: HyperbandPruner(min_resource=2, max_resource=8, reduction_factor=2),
    "threshold": lambda: ThresholdPruner(lower=0.3),
    "ours": lambda: built(SearchSection()),
    "our halving": lambda: built(SearchSection(pruner="asha")),
    "our hyperband": lambda: built(SearchSection(pruner="hyperband")),
}


def built(search: SearchSection) -> BasePruner:
    return build_pruner(search, rungs=RUNGS, seed=0)


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
    study = made_study(num_objectives, built(search))
    return [num < len(RUNGS) for num in run_trials(study, [(quality,) * len(RUNGS) for quality in qualities])]


@pytest.mark.parametrize("num_objectives", [1, 2])
@pytest.mark.parametrize("trials", [8, 16, 50])
def test_pruner_prunes_below_the_median_after_four_trials(trials: int, num_objectives: int) -> None:
    qualities = [0.5, 0.4, 0.3, 0.2, 0.1, 0.6, 0.3]
    pruned = run_constant(qualities, search=SearchSection(trials=trials), num_objectives=num_objectives)
    assert pruned == [False] * 4 + [True, False, True]


def test_a_rung_is_pruned_at_once_enough_trials_have_a_quality_there() -> None:
    """Trials that were re-scored have one at their last rung alone."""
    study = made_study(1, built(SearchSection()))
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
    assert run_trials(made_study(num_objectives, built(SearchSection())), [median] * 4 + [curve])[-1] == num_rungs


def test_a_trial_without_a_quality_is_not_pruned() -> None:
    study = made_study(1, PresentQualityPruner(MedianPruner(n_startup_trials=1)))
    run_trials(study, [(0.5, 0.5, 0.5)])
    assert not should_prune(study.ask())


def test_the_configuration_offers_every_pruner() -> None:
    assert set(get_args(SearchSection.model_fields["pruner"].annotation)) == {*OURS, "auto"}


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


def end_of(study: optuna.Study, curve: Sequence[float], *, rungs: Sequence[int]) -> int:
    """Run a trial of these qualities at the rungs; return the one that it reached."""
    trial = study.ask()
    for rung, quality in zip(rungs, curve, strict=True):
        report_quality(trial, quality, images_seen=rung)
        if rung == rungs[-1]:
            study.tell(trial, quality if len(study.directions) == 1 else (1 - quality, -quality))
        elif should_prune(trial):
            study.tell(trial, state=TrialState.PRUNED)
            return rung
    return rungs[-1]


@pytest.mark.parametrize("num_objectives", [1, 2])
def test_asha_by_hand_at_rungs_that_are_no_powers(num_objectives: int) -> None:
    """From the second trial on only the better half of those that came to a rung goes on, at each rung but the last."""
    pruner = build_pruner(SearchSection(pruner="asha"), rungs=EVEN_RUNGS, seed=0)
    study = made_study(num_objectives, pruner)
    curves = [
        ((0.3, 0.3, 0.3, 0.3), 1200),  # the first of all
        ((0.2, 0.9, 0.9, 0.9), 300),  # the worse of two
        ((0.4, 0.4, 0.4, 0.4), 1200),  # the best of three, and of two from there
        ((0.35, 0.1, 0.9, 0.9), 600),  # the second of four; the last of three
        ((0.35, 0.35, 0.2, 0.9), 900),  # the third of five; of five at 600 .4 .35 .3 .1
        ((0.34, 0.9, 0.9, 0.9), 300),
    ]
    assert [end_of(study, curve, rungs=EVEN_RUNGS) for curve, _ in curves] == [end for _, end in curves]


def test_optunas_halving_alone_passes_over_a_rung() -> None:
    """The reason why rungs are shown to it as powers."""
    steps = made_study(1, SuccessiveHalvingPruner(min_resource=300, reduction_factor=2))
    shown = made_study(1, RungStepsPruner(SuccessiveHalvingPruner(min_resource=1, reduction_factor=2), EVEN_RUNGS))
    late_fall = [(0.5, 0.5, 0.5, 0.5), (0.6, 0.6, 0.1, 0.1)]
    ends = [[end_of(study, curve, rungs=EVEN_RUNGS) for curve in late_fall] for study in (steps, shown)]
    assert ends == [[1200, 1200], [1200, 900]]


def test_of_a_trial_that_is_run_again_the_second_run_counts_alone() -> None:
    """One that was killed after a rung has left its quality there."""

    def ends(*, killed: bool) -> list[int]:
        study = made_study(1, built(SearchSection(pruner="asha")))
        run_trials(study, [(0.5, 0.5, 0.5)])
        if killed:
            trial = study.ask()
            report_quality(trial, 0.6, images_seen=2)
            assert not should_prune(trial)
            study.tell(trial, state=TrialState.FAIL)
        return run_trials(study, [(0.6, 0.6, 0.6), (0.55, 0.55, 0.55), (0.55, 0.55, 0.55)])

    assert ends(killed=True) == ends(killed=False) == [3, 1, 2]


@pytest.mark.parametrize("num_objectives", [1, 2])
def test_hyperbands_brackets_begin_at_each_rung_and_the_last_ends_none(num_objectives: int) -> None:
    """After a perfect trial in every bracket one that is worse than all ends where its bracket begins."""

    def ends(seed: int) -> list[int]:
        study = made_study(num_objectives, build_pruner(SearchSection(pruner="hyperband"), rungs=EVEN_RUNGS, seed=seed))
        for _ in range(30):
            end_of(study, (0.9,) * 4, rungs=EVEN_RUNGS)
        return [end_of(study, (0.1 - 0.001 * number,) * 4, rungs=EVEN_RUNGS) for number in range(60)]

    found = ends(0)
    # Optuna's shares for four brackets with a factor of 2: 8, 6, 4 and 4 of 22.
    assert set(found) == set(EVEN_RUNGS)
    assert found.count(300) > found.count(1200)
    assert found == ends(0)
    assert found != ends(1)


def test_hyperbands_brackets_do_not_follow_the_name_of_the_study() -> None:
    def ends(name: str) -> list[int]:
        pruner = build_pruner(SearchSection(pruner="hyperband"), rungs=EVEN_RUNGS, seed=0)
        study = optuna.create_study(study_name=name, direction="maximize", pruner=pruner)
        return [end_of(study, (0.9 - 0.01 * number,) * 4, rungs=EVEN_RUNGS) for number in range(30)]

    assert ends("waves") == ends("renamed")
    assert len(set(ends("waves"))) == len(EVEN_RUNGS)


@pytest.mark.parametrize("num_rungs", range(2, 101))
def test_hyperband_takes_any_number_of_rungs(num_rungs: int) -> None:
    rungs = range(4, 4 * num_rungs + 1, 4)
    study = made_study(1, build_pruner(SearchSection(pruner="hyperband"), rungs=rungs, seed=0))
    trial = study.ask()
    report_quality(trial, 0.5, images_seen=4)
    assert not should_prune(trial)
    assert len(vars(vars(study.pruner)["_pruner"])["_pruners"]) == num_rungs


def photos(*qualities: float) -> Quality:
    return average_photos(
        [
            PhotoQuality(quality=one, content_preservation=one, style_match=one, artefact_factor=1.0, terms={})
            for one in qualities
        ]
    )


EASY_AND_HARD = (0.7, 0.1, 0.6, 0.2, 0.5, 0.3, 0.8, 0.4)


def shifted(*differences: float) -> Quality:
    return photos(*(one + difference for one, difference in zip(EASY_AND_HARD, differences, strict=True)))


@pytest.mark.parametrize("num_objectives", [1, 2])
@pytest.mark.parametrize(
    ("differences", "ends"),
    [
        # Of 8 pairs without ties all below: p = 1 / 256. Far smaller than what the photos differ by among themselves.
        ((-0.01, -0.02, -0.03, -0.04, -0.05, -0.06, -0.07, -0.08), True),
        # The ranks of those above are 2 + 3 + 4 = 9 of 36, as low as in 32 of 256 cases of chance: p > .1.
        ((0.02, 0.03, 0.04, -0.01, -0.05, -0.06, -0.07, -0.08), False),
        # 1 + 3 + 4 = 8, as low as in 25 of 256: p < .1.
        ((0.01, 0.03, 0.04, -0.02, -0.05, -0.06, -0.07, -0.08), True),
        ((0.0,) * 8, False),
        ((0.05,) * 8, False),
    ],
)
def test_wilcoxon_by_hand(differences: Sequence[float], ends: bool, num_objectives: int) -> None:
    """Held against the best trial at the same rung, not against its end or its start."""
    study = made_study(num_objectives, built(SearchSection(pruner="wilcoxon")))
    for level, at_end in ((0.1, 0.9), (0.2, 0.3)):
        best = study.ask()
        report_quality(best, shifted(*(level - 0.1,) * 8), images_seen=2)
        assert not should_prune(best) or level > 0.1
        report_quality(best, shifted(*(level + 0.1,) * 8), images_seen=4)
        study.tell(best, at_end if num_objectives == 1 else (at_end, 0.0))
        if num_objectives == 2:
            break
    trial = study.ask()
    report_quality(trial, shifted(*differences), images_seen=2)
    assert should_prune(trial) is ends


def test_wilcoxon_passes_by_trials_whose_photos_are_not_known() -> None:
    study = made_study(1, built(SearchSection(pruner="wilcoxon")))
    study.add_trial(optuna.trial.create_trial(value=0.9, intermediate_values={2: 0.9, 8: 0.9}))
    trial = study.ask()
    report_quality(trial, shifted(*(-0.05,) * 8), images_seen=2)
    assert not should_prune(trial)
    report_quality(trial, 0.1, images_seen=4)
    assert not should_prune(trial)


def test_photos_are_noted_for_wilcoxon_alone() -> None:
    for pruner, noted in (("median", None), ("wilcoxon", {"2": [0.25, 0.5], "4": [0.5, 0.75]})):
        study = made_study(1, built(SearchSection(pruner=pruner)))
        trial = study.ask()
        report_quality(trial, photos(0.25, 0.5), images_seen=2)
        report_quality(trial, photos(0.5, 0.75), images_seen=4)
        assert study.trials[0].user_attrs.get(attributes.RUNG_PHOTO_QUALITIES) == noted
        assert study.trials[0].intermediate_values == {2: 0.375, 4: 0.625}


def test_each_pruner_says_in_words_that_it_was_it() -> None:
    reasons = [prune_reason(SearchSection(pruner=name)) for name in OURS if name != "none"]
    assert len(set(reasons)) == len(reasons) == len(PRUNED_BY_RULE)
    assert prune_reason(SearchSection()) == BELOW_MEDIAN
    assert all(reason.startswith("pruned: ") for reason in reasons)


@pytest.mark.parametrize("pruner", [name for name in OURS if name != "none"])
def test_a_resumed_study_prunes_as_if_it_had_not_stopped(pruner: str, tmp_path: Any) -> None:
    """Two processes' worth: storage, study and pruner loaded anew for each trial, against one that was not."""
    search = SearchSection(pruner=pruner)
    curves = [tuple(0.5 + 0.4 * math.sin(3.7 * number + rung) for rung in range(3)) for number in range(16)]

    def reached(study: optuna.Study, curve: tuple[float, ...]) -> int:
        trial = study.ask()
        for index, (rung, level) in enumerate(zip(RUNGS, curve, strict=True)):
            report_quality(trial, photos(*(level * one for one in EASY_AND_HARD)), images_seen=rung)
            if index + 1 == len(RUNGS):
                study.tell(trial, level)
            elif should_prune(trial):
                study.tell(trial, state=TrialState.PRUNED)
                return index
        return len(RUNGS)

    straight = made_study(1, built(search))
    expected = [reached(straight, curve) for curve in curves]
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    made_study(1, built(search), storage=url)
    found = [
        reached(optuna.load_study(study_name="waves", storage=url, pruner=built(search)), curve) for curve in curves
    ]
    assert found == expected
    assert min(expected) < len(RUNGS)
