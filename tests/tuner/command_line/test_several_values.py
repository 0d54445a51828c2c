"""An option with several values in a row."""

import click
import pytest
from click.testing import CliRunner

from tuner.command_line.several_values import SeveralStyles, repeat_option


@click.command(cls=SeveralStyles)
@click.argument("source")
@click.option("--style", multiple=True)
@click.option("--photos", multiple=True)
@click.option("-o", "--output")
@click.option("--json", "as_json", is_flag=True)
def command(source: str, style: tuple[str, ...], photos: tuple[str, ...], output: str | None, as_json: bool) -> None:
    click.echo(f"{source} {style} {photos} {output} {as_json}")


@pytest.mark.parametrize(
    ("typed", "styles"),
    [
        ("quick", ()),
        ("quick --style a", ("a",)),
        ("quick --style a b c --photos p", ("a", "b", "c")),
        ("quick --style a b --style c", ("a", "b", "c")),
        ("quick --style=a b", ("a", "b")),
        ("--photos p --style a quick", ("a",)),
        ("-o out quick --style a b", ("a", "b")),
        ("quick --json --style a b -o out", ("a", "b")),
    ],
)
def test_values_in_a_row(typed: str, styles: tuple[str, ...]) -> None:
    ended = CliRunner().invoke(command, typed.split())
    assert ended.exit_code == 0, ended.output
    assert ended.output.startswith(f"quick {styles} ")


@pytest.mark.parametrize("typed", ["quick --photos p q", "quick again", "--style a b quick"])
def test_other_words_too_many_are_refused(typed: str) -> None:
    ended = CliRunner().invoke(command, typed.split())
    assert ended.exit_code == 2
    assert "unexpected extra argument" in ended.output


def test_after_two_dashes_nothing_is_an_option() -> None:
    words = ["quick", "--style", "a", "--", "b"]
    assert repeat_option(words, option="--style", with_value={"--style"}) == words
