"""What is said of a study in a trainer's own loss: what is not the trainer's, and ranges around published weights."""

import re
from typing import Any

import pytest

from measures.gradient_matching import MatchedWeights
from measures.published_trainers import TRAINERS
from studies.records.published_defaults import PublishedDefaults, PublishedSetting
from tuner.configuration.loading import load_config, merge, parse_setting
from tuner.configuration.settings import StudyConfig
from tuner.converting.conversion_words import nearness_in_words
from tuner.converting.family_words import loss_in_words, ranges_in_words

PYTORCH = TRAINERS["pytorch-examples"]


def configure(trainer: str | None, **search: Any) -> StudyConfig:
    return load_config("quick", overrides={"loss": {"trainer": trainer}, "search": search})


def published(style: float, *, tv: float = 0.0) -> PublishedSetting:
    defaults = (PublishedDefaults(trainer=PYTORCH.name, cosine=1.0),)
    return PublishedSetting(defaults=defaults, style_to_content=style, tv_to_content=tv)


def matched(cosine: float, *left_out: str) -> MatchedWeights:
    return MatchedWeights(
        weights={"content": 1e5, "style": 1e10},
        left_out=left_out,
        cosine=cosine,
        lowest_cosine=cosine,
        term_cosines={"content": 1.0, "style": 1.0},
    )


def advised(line: str) -> dict[str, Any]:
    """What the `--set` in a line means."""
    found = re.search(r"--set '([^']+)'", line)
    assert found is not None
    return parse_setting(found[1])


def test_ordinary_studies_and_a_trainer_that_is_all_there_say_nothing() -> None:
    assert loss_in_words(configure(None)) == loss_in_words(configure("lengstrom")) == []


@pytest.mark.parametrize("name", ["jcjohnson", "magenta"])
def test_what_stands_in_is_said(name: str) -> None:
    assert loss_in_words(configure(name)) == [f"The loss of {name}: {TRAINERS[name].stand_in}"]


@pytest.mark.parametrize("name", ["pytorch-examples", "gordicaleksa"])
def test_total_variation_that_is_not_the_trainers_is_said_until_it_does_nothing(name: str) -> None:
    (line,) = loss_in_words(configure(name))
    assert line.startswith(f"{name} has ")
    search = advised(line)["search"]
    assert loss_in_words(configure(name, **search)) == []


@pytest.mark.parametrize(
    ("style", "tv", "said"),
    [
        (1.0, 0.0, None),
        (9.9, 0.33, None),
        (5.3, 0.0, None),
        (10.1, 0.0, "style : content 10.1 lies near an end of"),
        (0.59, 0.0, "style : content 0.59 lies near an end of"),
        (0.1, 0.0, "style : content 0.1 lies beyond"),
        (300.0, 0.0, "style : content 300 lies beyond what is searched, 0.2 to 30;"),
        (1.0, 2.0, "tv : content 2 lies beyond what is searched, 0.003 to 1;"),
    ],
)
def test_a_ratio_near_or_beyond_an_end_is_said_with_a_range_around_it(
    style: float, tv: float, said: str | None
) -> None:
    setting = published(style, tv=tv)
    lines = ranges_in_words(setting, configure(PYTORCH.name))
    if said is None:
        assert lines == []
        return
    (line,) = lines
    assert line.startswith(f"pytorch-examples' {said}")
    around = load_config("quick", overrides=merge({"loss": {"trainer": PYTORCH.name}}, advised(line)))
    assert ranges_in_words(setting, around) == []


def test_total_variation_that_a_trainer_has_not_is_no_reason_to_search_in_its_loss_again() -> None:
    said = nearness_in_words(PYTORCH, matched(0.3, "total_variation"), num_pictures=10, is_own_loss=True)
    _, line = said.splitlines()
    assert line.startswith(
        "Approximate: pytorch-examples has no total variation loss, so that this trial's has no place"
    )
    assert "No match" not in said
    assert "--trainer" not in said
    assert advised(line)["search"]["tv_to_content"] == [0.00001, 0.0001]


def test_total_variation_so_weak_that_it_may_be_left_out() -> None:
    said = nearness_in_words(PYTORCH, matched(0.999, "total_variation"), num_pictures=10, is_own_loss=True)
    assert said.splitlines()[1:] == [
        "pytorch-examples has no total variation loss: this trial's is left out, which changes little."
    ]


def test_another_total_variation() -> None:
    said = nearness_in_words(TRAINERS["gordicaleksa"], matched(0.75), num_pictures=10, is_own_loss=True)
    assert "Approximate: gordicaleksa has another total variation than ours, which is strong in this trial." in said


def test_one_loss_says_nothing_more_but_what_stands_in() -> None:
    assert "\n" not in nearness_in_words(PYTORCH, matched(0.9999), num_pictures=10, is_own_loss=True)
    said = nearness_in_words(TRAINERS["magenta"], matched(0.9999), num_pictures=10, is_own_loss=True)
    assert said.splitlines()[1].startswith("Approximate: its loss network, Caffe's VGG-16 with average pooling")
