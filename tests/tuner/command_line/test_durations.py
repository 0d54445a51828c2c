"""Durations in words and back."""

import click
import pytest

from tuner.command_line.durations import Minutes, format_seconds


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("45m", 45), ("1h30m", 90), ("1.5h", 90), ("90s", 1.5), ("2H", 120), ("1h1m30s", 61.5)],
)
def test_text_as_minutes(text: str, minutes: float) -> None:
    assert Minutes().convert(text, None, None) == pytest.approx(minutes)


@pytest.mark.parametrize("text", ["", "45", "m", "3 m", "-3m", "1d", "1h30"])
def test_what_is_no_duration(text: str) -> None:
    with pytest.raises(click.BadParameter, match="is no duration"):
        Minutes().convert(text, None, None)


def test_seconds_as_text() -> None:
    assert [format_seconds(seconds) for seconds in (45, 720, 7500)] == ["45 s", "12 min", "2 h 05 min"]
