"""Which settings a scout suggests in a study: one by one, by what trials came to, with several workers and kills."""

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pytest
from optuna.samplers import BaseSampler
from optuna.trial import TrialState

from measures.ratio_space import RatioSpace
from studies.claims.retries import enqueue_retry
from studies.records import attributes
from studies.records.study_scout import ForetoldSetting, StudyScout
from tests.tuner.search.test_samplers import RecordingSampler, interface
from tuner.configuration.search_sections import SearchSection
from tuner.scouting.sweeping import grid_positions
from tuner.search.pruners import BELOW_MEDIAN
from tuner.search.samplers import build_sampler
from tuner.search.space import suggest_values
from tuner.search.suggesting_sampler import SuggestingSampler

SEARCH = SearchSection(start="scout", trials=16, style_to_content=(0.1, 10.0), tv_to_content=(0.01, 1.0))
SPACE = RatioSpace(style_to_content=SEARCH.style_to_content, tv_to_content=SEARCH.tv_to_content)
PLACES = grid_positions(9, 3)
SWEEP = [
    ForetoldSetting(values=values, quality=0.5 - (place[0] - 0.5) ** 2, standard_error=0.01)
    for place, values in zip(PLACES, SPACE.at(PLACES), strict=True)
]
BEST = 1.0
"""style : content at which the scout foretells most."""
FAR = 0.25
"""What it foretells of the baseline, at a corner."""


def study_with(num_suggested: int, *, storage: str | None = None) -> optuna.Study:
    study = optuna.create_study(direction="maximize", storage=storage, study_name="waves", sampler=sampler())
    study.set_user_attr(attributes.SCOUT_SWEEP, [one.to_attribute() for one in SWEEP])
    scout = StudyScout(images=24, sha256="ab", num_suggested=num_suggested)
    study.set_user_attr(attributes.SCOUT, scout.to_attribute())
    study.enqueue_trial({"style_to_content": 0.1, "tv_to_content": 0.01}, user_attrs={attributes.BASELINE: True})
    return study


def sampler() -> BaseSampler:
    return build_sampler(SEARCH, seed=0)


def run_next(study: optuna.Study, quality: float, *, state: TrialState = TrialState.COMPLETE) -> dict[str, Any]:
    trial = study.ask()
    suggest_values(trial, SEARCH)
    trial.report(quality, 640)
    trial.set_user_attr(attributes.REASON, BELOW_MEDIAN if state is TrialState.PRUNED else "")
    study.tell(trial, quality if state is TrialState.COMPLETE else None, state=state)
    return dict(trial.params)


def foretold_of(study: optuna.Study, number: int) -> dict[str, Any]:
    return dict(study.trials[number].user_attrs[attributes.FORETOLD])


def test_the_baseline_is_not_touched_and_the_next_is_what_is_foretold_best() -> None:
    study = study_with(1)
    assert run_next(study, FAR) == {"style_to_content": 0.1, "tv_to_content": 0.01}
    assert run_next(study, 0.5)["style_to_content"] == pytest.approx(BEST)
    foretold = {"quality": 0.5, "standard_error": 0.01, attributes.FORETOLD_SETTING: study.trials[1].params}
    assert foretold_of(study, 1) == foretold


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.PRUNED])
def test_settings_follow_what_the_trials_before_came_to(state: TrialState) -> None:
    studies = [study_with(3), study_with(3)]
    for study, quality in zip(studies, (0.2, 0.6), strict=True):
        run_next(study, 0.45)
        run_next(study, 0.4, state=state)
        run_next(study, quality, state=state)
    low, high = [run_next(study, 0.4) for study in studies]
    assert low != high


def test_what_the_scout_does_not_suggest_is_drawn() -> None:
    study = study_with(1)
    run_next(study, 0.4)
    run_next(study, 0.5)
    drawn = run_next(study, 0.3)
    assert drawn not in [one.values.to_dict() for one in SWEEP]
    assert attributes.FORETOLD not in study.trials[2].user_attrs


