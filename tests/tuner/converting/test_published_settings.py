"""Which published defaults a study tries: the nearest losses, within what is searched, one trial a setting."""

from typing import Any

import pytest

from measures.published_trainers import TRAINERS, have_same_defaults
from studies.records.published_defaults import PublishedDefaults, PublishedSetting, UntriedDefaults
from tuner.configuration.loading import load_config
from tuner.configuration.settings import StudyConfig
from tuner.converting.published_settings import ONE_SETTING, ChosenDefaults, choose_defaults


def configure(**sections: Any) -> StudyConfig:
    return load_config("quick", overrides=sections)


def converted(trainer: str, style: float, *, tv: float = 0.01, cosine: float = 0.8) -> PublishedSetting:
    return PublishedSetting(
        defaults=(PublishedDefaults(trainer=trainer, cosine=cosine),), style_to_content=style, tv_to_content=tv
    )


def told(chosen: ChosenDefaults) -> list[tuple[str, ...]]:
    return [tuple(one.trainer for one in setting.defaults) for setting in chosen.settings]


def test_the_figures_of_docs_trainers_in_quick() -> None:
    """Of five, two share a setting, one lies outside, and two trials of fifteen are given: to the nearest losses."""
    found = [
        converted("lengstrom", 13.4, tv=0.0099, cosine=0.81),
        converted("jcjohnson", 9.7, tv=0.00066, cosine=0.77),
        converted("pytorch-examples", 7.4, tv=0.0, cosine=0.37),
        converted("gordicaleksa", 7.4, tv=0.0, cosine=0.37),
        converted("magenta", 80.9, tv=0.00013, cosine=0.67),
    ]
    chosen = choose_defaults(found, [], configure())
    assert told(chosen) == [("lengstrom",), ("jcjohnson",)]
    why = {one.trainer: one.why for one in chosen.untried}
    assert why["magenta"] == "style : content 80.9 lies outside of 0.2 to 30"
    assert why["gordicaleksa"] == "2 of 15 trials go to such defaults, to the nearest losses"
    assert list(why) == ["magenta", "pytorch-examples", "gordicaleksa"]
    more = choose_defaults(found, [], configure(search={"trials": 25}))
    assert told(more) == [("lengstrom",), ("jcjohnson",), ("pytorch-examples", "gordicaleksa")]


def test_the_studys_own_trainer_comes_first_wherever_it_lies() -> None:
    found = [converted("lengstrom", 9.0, cosine=0.9), converted("magenta", 500.0, cosine=1.0)]
    chosen = choose_defaults(found, [], configure(loss={"trainer": "magenta"}))
    assert told(chosen) == [("magenta",), ("lengstrom",)]


@pytest.mark.parametrize(
    ("style", "tv", "wanted"),
    [
        (30.0 * ONE_SETTING * 0.999, 0.01, ""),
        (30.0 * ONE_SETTING * 1.001, 0.01, "style : content"),
        (0.2 / ONE_SETTING * 1.001, 0.01, ""),
        (0.2 / ONE_SETTING * 0.999, 0.01, "style : content"),
        (1.0, 0.0, ""),
        (1.0, 1.2, ""),
        (1.0, 1.3, "tv : content 1.3 lies outside of 0.003 to 1"),
    ],
)
def test_near_an_end_is_tried_and_beyond_is_not(style: float, tv: float, wanted: str) -> None:
    chosen = choose_defaults([converted("lengstrom", style, tv=tv)], [], configure())
    assert told(chosen) == ([] if wanted else [("lengstrom",)])
    assert all(one.why.startswith(wanted) for one in chosen.untried)


def test_settings_that_are_one_share_a_trial_and_total_variation_below_its_range_is_none() -> None:
    found = [converted("jcjohnson", 9.0, tv=0.0001, cosine=0.9), converted("gordicaleksa", 10.0, tv=0.0, cosine=0.4)]
    assert told(choose_defaults(found, [], configure())) == [("jcjohnson", "gordicaleksa")]
    apart = [converted("jcjohnson", 9.0, tv=0.1), converted("gordicaleksa", 9.0, tv=0.0)]
    assert len(told(choose_defaults(apart, [], configure()))) == 2


def test_what_could_not_be_converted_is_told() -> None:
    failed = [UntriedDefaults(trainer="lengstrom", why="No network")]
    assert choose_defaults([], failed, configure()).untried == tuple(failed)


@pytest.mark.parametrize(
    ("search", "most"),
    [
        ({"start": "noise", "trials": 11}, 0),
        ({"start": "noise", "trials": 12}, 2),
        ({"start": "starter", "trials": 12}, 0),
        ({"start": "noise", "trials": 50}, 8),
        ({"start": "noise", "trials": 50, "published_baselines": False}, 0),
        ({"start": "noise", "trials": 3, "published_baselines": True}, 1),
        ({"start": "noise", "trials": 1, "published_baselines": True}, 0),
        ({"start": "noise", "trials": 16, "sampler": "grid", "grid": [4, 3]}, 0),
    ],
)
def test_how_many_trials_go_to_others(search: dict[str, Any], most: int) -> None:
    assert configure(search=search).most_published == most


def test_which_trainers_are_one_loss() -> None:
    """Four layers' sum at 1e5, and their mean at 4e5."""
    same = {
        (one.name, other.name)
        for one in TRAINERS.values()
        for other in TRAINERS.values()
        if one is not other and have_same_defaults(one, other)
    }
    assert same == {("pytorch-examples", "gordicaleksa"), ("gordicaleksa", "pytorch-examples")}
