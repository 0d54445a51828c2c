from dataclasses import replace
from typing import Any

import pytest

from studies.records.widened_from import WidenedFrom

FROM = WidenedFrom(
    uuid="u",
    name="waves",
    num_trials=3,
    total=7,
    ranges={"style_to_content": (0.05, 40.0), "tv_to_content": (0.003, 1.0)},
    original_ranges={"style_to_content": (0.05, 10.0), "tv_to_content": (0.003, 1.0)},
    first={"style_to_content": 20.0, "tv_to_content": 0.1, "style_tilt": -1.5, "learning_rate": 0.002},
)


def test_what_is_written_is_read_again() -> None:
    assert WidenedFrom.parse(FROM.to_attribute()) == FROM


@pytest.mark.parametrize(
    "value",
    [None, "waves", {}, {"uuid": "u", "num_trials": 3}, {"uuid": "u", "num_trials": -1, "total": 7}, {"total": 7}],
)
def test_what_nobody_wrote_is_nothing(value: Any) -> None:
    assert WidenedFrom.parse(value) is None


@pytest.mark.parametrize("wrong", [None, 3, "text", [1], {"style_to_content": "wide"}])
def test_what_is_of_another_type_is_empty(wrong: object) -> None:
    read = WidenedFrom.parse({**FROM.to_attribute(), "ranges": wrong, "original_ranges": wrong, "first": wrong})
    assert read is not None
    assert (read.ranges, read.original_ranges, read.first) == ({}, {}, {})


@pytest.mark.parametrize(("present", "missing"), [(0, 4), (3, 1), (4, 0), (9, 0)])
def test_the_first_trial_beyond_is_waited_for_too(present: int, missing: int) -> None:
    assert FROM.num_missing(present) == missing


def test_in_words_with_the_ranges_that_were_moved() -> None:
    assert FROM.in_words() == "Widened from waves, whose 3 trials are its first, to style_to_content 0.05 to 40"
    one = replace(FROM, num_trials=1)
    assert one.in_words() == "Widened from waves, whose trial is its first, to style_to_content 0.05 to 40"
