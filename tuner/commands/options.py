"""Options that several commands share."""

from pathlib import Path
from typing import Any, Final

import click

from studies.addresses import DEFAULT_STORAGE

HELP: Final = {"help_option_names": ["-h", "--help"]}
PATH: Final = click.Path(path_type=Path)

OWN_NAME: Final = ""
"""What `--calibrated` without a name gives: the user of this system is meant."""


def storage_option(function: Any) -> Any:
    """Add `--storage` to a command."""
    return click.option(
        "--storage",
        default=DEFAULT_STORAGE,
        show_default=True,
        help="SQLite file, or database URL such as postgresql://user@host/name.",
    )(function)


def calibrated_option(function: Any) -> Any:
    """Add `--calibrated [RATER]` to a command; `OWN_NAME` where no rater is named."""
    return click.option(
        "--calibrated",
        is_flag=False,
        flag_value=OWN_NAME,
        metavar="[RATER]",
        help="Rank by the exponents that `study prefer` found for RATER, or for everyone.  [default: your user name]",
    )(function)
