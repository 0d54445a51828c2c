from typing import Any

import pytest

from studies.records.rescored_from import RescoredFrom

FROM = RescoredFrom(uuid="u", name="waves", judge_version="2", num_trials=3, versions={"torch": "2"})


def test_what_is_written_is_read_again() -> None:
    assert RescoredFrom.parse(FROM.to_attribute()) == FROM


@pytest.mark.parametrize(
    "value", [None, "waves", {}, {"uuid": "u"}, {"uuid": "u", "num_trials": -1}, {"num_trials": 3}]
)
def test_what_nobody_wrote_is_nothing(value: Any) -> None:
    assert RescoredFrom.parse(value) is None


@pytest.mark.parametrize(("present", "missing"), [(0, 3), (2, 1), (3, 0), (7, 0)])
def test_missing_trials(present: int, missing: int) -> None:
    assert FROM.num_missing(present) == missing
