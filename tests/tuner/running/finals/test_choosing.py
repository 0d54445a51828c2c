"""Who goes into a final."""

import pytest

from studies.records.summaries import TrialSummary
from tuner.running.finals.choosing import choose_finalists


def trial(number: int, quality: float | None, state: str = "COMPLETE", *, style: float | None = None) -> TrialSummary:
    style = float(number) if style is None else style
    return TrialSummary(
        number=number,
        state=state,
        quality=quality,
        weights={"content": 1.0},
        params={"style_to_content": style},
        parts={},
        reason="",
        images_seen=None,
        seconds=None,
        pictures={},
        qualities={},
        started=None,
        finished=None,
        retry_of=None,
        is_baseline=number == 0,
    )


TRIALS = (trial(0, 0.5), trial(1, 0.9, "PRUNED"), trial(2, 0.7), trial(3, 0.4), trial(4, None), trial(5, 0.6, "FAIL"))


@pytest.mark.parametrize(("num_finalists", "chosen"), [(2, [2, 0]), (3, [2, 0, 3]), (9, [2, 0, 3])])
def test_the_best_complete_ones_the_baseline_too_or_those_there_are(num_finalists: int, chosen: list[int]) -> None:
    assert [found.number for found in choose_finalists(TRIALS, num_finalists)] == chosen


def test_one_alone_has_no_final() -> None:
    assert choose_finalists(TRIALS[:2], 3) == ()
    assert choose_finalists((), 3) == ()


def test_of_those_with_the_same_values_the_best_alone_goes_in() -> None:
    trials = (trial(0, 0.5), trial(1, 0.9, style=4.0), trial(2, 0.8, style=4.0), trial(3, 0.4))
    assert [found.number for found in choose_finalists(trials, 3)] == [1, 0, 3]
    assert choose_finalists(trials[1:3], 2) == ()
