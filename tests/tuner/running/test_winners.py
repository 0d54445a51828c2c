"""Which settings a study takes over from those of other styles."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from optuna.trial import create_trial

from studies.records.published_defaults import PublishedDefaults, PublishedSetting
from studies.records.study_record import StudyRecord
from studies.records.summaries import StudySummary, summarise_trial
from tuner.configuration.search_sections import SearchSection
from tuner.configuration.settings import StudyConfig
from tuner.running.winners import are_alike, chosen_winners, num_winners, winner_of

STYLE, TV = "style_to_content", "tv_to_content"


def study(name: str, style: float, tv: float = 0.1, *, is_baseline: bool = False) -> StudySummary:
    """A study whose best trial has these ratios."""
    best = replace(
        summarise_trial(create_trial(value=0.5)),
        number=3,
        params={"style_to_content": style, "tv_to_content": tv},
        is_baseline=is_baseline,
    )
    return StudySummary(
        name=name,
        uuid=f"uuid of {name}",
        created=None,
        num_by_state={"COMPLETE": 1},
        best=best,
        trials=(best,),
        record=StudyRecord.parse({}),
        attributes={},
    )


def config(trials: int = 16, **search: Any) -> StudyConfig:
    return StudyConfig(search=SearchSection(trials=trials, **search))


def named(summaries: list[StudySummary], baseline: Mapping[str, float] | None = None, trials: int = 16) -> list[str]:
    return [winner.origin.study for winner in chosen_winners(summaries, config(trials), baseline=baseline)]


def test_the_first_study_takes_none() -> None:
    assert named([]) == []


def test_a_winner_says_where_it_comes_from() -> None:
    (winner,) = chosen_winners([study("night", 3.0)], config(), baseline=None)
    assert winner.params == {"style_to_content": 3.0, "tv_to_content": 0.1}
    assert winner.origin.in_words() == "from trial 3 of night"
    assert (winner.origin.uuid, winner.origin.quality) == ("uuid of night", 0.5)


def test_the_latest_come_first_and_are_three_at_most() -> None:
    five = [study(name, ratio) for name, ratio in zip("abcde", (0.1, 0.3, 1.0, 3.0, 9.0), strict=True)]
    assert named(five) == ["e", "d", "c"]


def test_of_those_that_are_alike_one_is_taken() -> None:
    assert named([study("a", 0.1), study("b", 3.0), study("c", 2.5)]) == ["c", "a"]


def test_what_is_near_the_baseline_is_run_anyway() -> None:
    baseline = {"style_to_content": 1.0, "tv_to_content": 0.1}
    assert named([study("a", 1.2), study("b", 3.0)], baseline) == ["b"]
    assert named([study("a", 5.0, is_baseline=True)]) == []


def test_what_is_published_is_converted_for_each_style() -> None:
    default = PublishedSetting(
        defaults=(PublishedDefaults(trainer="magenta", cosine=0.8),), style_to_content=50.0, tv_to_content=0.0
    )
    night = study("night", 10.0)
    assert night.best is not None
    found = replace(night, best=replace(night.best, published=default))
    assert winner_of(found, config()) is None
    assert named([study("waves", 3.0), found]) == ["waves"]


def test_a_study_without_a_complete_trial_gives_none() -> None:
    assert winner_of(replace(study("a", 1.0), best=None), config()) is None


@pytest.mark.parametrize(
    ("sizes", "found", "taken"),
    [(None, 384, None), ((192, 384), 384, 384), ((192, 384), 96, 192), ((192, 384), None, 192)],
)
def test_a_winner_has_its_style_size_where_that_is_searched(
    sizes: tuple[int, ...] | None, found: int | None, taken: int | None
) -> None:
    """Else the study's own."""
    night = study("night", 3.0)
    assert night.best is not None
    best = replace(night.best, params={**night.best.params, **({} if found is None else {"style_size": found})})
    (winner,) = chosen_winners([replace(night, best=best)], config(style_size=sizes), baseline=None)
    assert winner.params.get("style_size") == taken


@pytest.mark.parametrize(
    ("search", "taken"),
    [
        ({"style_tilt": (-2, 2), "learning_rate": (1e-4, 1e-2)}, {"style_tilt": -1.5, "learning_rate": 4e-3}),
        ({"style_tilt": (-1, 2), "learning_rate": (1e-4, 2e-3)}, {"style_tilt": 0.0, "learning_rate": 1e-3}),
        ({}, {}),
    ],
    ids=["searched", "beyond the range", "not searched"],
)
def test_a_winner_has_its_tilt_and_learning_rate_where_they_may_be_sampled(
    search: dict[str, Any], taken: dict[str, float]
) -> None:
    night = study("night", 3.0)
    assert night.best is not None
    best = replace(night.best, params={**night.best.params, "style_tilt": -1.5, "learning_rate": 4e-3})
    (winner,) = chosen_winners([replace(night, best=best)], config(**search), baseline=None)
    assert {name: value for name, value in winner.params.items() if name not in {STYLE, TV}} == taken


@pytest.mark.parametrize(("trials", "most"), [(1, 0), (2, 1), (7, 1), (8, 2), (12, 3), (1000, 3)])
def test_most_trials_are_left_to_the_search(trials: int, most: int) -> None:
    assert num_winners(config(trials)) == most


@pytest.mark.parametrize("search", [{"sampler": "qmc"}, {"sampler": "grid", "grid": (3, 3)}])
def test_points_that_all_studies_draw_are_not_taken(search: dict[str, Any]) -> None:
    assert num_winners(config(**search)) == 0


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ({TV: 1.0}, {TV: 1.49}, True),
        ({TV: 1.0}, {TV: 1.51}, False),
        ({TV: 1.51}, {TV: 1.0}, False),
        ({TV: 1.0, STYLE: 1.0}, {TV: 1.0, STYLE: 9.0}, False),
        ({TV: 1.0, "layer": "relu3_1"}, {TV: 1.0, "layer": "relu2_1"}, False),
        ({TV: 1.0, "layer": "relu3_1"}, {TV: 1.1, "layer": "relu3_1"}, True),
        ({TV: 1.0, "style_size": 192}, {TV: 1.1, "style_size": 192}, True),
        ({TV: 1.0, "style_size": 192}, {TV: 1.0, "style_size": 256}, False),
        ({TV: 1.0, "learning_rate": 0.002}, {TV: 1.0, "learning_rate": 0.0029}, True),
        ({TV: 1.0, "learning_rate": 0.002}, {TV: 1.0, "learning_rate": 0.0031}, False),
        ({TV: 1.0, "style_tilt": -0.2}, {TV: 1.0, "style_tilt": 0.3}, True),
        ({TV: 1.0, "style_tilt": 0.0}, {TV: 1.0, "style_tilt": 0.6}, False),
        ({TV: 0.0}, {TV: 0.0}, True),
        ({TV: 0.0}, {TV: 0.1}, False),
        ({TV: 1.0}, {STYLE: 1.0}, False),
    ],
)
def test_what_is_alike(one: dict[str, Any], other: dict[str, Any], *, alike: bool) -> None:
    assert are_alike(one, other) is alike
