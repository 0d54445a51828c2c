"""Options that several commands share."""

import shlex
from pathlib import Path
from typing import Any, Final

import click

from studies.storage.addresses import DEFAULT_STORAGE, parse_storage, shown

HELP: Final = {"help_option_names": ["-h", "--help"]}
PATH: Final = click.Path(path_type=Path)


def storage_option(function: Any) -> Any:
    """Add `--storage` to a command."""
    return click.option(
        "--storage",
        default=DEFAULT_STORAGE,
        show_default=True,
        help="SQLite file, or database URL such as postgresql://user@host/name.",
    )(function)


def storage_words(storage: str) -> str:
    """Return what a command that is suggested to the user has to say of the storage; empty for the default."""
    url = parse_storage(storage)
    return "" if url == parse_storage(DEFAULT_STORAGE) else f" --storage {shlex.quote(shown(url))}"


def calibrated_option(function: Any) -> Any:
    """Add `--calibrated` and `--rater` to a command."""
    named = click.option("--rater", help='With --calibrated: whose choices, or "everyone".  [default: your user name]')
    flag = click.option("--calibrated", is_flag=True, help="Rank by the exponents that `study prefer` found.")
    return flag(named(function))


def chosen_rater(calibrated: bool, rater: str | None) -> str | None:
    """Whose choices shall rank; None where nobody's shall.

    Raises:
        UsageError: Somebody is named, but shall not rank.
        PreferenceError: Nobody is named, and this system knows no user name.
    """
    if not calibrated:
        if rater is not None:
            raise click.UsageError("--rater says whose choices rank. Add --calibrated.")
        return None
    from tuner.people.rating import own_name

    return own_name() if rater is None else rater
