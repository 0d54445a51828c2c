"""What `study run` prints at the end: what a study found, or with `--dry-run` what it would cost."""

import math
import shlex
from typing import TYPE_CHECKING

import click

from tuner.command_line.durations import format_seconds
from tuner.command_line.options import storage_words
from tuner.command_line.study.show import headline

if TYPE_CHECKING:
    from tuner.running.run_study import StudyEstimate, StudyResult


def echo_result(result: "StudyResult", *, storage: str) -> None:
    """Print what a study found, and where to go from here."""
    from tuner.installation.environment import own_command

    click.echo(headline(result.summary))
    for path in result.exports:
        click.echo(f"Best weights:  {path}")
    command, place = own_command(), shlex.quote(result.place)
    if result.sheet is not None:
        click.echo(f"Contact sheet: {result.sheet}")
    else:
        named = shlex.quote(result.name)
        click.echo(f"Export them:   {command} study export {named} -o best.yaml{storage_words(storage)}")
    if result.scout_sheet is not None:
        click.echo(f"Scout sheet:   {result.scout_sheet}")
    if result.final_sheet is not None:
        click.echo(f"Final sheet:   {result.final_sheet}")
    click.echo(f"See them all:  {command} dashboard {place}")


def echo_estimate(found: "StudyEstimate", *, ends_at_total: bool) -> None:
    """Print what a study would cost.

    Args:
        found: The estimate.
        ends_at_total: Whether its trials end it, and not its time alone.
    """
    if found.plan is not None and not ends_at_total:
        click.echo(f"{found.plan.in_words()}.")
        return
    start = f"A {found.start} of {found.start_images:,} images and " if found.start_images else ""
    final = f" and a final of {found.num_final_runs} runs" if found.num_final_runs else ""
    click.echo(
        f"{start}{found.num_trials} trials{final} of {found.num_images} images: at most "
        f"{format_seconds(found.cost.seconds)} "
        f"with one worker (pruning makes it less), {megabytes(found.cost.num_bytes)} MB of disk."
    )
    if found.plan is not None:
        click.echo(f"{found.plan.in_words()}.")
    if found.num_final_runs and found.stop_images is not None:
        click.echo(f"The final comes on top of the {found.stop_images:,} images of `search.stop.images`.")
    if found.num_finished is not None:
        click.echo(f"This is for the whole study, of which {found.num_finished} trials are finished.")


def megabytes(num_bytes: float) -> int:
    """Return so many bytes in MB, rounded up."""
    return math.ceil(num_bytes / 2**20)
