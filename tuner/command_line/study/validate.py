"""`styletuner study validate`: does the winner of short runs win longer ones?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.command_line.options import PATH, storage_option
from tuner.command_line.study.long_run_table import long_run_table
from tuner.validating.run_lengths import FEWEST_SETTINGS

if TYPE_CHECKING:
    from tuner.validating.validating import Validated


@click.command(epilog="Example: styletuner study validate quick-starry_night-1a2b3c --images 4x --settings 5")
@click.argument("name")
@click.option(
    "--images",
    default="4x",
    show_default=True,
    metavar="4x|N",
    help="Images to train each setting on: a number, or a multiple of what a trial has.",
)
@click.option("--crop-size", type=int, help="Side of the training crops in pixels.  [default: the study's]")
@click.option(
    "--settings",
    "num_settings",
    type=click.IntRange(min=FEWEST_SETTINGS),
    default=3,
    show_default=True,
    help="Settings to train: the best, the baseline, others by rank.",
)
@click.option("--photos", type=PATH, multiple=True, help="Where the study's photos are now; may be repeated.")
@click.option("--sheet", type=PATH, help="Write the sheet of what the long runs paint to this PNG file.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@storage_option
def validate(
    name: str,
    images: str,
    crop_size: int | None,
    num_settings: int,
    photos: tuple[Path, ...],
    sheet: Path | None,
    as_json: bool,
    storage: str,
) -> None:
    """Train some settings of a study longer, or with larger crops, and see whether the winner still wins.

    Each starts from noise, as full training does, and is judged on the photos that judged the study's trials. What
    comes of it is kept in the study: `study show` tells it, `study export` writes it. Run the same command again to go
    on after an interrupt: settings that are done are not trained again, one on its way goes on where it was.
    """
    import optuna

    from measures.versions import JUDGE_VERSION
    from studies.storage.study_storage import StudyStorage
    from tuner.command_line.counted_progress import CountedProgress
    from tuner.command_line.study.sheet_files import check_sheet, write_sheet
    from tuner.validating.plan import ValidationRequest
    from tuner.validating.validating import ValidatingObserver, validate_study

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    request = ValidationRequest(name=name, images=images, crop_size=crop_size, num_settings=num_settings, photos=photos)
    with CountedProgress("validating", things="images") as progress, StudyStorage.open(storage) as studies:
        check_sheet(sheet, studies)
        observer = ValidatingObserver(say=progress.say, on_images=progress.show)
        done = validate_study(studies, request, judge_version=JUDGE_VERSION, observer=observer)
        write_sheet(sheet, studies, done.validation.sheet)
    if as_json:
        click.echo(json.dumps(done.as_dict(), indent=2))
    else:
        _echo(done)
    if sheet is not None:
        click.echo(f"Sheet: {sheet}", err=True)


def _echo(done: "Validated") -> None:
    """Print a table of the settings, best first, and what they say."""
    from studies.records.validation_words import validation_in_words

    found = done.validation
    told = "has already been validated" if done.was_done else "validated"
    click.echo(f"{done.study_name} {told}; judge version {found.judge_version}")
    click.echo("\n".join(long_run_table(found)))
    click.echo("\n".join(validation_in_words(found, best=found.winner)))
