"""`styletuner weights convert`: a trainer's own weights in the loss of a configuration."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tuner.command_line.options import PATH

if TYPE_CHECKING:
    from measures.gradient_matching import MatchedWeights
    from measures.native_weights import NativeWeights
    from measures.published_trainers import PublishedTrainer
    from measures.sampled_values import SampledValues
    from tuner.converting.compared_losses import NativeSizes

_NUM_WEIGHTS = 3


@click.command(
    # A negative weight looks like an option; it is told apart in `_weights_of`.
    context_settings={"ignore_unknown_options": True},
    epilog="Example: styletuner weights convert --from lengstrom 7.5 100 200 --style painting.jpg --photos photos/",
)
@click.option("--from", "trainer_name", required=True, metavar="TRAINER", help="Whose weights: see docs/trainers.md.")
@click.option("--style", type=PATH, help="The style image.")
@click.option("--photos", type=PATH, multiple=True, help="Folder, file or .zip of content photos; may be repeated.")
@click.option(
    "--config",
    "source",
    metavar="CONFIG|PRESET",
    default="quick",
    show_default=True,
    help="Whose loss the weights are wanted for: its loss network, layers and sizes.",
)
@click.option("--crop-size", type=click.IntRange(min=2), help="The trainer's crops in pixels.  [default: its own]")
@click.option("--batch-size", type=click.IntRange(min=1), help="Its pictures in a batch.  [default: its own]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.argument("weights", nargs=-1, metavar="[CONTENT STYLE TV]")
def convert(
    trainer_name: str,
    style: Path | None,
    photos: tuple[Path, ...],
    source: str,
    crop_size: int | None,
    batch_size: int | None,
    as_json: bool,
    weights: tuple[str, ...],
) -> None:
    """Say what CONTENT STYLE TV, as another trainer's command line takes them, are in our loss.

    Without weights, the trainer's published ones. Each term shall pull at the pixels of painted-looking pictures as
    hard, relative to the content loss, as the trainer's does; the cosine says how alike both losses are.
    """
    from measures.published_trainers import check_weights
    from tuner.command_line.configuration_options import ConfigurationFlags
    from tuner.configuration.loading import load_config
    from tuner.converting.trainer_names import find_trainer
    from tuner.installation.environment import load_networks
    from tuner.running.preparation import find_pictures

    trainer = find_trainer(trainer_name)
    native = _weights_of(trainer, weights)
    check_weights(trainer, native)
    flags = ConfigurationFlags(style=style, photos=photos, seed=None, weights_source=None, settings=())
    wanted = load_config(source, overrides=flags.overrides({}))
    config, pictures = find_pictures(wanted, say=_say)
    load_networks()
    from measures.sampled_values import SampledValues
    from tuner.configuration.network_checks import check_networks
    from tuner.converting.compared_losses import NativeSizes, compare_losses
    from tuner.converting.conversion_words import beyond_in_words

    check_networks(config)
    sizes = NativeSizes.of(trainer, crop_size=crop_size, batch_size=batch_size)
    compared = compare_losses(config, pictures, trainer, sizes=sizes, report=_say)
    matched = compared.to_own(native)
    values = SampledValues(style_to_content=matched.weights["style"], tv_to_content=matched.weights["total_variation"])
    if as_json:
        found = _as_dict(trainer, native, sizes, values, matched, compared.num_pictures)
        click.echo(json.dumps({**found, "config": source}, indent=2))
    else:
        _echo(trainer, native, sizes, values, matched, compared.num_pictures)
        for line in beyond_in_words(values, config.search):
            click.echo(line)


def _weights_of(trainer: "PublishedTrainer", texts: tuple[str, ...]) -> "NativeWeights":
    """Return the weights that were typed, or the trainer's published ones where none were."""
    from measures.native_weights import NativeWeights

    if not texts:
        return trainer.published
    numbers = [_number(text) for text in texts]
    if len(numbers) != _NUM_WEIGHTS:
        raise click.UsageError(
            f"CONTENT STYLE TV are three weights, or none for the published ones. Received {len(numbers)}."
        )
    content, style, variation = numbers
    return NativeWeights(content=content, style=style, total_variation=variation)


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        if text.startswith("-"):
            raise click.NoSuchOption(text) from None
        raise click.UsageError(f"CONTENT STYLE TV are numbers. Received {text!r}.") from None


def _as_dict(
    trainer: "PublishedTrainer",
    native: "NativeWeights",
    sizes: "NativeSizes",
    values: "SampledValues",
    matched: "MatchedWeights",
    num_pictures: int,
) -> dict[str, Any]:
    from measures.gradient_matching import Nearness
    from tuner.converting.conversion_words import why_approximate

    reasons = why_approximate(trainer, matched)
    nearness = Nearness.of(matched.cosine, reasons=reasons)
    return {
        "trainer": trainer.name,
        "native_weights": native.to_dict(),
        "crop_size": sizes.crop_size,
        "batch_size": sizes.batch_size,
        **values.to_dict(),
        "weights": values.loss_weights().to_dict(),
        "cosine": matched.cosine,
        "lowest_cosine": matched.lowest_cosine,
        "term_cosines": matched.term_cosines,
        "pictures": num_pictures,
        "nearness": nearness.value,
        "approximate": nearness is not Nearness.SAME,
        "reasons": reasons,
    }


def _echo(
    trainer: "PublishedTrainer",
    native: "NativeWeights",
    sizes: "NativeSizes",
    values: "SampledValues",
    matched: "MatchedWeights",
    num_pictures: int,
) -> None:
    from measures.loss_weights import weights_in_words
    from tuner.converting.conversion_words import nearness_in_words

    click.echo(
        f"{trainer.name}: {weights_in_words(native.to_dict())}; crops of {sizes.crop_size} px in batches of "
        f"{sizes.batch_size}"
    )
    click.echo(f"style : content {values.style_to_content:.3g}, tv : content {values.tv_to_content:.3g}")
    click.echo(f"weights: {weights_in_words(values.loss_weights().to_dict())}")
    click.echo(nearness_in_words(trainer, matched, num_pictures=num_pictures))


def _say(text: str) -> None:
    click.echo(text, err=True)
