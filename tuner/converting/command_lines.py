"""The command line with which a published trainer is given converted weights."""

import shlex
from collections.abc import Mapping
from pathlib import PurePath

from measures.published_trainers import PublishedTrainer
from measures.style_tilt import tilted_layers


def command_line(
    trainer: PublishedTrainer, weights: Mapping[str, float], *, style: str, style_size: int, tilt: float = 0.0
) -> str:
    """Return the trainer's training command with these weights; what is in capitals is the user's own.

    Args:
        trainer: Whose command.
        weights: By term of its loss.
        style: Path of the style image.
        style_size: Its side in pixels at the trainer's crops.
        tilt: Of the weights of its style layers; of a trainer that takes one weight for all it is left out.
    """
    command = trainer.command.format(style=shlex.quote(style), style_name=shlex.quote(PurePath(style).name))
    options = {term: option.format(weight=f"{weights[term]:.4g}") for term, option in trainer.weight_options.items()}
    if tilt and trainer.layers_option:
        by_layer = tilted_layers(trainer.style_layers, tilt)
        shown = {layer: f"{weights['style'] * share:.4g}" for layer, share in by_layer.items()}
        options["style"] = trainer.layers_option.format(**shown)
    size = [trainer.style_size_option.format(size=style_size)] if trainer.style_size_option else []
    return " ".join([command, *size, *options.values()])


def scaled_style_size(style_size: int, *, crop_size: int, native_crop_size: int) -> int:
    """Return the side of the style image that is to a trainer's crops what it is to the study's: strokes as large."""
    return round(style_size * native_crop_size / crop_size)