def test_workers_that_begin_together_try_different_settings(tmp_path: Path) -> None:
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    run_next(study_with(3, storage=storage), 0.4)
    workers = [optuna.load_study(study_name="waves", storage=storage, sampler=sampler()) for _ in range(3)]
    trials = [worker.ask() for worker in workers]  # all of them before any has written what it takes
    taken = [suggest_values(trial, SEARCH) for trial in trials]
    assert len({tuple(values.to_dict().values()) for values in taken}) == 3
    for trial, values in zip(trials, taken, strict=True):
        (own,) = [one for one in SWEEP if one.values.to_dict() == pytest.approx(values.to_dict())]
        assert foretold_of(workers[0], trial.number)["quality"] == pytest.approx(own.quality)


def test_the_same_trials_give_the_same_settings() -> None:
    studies = [study_with(4), study_with(4)]
    runs = [[run_next(study, 0.4 - 0.01 * place) for place in range(5)] for study in studies]
    assert runs[0] == runs[1]


def kill_next(study: optuna.Study) -> optuna.Trial:
    """Begin a trial, end it as a killed worker's and have it run again."""
    killed = study.ask()
    suggest_values(killed, SEARCH)
    study.tell(killed, state=TrialState.FAIL)
    enqueue_retry(study, study.trials[killed.number], num_kills=1)
    return killed


@pytest.mark.parametrize("num_done", [0, 1, 2])
def test_a_study_that_was_interrupted_goes_on_as_it_would_have(num_done: int) -> None:
    def quality(params: dict[str, Any]) -> float:
        return 0.6 - 0.4 * abs(float(np.log10(params["style_to_content"])) - 0.4)

    def run(study: optuna.Study, count: int) -> list[dict[str, Any]]:
        done = []
        for _ in range(count):
            trial = study.ask()
            suggest_values(trial, SEARCH)
            study.tell(trial, quality(trial.params))
            done.append(dict(trial.params))
        return done

    whole = run(study_with(5), 6)
    study = study_with(5)
    before = run(study, num_done)
    killed = kill_next(study)
    after = run(study, 6 - num_done)
    assert after[0] == killed.params
    assert before + after == whole
    if num_done:
        assert foretold_of(study, killed.number + 1) == foretold_of(study, killed.number)


def test_one_that_was_killed_between_its_ratios_is_run_again_whole() -> None:
    study = study_with(1)
    run_next(study, FAR)
    killed = study.ask()
    low, high = SEARCH.style_to_content
    killed.suggest_float("style_to_content", low, high, log=True)
    study.tell(killed, state=TrialState.FAIL)
    enqueue_retry(study, study.trials[killed.number], num_kills=1)
    whole = foretold_of(study, killed.number)[attributes.FORETOLD_SETTING]
    assert len(killed.params) == 1
    assert run_next(study, 0.5) == whole
    assert whole.items() >= killed.params.items()
    assert foretold_of(study, 2) == foretold_of(study, killed.number)


@pytest.mark.parametrize("written", [0, 1])
def test_a_setting_that_is_not_written_whole_yet_is_not_suggested_again(tmp_path: Path, written: int) -> None:
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    run_next(study_with(2, storage=storage), 0.4)
    workers = [optuna.load_study(study_name="waves", storage=storage, sampler=sampler()) for _ in range(2)]
    first = workers[0].ask()
    low, high = SEARCH.style_to_content
    # Optuna has the sampler choose both as soon as the first is asked for.
    with pytest.MonkeyPatch.context() as patched:
        if not written:
            patched.setattr(type(workers[0]._storage), "set_trial_param", raise_killed)
        with suppress(KeyboardInterrupt):
            first.suggest_float("style_to_content", low, high, log=True)
    assert len(workers[1].trials[1].params) == written
    second = workers[1].ask()
    taken = suggest_values(second, SEARCH).to_dict()
    setting = foretold_of(workers[1], 1)[attributes.FORETOLD_SETTING]
    assert taken != pytest.approx(setting)
    assert attributes.FORETOLD in workers[1].trials[2].user_attrs


def raise_killed(*_: object, **__: object) -> None:
    raise KeyboardInterrupt


