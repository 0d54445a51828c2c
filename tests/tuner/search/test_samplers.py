"""Samplers: that they behave in short and in resumed studies, and pass what Optuna asks of its own."""

import inspect
from collections.abc import Callable
from typing import Any, final, get_args

import optuna
import pytest
from optuna.samplers import BaseSampler, GridSampler, TPESampler
from optuna.testing.pytest_samplers import (
    BasicSamplerTestCase,
    MultiObjectiveSamplerTestCase,
    RelativeSamplerTestCase,
)
from optuna.trial import TrialState

from measures.loss_weights import LossWeights
from studies.records import attributes
from tuner.configuration.search_choice import AUTO_SAMPLER
from tuner.configuration.search_sections import SearchSection
from tuner.search.samplers import DEFAULT_STARTUP, SAMPLERS, TrialSeededSampler, build_sampler
from tuner.search.space import suggest_values


def searched_by(sampler: str, **settings: Any) -> SearchSection:
    """Return settings of a search by some sampler."""
    grid = {"grid": (5, 5)} if sampler == "grid" else {}
    return SearchSection(sampler=sampler, **grid, **settings)


def test_the_configuration_offers_every_sampler() -> None:
    assert set(get_args(SearchSection.model_fields["sampler"].annotation)) == {*SAMPLERS, "auto"}


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
class TestOptunasOwnSuites(BasicSamplerTestCase, MultiObjectiveSamplerTestCase):
    """What Optuna tests its samplers with, over each of ours."""

    @pytest.fixture(params=sorted(SAMPLERS))
    def sampler(self, request: pytest.FixtureRequest) -> Callable[[], BaseSampler]:
        return lambda: build_sampler(searched_by(request.param), seed=0)


@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
class TestOptunasSuiteOfRelativeSamplers(RelativeSamplerTestCase):
    """Over the wrapper around one that samples parameters together."""

    @pytest.fixture
    def sampler(self) -> Callable[[], BaseSampler]:
        return lambda: TrialSeededSampler(
            lambda seed, _: TPESampler(n_startup_trials=0, multivariate=True, seed=seed), seed=0
        )


def test_the_wrapper_stops_a_grid_when_it_is_done() -> None:
    grid = {"x": [0.0, 1.0], "y": [0.0, 1.0]}
    study = optuna.create_study(sampler=TrialSeededSampler(lambda _, __: GridSampler(grid, seed=0), seed=0))
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1) + trial.suggest_float("y", 0, 1), n_trials=8)
    assert len({tuple(trial.params.values()) for trial in study.trials}) == len(study.trials) == 4


@final
class RecordingSampler(optuna.samplers.RandomSampler):
    """Notes what of a sampler's interface is used."""

    def __init__(self, calls: list[str]) -> None:
        super().__init__(seed=0)
        self._calls = calls

    def __getattribute__(self, name: str) -> Any:
        if name in interface():
            object.__getattribute__(self, "_calls").append(name)
        return super().__getattribute__(name)


def interface() -> set[str]:
    """Public methods of every sampler of Optuna."""
    return {name for name, _ in inspect.getmembers(BaseSampler, inspect.isfunction) if not name.startswith("_")}


def test_the_wrapper_forwards_all_of_a_samplers_interface() -> None:
    """A method that Optuna adds later makes this fail."""
    calls: list[str] = []
    study = optuna.create_study(sampler=TrialSeededSampler(lambda _, __: RecordingSampler(calls), seed=0))
    trial = study.ask()
    trial.suggest_float("x", 0, 1)
    frozen = study.trials[0]
    study.sampler.sample_relative(study, frozen, {})
    study.sampler.reseed_rng()
    study.tell(trial, 0.5)
    assert set(calls) == interface()
    assert interface() <= vars(TrialSeededSampler).keys()
    assert str(study.sampler) == "RecordingSampler"


@pytest.mark.parametrize("state", [TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL])
def test_the_sampler_of_a_trial_that_ended_is_let_go(state: TrialState) -> None:
    sampler = build_sampler(SearchSection(), seed=0)
    study = optuna.create_study(sampler=sampler)
    study.tell(study.ask(), 0.5 if state is TrialState.COMPLETE else None, state=state)
    assert vars(sampler)["_samplers"] == {}


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


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_sampler_depends_on_seed_and_trial_number(sampler: str) -> None:
    """A grid's points are the same with every seed, and their order another."""
    search = searched_by(sampler)

    def drawn(seed: int) -> list[tuple[float, ...]]:
        study = optuna.create_study(sampler=build_sampler(search, seed=seed))
        trials = [study.ask() for _ in range(3)]
        for trial in trials:
            suggest_values(trial, search)
        return [tuple(trial.params.values()) for trial in trials]

    assert drawn(0) == drawn(0)
    assert len({*drawn(0), *drawn(1)}) == 6 if sampler != "grid" else drawn(0) != drawn(1)


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("num_before", [0, 12])
def test_workers_that_begin_together_draw_different_trials(sampler: str, num_before: int, tmp_path: Any) -> None:
    """Both load the study before either has a trial, in the random start and after it."""
    search = searched_by(sampler)
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


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_a_resumed_study_goes_on_as_if_it_had_not_stopped(sampler: str, tmp_path: Any) -> None:
    search = searched_by(sampler, trials=8)
    storage = f"sqlite:///{tmp_path / 'studies.db'}"
    straight = run_trials(optuna.create_study(direction="maximize"), 8, search=search, seed=3)
    study = optuna.create_study(study_name="waves", storage=storage, direction="maximize")
    before = run_trials(study, 5, search=search, seed=3)
    after = run_trials(optuna.load_study(study_name="waves", storage=storage), 3, search=search, seed=3)
    assert before + after == straight
    assert len({tuple(params.values()) for params in before + after}) == 8


