"""Who goes into a final."""

import pytest

from studies.records.summaries import TrialSummary
from tuner.running.finals.choosing import choose_finalists


def trial(number: int, quality: float | None, state: str = "COMPLETE") -> TrialSummary:
    return TrialSummary(
        number=number,
        state=state,
        quality=quality,
        weights={"content": 1.0},
        params={},
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
