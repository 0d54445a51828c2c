"""The search space, and that the sampler behaves in short and in resumed studies."""

from typing import Any

import optuna
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues
from tuner.configuration.settings import SearchSection
from tuner.errors import ConfigError
from tuner.search.space import (
    STYLE_TO_CONTENT,
    TV_TO_CONTENT,
    build_sampler,
    parameters_of,
    suggest_values,
)

SEARCH = SearchSection(style_to_content=(0.01, 10.0), tv_to_content=(0.001, 1.0))


@given(style=st.floats(0.01, 10), variation=st.floats(0.001, 1))
@settings(deadline=None)
def test_weights_and_parameters_are_each_others_inverse(style: float, variation: float) -> None:
    trial = optuna.trial.FixedTrial({STYLE_TO_CONTENT: style, TV_TO_CONTENT: variation})
    weights = suggest_values(trial, SEARCH).loss_weights()
    assert sum(weights.to_dict().values()) == pytest.approx(1)
    assert parameters_of(weights, SEARCH) == pytest.approx({STYLE_TO_CONTENT: style, TV_TO_CONTENT: variation})


def test_values_are_the_trials_parameters() -> None:
    trial = optuna.trial.FixedTrial({STYLE_TO_CONTENT: 2.0, TV_TO_CONTENT: 1.0})
    assert suggest_values(trial, SEARCH) == SampledValues(style_to_content=2.0, tv_to_content=1.0)


def test_rounding_at_the_ends_of_the_range_is_forgiven() -> None:
    weights = LossWeights.normalised(content=0.7, style=0.7 * 10, total_variation=0.7 * 0.001)
    parameters = parameters_of(weights, SEARCH)
    assert parameters[STYLE_TO_CONTENT] <= 10
    assert parameters[TV_TO_CONTENT] >= 0.001


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ((1, 20, 0.1), r"`style_to_content` of 20, outside this study's range of 0.01 to 10"),
        ((1, 0, 0.1), r"`style_to_content` of 0, outside"),
        ((1, 1, 2), r"`tv_to_content` of 2, outside this study's range of 0.001 to 1"),
    ],
)
def test_weights_outside_the_range_are_an_error(weights: tuple[float, float, float], message: str) -> None:
    content, style, variation = weights
    with pytest.raises(ConfigError, match=message):
        parameters_of(LossWeights.normalised(content=content, style=style, total_variation=variation), SEARCH)


def objective_value(weights: LossWeights) -> float:
    return -abs(weights.style - 0.4) - weights.total_variation


def run_trials(study: optuna.Study, num: int, *, search: SearchSection, seed: int) -> list[dict[str, Any]]:
    """Ask and tell as a worker does: a new sampler for each trial."""
    params = []
    for _ in range(num):
        study.sampler = build_sampler(search, seed=seed)
        trial = study.ask()
        study.tell(trial, objective_value(suggest_values(trial, search).loss_weights()))
        params.append(dict(trial.params))
    return params


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_sampler_depends_on_seed_and_trial_number(sampler: str) -> None:
    search = SearchSection(sampler=sampler)

    def drawn(seed: int) -> list[tuple[float, ...]]:
        study = optuna.create_study(sampler=build_sampler(search, seed=seed))
        trials = [study.ask() for _ in range(3)]
        for trial in trials:
            suggest_values(trial, search)
        return [tuple(trial.params.values()) for trial in trials]

    assert drawn(0) == drawn(0)
    assert len({*drawn(0), *drawn(1)}) == 6


@pytest.mark.parametrize("sampler", ["tpe", "random"])
@pytest.mark.parametrize("num_before", [0, 12])
def test_workers_that_begin_together_draw_different_trials(sampler: str, num_before: int, tmp_path: Any) -> None:
    """Both load the study before either has a trial, in the random start and after it."""
    search = SearchSection(sampler=sampler)
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    run_trials(
        optuna.create_study(study_name="waves", storage=storage, direction="maximize"),
        num_before,
        search=search,
        seed=3,
    )
    workers = [
        optuna.load_study(study_name="waves", storage=storage, sampler=build_sampler(search, seed=3)) for _ in range(2)
    ]
    one, other = [worker.ask() for worker in workers]
    assert suggest_values(one, search) != suggest_values(other, search)


@pytest.mark.parametrize("sampler", ["tpe", "random"])
def test_a_resumed_study_goes_on_as_if_it_had_not_stopped(sampler: str, tmp_path: Any) -> None:
    search = SearchSection(sampler=sampler, trials=8)
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    straight = run_trials(optuna.create_study(direction="maximize"), 8, search=search, seed=3)
    study = optuna.create_study(study_name="waves", storage=storage, direction="maximize")
    before = run_trials(study, 5, search=search, seed=3)
    after = run_trials(optuna.load_study(study_name="waves", storage=storage), 3, search=search, seed=3)
    assert before + after == straight
    assert len({tuple(params.values()) for params in before + after}) == 8


@pytest.mark.parametrize(("trials", "startup"), [(1, 4), (8, 4), (16, 4), (19, 4), (20, 10), (200, 10)])
def test_a_short_study_leaves_less_to_chance(trials: int, startup: int) -> None:
    """From the trial after the random ones on, the sampler looks at the earlier ones."""

    def drawn(sampler: str) -> list[dict[str, Any]]:
        search = SearchSection(trials=trials, sampler=sampler)
        return run_trials(optuna.create_study(direction="maximize"), startup + 1, search=search, seed=5)

    modelled, by_chance = drawn("tpe"), drawn("random")
    assert modelled[:startup] == by_chance[:startup]
    assert modelled[startup] != by_chance[startup]


def test_tpe_beats_chance_in_a_short_study() -> None:
    def best(sampler: str) -> float:
        search = SearchSection(sampler=sampler, trials=16)
        results = []
        for seed in range(5):
            study = optuna.create_study(direction="maximize")
            run_trials(study, 16, search=search, seed=seed)
            results.append(study.best_value)
        return sum(results) / len(results)

    assert best("tpe") > best("random")