@pytest.mark.parametrize(
    ("modelling", "trials", "startup"),
    [
        *(("tpe", *case) for case in [(1, 4), (8, 4), (16, 4), (19, 4), (20, 10), (200, 10)]),
        *(("gp", *case) for case in [(8, 4), (20, 10)]),
    ],
)
def test_a_short_study_leaves_less_to_chance(modelling: str, trials: int, startup: int) -> None:
    """From the trial after the random ones on, the sampler looks at the earlier ones."""

    def drawn(sampler: str) -> list[dict[str, Any]]:
        search = SearchSection(trials=trials, sampler=sampler)
        return run_trials(optuna.create_study(direction="maximize"), startup + 1, search=search, seed=5)

    modelled, by_chance = drawn(modelling), drawn("random")
    assert modelled[:startup] == by_chance[:startup]
    assert modelled[startup] != by_chance[startup]


def begin_with(*ratios: float) -> optuna.Study:
    """A study whose first trials are other styles' best settings."""
    study = optuna.create_study(direction="maximize")
    for number, ratio in enumerate(ratios):
        origin = {"uuid": "1-2", "study": "night", "trial": number, "quality": 0.4}
        study.enqueue_trial(
            {"style_to_content": ratio, "tv_to_content": 0.1}, user_attrs={attributes.TAKEN_FROM: origin}
        )
    return study


@pytest.mark.parametrize("modelling", ["tpe", "gp"])
def test_other_styles_best_settings_are_no_random_start(modelling: str) -> None:
    def drawn(sampler: str) -> list[dict[str, Any]]:
        return run_trials(begin_with(3.0, 0.3), 8, search=SearchSection(trials=16, sampler=sampler), seed=5)

    modelled, by_chance = drawn(modelling), drawn("random")
    assert modelled[:6] == by_chance[:6], "two of others and four random ones"
    assert modelled[6] != by_chance[6]


def test_a_setting_drawn_by_one_study_and_taken_by_another_is_not_drawn_there_again() -> None:
    """Both have one seed: the second would draw the first one's third trial as its own third."""
    search = SearchSection(trials=16, sampler="random")
    first = run_trials(optuna.create_study(direction="maximize"), 6, search=search, seed=5)
    second = run_trials(begin_with(first[3]["style_to_content"]), 6, search=search, seed=5)
    third = run_trials(begin_with(second[3]["style_to_content"]), 6, search=search, seed=5)
    ratios = [{round(params["style_to_content"], 9) for params in drawn} for drawn in (first, second[1:], third[1:])]
    assert not ratios[0] & ratios[1]
    assert not (ratios[0] | ratios[1]) & ratios[2]


def test_a_resumed_study_with_other_styles_settings_goes_on_as_if_it_had_not_stopped() -> None:
    search = SearchSection(trials=16)
    straight = run_trials(begin_with(3.0), 8, search=search, seed=5)
    study = begin_with(3.0)
    assert run_trials(study, 3, search=search, seed=5) + run_trials(study, 5, search=search, seed=5) == straight


def test_auto_is_the_sampler_that_it_stands_for() -> None:
    assert str(build_sampler(SearchSection(sampler="auto"), seed=0)) == str(
        build_sampler(SearchSection(sampler=AUTO_SAMPLER), seed=0)
    )


@pytest.mark.parametrize("modelling", ["tpe", "gp"])
def test_a_model_beats_chance_in_a_short_study(modelling: str) -> None:
    def best(sampler: str) -> float:
        search = SearchSection(sampler=sampler, trials=16)
        results = []
        for seed in range(5):
            study = optuna.create_study(direction="maximize")
            run_trials(study, 16, search=search, seed=seed)
            results.append(study.best_value)
        return sum(results) / len(results)

    assert best(modelling) > best("random")


@pytest.mark.parametrize(("best_suggested", "startup"), [(0.5, DEFAULT_STARTUP), (0.3, DEFAULT_STARTUP + 2)])
def test_suggestions_that_were_wrong_do_not_shorten_the_random_start(
    best_suggested: float, startup: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    search = SearchSection(trials=24, start="scout")
    study = optuna.create_study(direction="maximize", sampler=build_sampler(search, seed=0))
    foretold = {attributes.FORETOLD: {"quality": 0.6, "standard_error": 0.01}}
    for quality, mark in ((0.4, {attributes.BASELINE: True}), (best_suggested, foretold), (0.2, foretold)):
        study.enqueue_trial({}, user_attrs=mark)
        trial = study.ask()
        suggest_values(trial, search)
        study.tell(trial, quality)
    built: list[int] = []

    def build(*, n_startup_trials: int, seed: int) -> TPESampler:
        built.append(n_startup_trials)
        return TPESampler(n_startup_trials=n_startup_trials, seed=seed)

    monkeypatch.setattr("tuner.search.samplers.TPESampler", build)
    suggest_values(study.ask(), search)
    assert set(built) == {startup}
