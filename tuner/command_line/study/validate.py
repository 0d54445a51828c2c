"""`styletuner study validate`: does the winner of short runs win longer ones?"""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuner.command_line.options import PATH, storage_option
from tuner.validating.run_lengths import FEWEST_SETTINGS

if TYPE_CHECKING:
    from studies.records.validation import Validation, ValidationRun
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

    from dashboards.picture_titles import is_contact_sheet
    from groundwork.output_files import check_output
    from groundwork.whole_files import write_whole
    from measures.versions import JUDGE_VERSION
    from studies.storage.addresses import storage_files
    from studies.storage.study_storage import StudyStorage
    from tuner.command_line.counted_progress import CountedProgress
    from tuner.validating.plan import ValidationRequest
    from tuner.validating.validating import ValidatingObserver, validate_study

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    request = ValidationRequest(name=name, images=images, crop_size=crop_size, num_settings=num_settings, photos=photos)
    with CountedProgress("validating", things="images") as progress, StudyStorage.open(storage) as studies:
        if sheet is not None:
            kept = storage_files(studies.url)
            check_output(sheet, called="`--sheet`", suffixes=(".png",), is_ours=is_contact_sheet, kept=kept)
        observer = ValidatingObserver(say=progress.say, on_images=progress.show)
        done = validate_study(studies, request, judge_version=JUDGE_VERSION, observer=observer)
        if sheet is not None and done.validation.sheet is not None:
            write_whole(sheet, studies.artifacts.read(done.validation.sheet))
    if as_json:
        click.echo(json.dumps(_as_dict(done), indent=2))
    else:
        _echo(done)
    if sheet is not None:
        click.echo(f"Sheet: {sheet}", err=True)


def _as_dict(done: "Validated") -> "dict[str, Any]":
    return {
        "study": done.study_name,
        "uuid": done.study_uuid,
        "was_done": done.was_done,
        **done.validation.as_dict(),
    }


def _echo(done: "Validated") -> None:
    """Print a table of the settings, best first, and what they say."""
    from studies.records.validation_words import validation_in_words

    found = done.validation
    told = "has already been validated" if done.was_done else "validated"
    click.echo(f"{done.study_name} {told}; judge version {found.judge_version}")
    lengths = sorted({images for run in found.runs for images in run.qualities})
    columns = "  ".join(f"{images:>7,}" for images in lengths)
    click.echo(f"trial  style : content  tv : content  own quality{'  at ' if lengths else ''}{columns}")
    for run in found.ranked():
        click.echo(_row(run, found, lengths))
    click.echo("\n".join(validation_in_words(found, best=found.winner)))


def _row(run: "ValidationRun", validation: "Validation", lengths: list[int]) -> str:
    from studies.records.trial_words import further_in_words

    qualities = run.qualities
    cells = "  ".join(f"{qualities[images]:>7.3f}" if images in qualities else f"{'-':>7}" for images in lengths)
    remarks = [words] if (words := further_in_words(run.further)) else []
    remarks += [run.diverged] if run.diverged else []
    remarks += ["the study's best"] if run.trial == validation.winner else []
    remarks += ["baseline"] if run.trial == validation.baseline else []
    start = f"{run.trial:>5}  {run.style_to_content:>15.3g}  {run.tv_to_content:>12.3g}  {run.trial_quality:>11.3f}"
    return "  ".join([f"{start}     {cells}", *remarks])
