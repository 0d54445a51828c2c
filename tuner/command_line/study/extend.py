"""`styletuner study extend`: what would these trials have come to, had they been trained on?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.command_line.options import PATH, storage_option
from tuner.command_line.study.long_run_table import long_run_table

if TYPE_CHECKING:
    from studies.records.summaries import StudySummary
    from tuner.validating.validating import Validated


@click.command(epilog="Example: styletuner study extend quick-starry_night-1a2b3c --trial 7 --images 4x")
@click.argument("name")
@click.option(
    "--trial",
    "trials",
    type=click.IntRange(min=0),
    multiple=True,
    required=True,
    help="Trial to train on, complete or pruned; may be repeated.",
)
@click.option(
    "--images",
    default="4x",
    show_default=True,
    metavar="4x|N",
    help="Images to train it on in all: a number, or a multiple of what a whole trial has.",
)
@click.option("--photos", type=PATH, multiple=True, help="Where the study's photos are now; may be repeated.")
@click.option("--sheet", type=PATH, help="Write the sheet of what they paint to this PNG file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@storage_option
def extend(
    name: str,
    trials: tuple[int, ...],
    images: str,
    photos: tuple[Path, ...],
    sheet: Path | None,
    as_json: bool,
    storage: str,
) -> None:
    """Train chosen trials of a study on: pruned ones to a whole trial's end, and any of them beyond it.

    A trial keeps no network. So it is run again from its start, on the same crops in the same order, through the very
    scores that it had. What comes of it is kept in the study, and changes neither its trials nor who is best. Run the
    same command again to go on after an interrupt.
    """
    import optuna

    from measures.versions import JUDGE_VERSION
    from studies.records.summaries import summarise
    from studies.storage.study_storage import StudyStorage
    from tuner.command_line.counted_progress import CountedProgress
    from tuner.command_line.study.sheet_files import check_sheet, write_sheet
    from tuner.validating.plan import ValidationRequest
    from tuner.validating.validating import ValidatingObserver, validate_study

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    request = ValidationRequest(name=name, images=images, trials=trials, photos=photos)
    with CountedProgress("training on", things="images") as progress, StudyStorage.open(storage) as studies:
        check_sheet(sheet, studies)
        observer = ValidatingObserver(say=progress.say, on_images=progress.show)
        done = validate_study(studies, request, judge_version=JUDGE_VERSION, observer=observer)
        summary = summarise(studies, name)
        write_sheet(sheet, studies, done.validation.sheet)
    if as_json:
        click.echo(json.dumps(done.as_dict(), indent=2))
    else:
        _echo(done, summary)
    if sheet is not None:
        click.echo(f"Sheet: {sheet}", err=True)


def _echo(done: "Validated", summary: "StudySummary") -> None:
    """Print a table of the trials, best at their end first, and what they came to."""
    from studies.records.extension_words import extension_in_words

    click.echo("\n".join([*long_run_table(done.validation), *extension_in_words(done.validation, summary)]))