def test_one_that_was_killed_before_it_had_a_setting_leaves_it_to_the_next() -> None:
    study = study_with(1)
    run_next(study, FAR)
    # As a worker leaves it that is killed before the sampler has chosen.
    study.add_trial(optuna.trial.create_trial(state=TrialState.FAIL))
    assert run_next(study, 0.5)["style_to_content"] == pytest.approx(BEST)
    assert foretold_of(study, 2)["quality"] == pytest.approx(0.5)


def test_weights_that_are_enqueued_come_before_what_is_still_to_be_suggested() -> None:
    study = study_with(2)
    run_next(study, FAR)
    first = run_next(study, 0.5)
    mine = {"style_to_content": 7.0, "tv_to_content": 0.5}
    study.enqueue_trial(mine)
    assert run_next(study, 0.4) == mine
    assert run_next(study, 0.4) in [pytest.approx(one.values.to_dict()) for one in SWEEP]
    assert [attributes.FORETOLD in trial.user_attrs for trial in study.trials] == [False, True, False, True]
    assert first["style_to_content"] == pytest.approx(BEST)


def test_one_that_diverged_is_worth_nothing_whatever_it_had_before() -> None:
    following = []
    for qualities in ({}, {320: 0.9}):
        study = study_with(2)
        run_next(study, FAR)
        trial = study.ask()
        suggest_values(trial, SEARCH)
        for rung, quality in qualities.items():
            trial.report(quality, rung)
        trial.set_user_attr(attributes.REASON, "diverged: the loss is not finite before image 640")
        study.tell(trial, state=TrialState.PRUNED)
        following.append(run_next(study, 0.5))
    assert following[0] == following[1]


@pytest.mark.parametrize(
    "sweep",
    [None, "junk", *([{"style_to_content": ratio, "tv_to_content": 1, "quality": 0.5}] for ratio in (-1, 1e9))],
    ids=str,
)
def test_without_a_sweep_the_other_sampler_draws(sweep: object) -> None:
    study = study_with(1)
    study.set_user_attr(attributes.SCOUT_SWEEP, sweep)
    run_next(study, 0.4)
    assert set(run_next(study, 0.5)) == {"style_to_content", "tv_to_content"}


def test_it_goes_on_when_all_of_the_sweep_was_tried() -> None:
    study = study_with(4)
    study.set_user_attr(attributes.SCOUT_SWEEP, [one.to_attribute() for one in SWEEP[:2]])
    for _ in range(5):
        run_next(study, 0.4)
    assert len(study.get_trials(states=(TrialState.COMPLETE,))) == 5


@pytest.mark.parametrize("state", [TrialState.PRUNED, TrialState.FAIL])
def test_a_setting_that_diverged_or_failed_before_it_was_judged_is_not_tried_again(state: TrialState) -> None:
    study = study_with(3)
    run_next(study, FAR)
    taken = []
    for _ in range(3):
        trial = study.ask()
        suggest_values(trial, SEARCH)
        study.tell(trial, state=state)
        taken.append(tuple(trial.params.values()))
    assert len(set(taken)) == 3


def test_a_setting_that_is_run_again_is_left_to_that_trial() -> None:
    study = study_with(2)
    run_next(study, FAR)
    killed = kill_next(study)
    again = study.ask()
    assert suggest_values(again, SEARCH).to_dict() == killed.params
    assert run_next(study, 0.5) != killed.params


def test_trials_outside_the_ranges_are_passed_over() -> None:
    study = study_with(1)
    wide = {name: optuna.distributions.FloatDistribution(1e-6, 1e6) for name in ("style_to_content", "tv_to_content")}
    run_next(study, FAR)
    study.add_trial(optuna.trial.create_trial(params=dict.fromkeys(wide, 1e5), distributions=dict(wide), value=0.9))
    assert run_next(study, 0.5)["style_to_content"] == pytest.approx(BEST)


def test_the_other_sampler_is_told_of_everything() -> None:
    calls: list[str] = []
    study = optuna.create_study(sampler=SuggestingSampler(RecordingSampler(calls), SEARCH))
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    study.sampler.sample_relative(study, study.trials[0], {})
    study.sampler.reseed_rng()
    study.tell(trial, 0.5)
    assert set(calls) == interface()
    assert interface() <= vars(SuggestingSampler).keys()
    assert str(study.sampler) == "RecordingSampler"
