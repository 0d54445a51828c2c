"""`styletuner weights`: the pretrained files, and other trainers' loss weights in our loss."""

import json
from typing import Final

import click

from models.pretrained import files as pretrained
from tuner.command_line.convert import convert

DEFAULT_FILES: Final = ("vgg19", "alexnet")
"""The default loss network, and the network that the judge looks through."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]}, epilog="Example: styletuner weights fetch")
def weights() -> None:
    """Fetch and list the pretrained files; convert other trainers' loss weights."""


weights.add_command(convert)


@weights.command(epilog="Example: styletuner weights fetch vgg19 alexnet")
@click.argument("names", nargs=-1, metavar="[NAME]...")
def fetch(names: tuple[str, ...]) -> None:
    """Fetch pretrained files ahead of time; without names, those that the default settings need."""
    for name in names or DEFAULT_FILES:
        path = pretrained.fetch(name, progress=lambda text: click.echo(text, err=True))
        click.echo(f"{name}: {path}")


@weights.command(name="list", epilog="Example: styletuner weights list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def list_files(as_json: bool) -> None:
    """List the pretrained files: what they are, their licence, where they lie."""
    statuses = pretrained.statuses()
    if as_json:
        rows = [
            {
                "name": status.name,
                "description": status.description,
                "licence": status.licence,
                "path": str(status.path),
                "present": status.present,
                "bytes": status.size,
            }
            for status in statuses
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for status in statuses:
        state = f"{status.size / 2**20:.0f} MB" if status.present else "not fetched"
        click.echo(f"{status.name:<12} {state:<12} {status.description} ({status.licence})\n{'':<13}{status.path}")
