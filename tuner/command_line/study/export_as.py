"""`styletuner study export --as`: found weights as another trainer's command line takes them."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from measures.published_trainers import PublishedTrainer
    from studies.storage.study_storage import StudyStorage
    from tuner.converting.converted_trial import ConvertedTrial


def asked_trainer(context: click.Context, name: str | None, photos: "Sequence[Path]") -> "PublishedTrainer | None":
    """Return the trainer that --as names; None where it is not given.

    Raises:
        TrainerError: There is no such trainer.
        UsageError: --as, which writes nothing, is given with an option that says what to write, or --photos without it.
    """
    if name is None:
        if photos:
            raise click.UsageError("--photos says where photos are for --as. Add --as, or leave it out.")
        return None
    from tuner.converting.trainer_names import find_trainer

    for option in ("output", "top", "scout", "starter"):
        if context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--as prints a command line and writes no file. Leave --{option} out.")
    return find_trainer(name)


def echo_command(
    studies: "StudyStorage", exported: "Mapping[str, Any]", trainer: "PublishedTrainer", photos: "Sequence[Path]"
) -> None:
    """Print the command line that gives a trial's weights in a trainer, and how near it comes on standard error."""
    from tuner.installation.environment import load_networks

    load_networks()
    from tuner.converting.converted_trial import convert_trial

    converted = convert_trial(studies, exported, trainer, photos=photos, report=lambda text: click.echo(text, err=True))
    click.echo(converted.command)
    click.echo(_remarks(converted, trainer), err=True)


def _remarks(converted: "ConvertedTrial", trainer: "PublishedTrainer") -> str:
    from tuner.converting.conversion_words import nearness_in_words, told_in_words

    values, size = converted.values, converted.style_size
    lines = [
        f"Trial {converted.trial}: style : content {values.style_to_content:.3g}, tv : content "
        f"{values.tv_to_content:.3g}; {trainer.name} with its crops of {trainer.crop_size} px in batches of "
        f"{trainer.batch_size}.",
        nearness_in_words(
            trainer, converted.matched, num_pictures=converted.num_pictures, is_own_loss=converted.is_own_loss
        ),
    ]
    lines += told_in_words(trainer, tilt=converted.style_tilt, learning_rate=converted.learning_rate)
    if not trainer.style_size_option:
        lines.append(f"It takes the style image as it is: scale that to a shorter side of {size} px first.")
    return "\n".join(lines)
