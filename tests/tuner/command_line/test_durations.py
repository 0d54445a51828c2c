import pytest

from tuner.command_line.durations import format_seconds


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0 s"), (59.4, "59 s"), (61, "1 min"), (3540, "59 min"), (3600, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_durations_are_said_in_words(seconds: float, words: str) -> None:
    assert format_seconds(seconds) == words
