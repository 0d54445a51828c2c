"""The losses of published trainers as terms of ours: their conventions become one constant for each layer.

What is summed and what is divided by what is in `measures.published_trainers`, read in each trainer's source. A term
here has the trainer's constants in place of shares, and references of 1.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Final

from keras import ops

from measures.native_weights import native_references
from measures.published_trainers import GramScale, PublishedTrainer, VariationForm
from measures.style_tilt import tilted_layers
from objectives.training.losses import (
    PIXELS,
    LossInputs,
    LossTerm,
    content_distance,
    mean_square,
    neighbour_differences,
    style_distance,
)
from objectives.training.references import LossReferences

Tensor = Any

_CHANNELS: Final = 3


def native_terms(
    trainer: PublishedTrainer, *, channels: Mapping[str, int], crop_size: int, batch_size: int, tilt: float = 0.0
) -> tuple[LossTerm, ...]:
    """Return the terms of a trainer's loss, each to be multiplied by its own weight, in the order of `TERMS`.

    Args:
        trainer: Whose loss.
        channels: Channels of each style layer in the loss network.
        crop_size: Side of the trainer's crops in pixels; sums over pixels grow with it.
        batch_size: Its pictures in a batch; sums over the batch grow with it.
        tilt: By which its style layers are weighed, as `measures.style_tilt` has it; it has none unless it is told.
    """
    tilted = tilted_layers(trainer.style_layers, tilt)
    style = {layer: factor * tilted[layer] for layer, factor in style_factors(trainer, channels=channels).items()}
    terms = [
        LossTerm(name="content", layers={trainer.content_layer: 1.0}, measure=content_distance),
        LossTerm(name="style", layers=style, measure=style_distance),
    ]
    if trainer.has_variation:
        factor = variation_factor(trainer, crop_size=crop_size, batch_size=batch_size)
        terms.append(LossTerm(name="total_variation", layers={PIXELS: factor}, measure=_variation_of(trainer)))
    return tuple(terms)


def family_references(
    references: LossReferences, trainer: PublishedTrainer, *, channels: Mapping[str, int]
) -> LossReferences:
    """Return references with which our loss shares among its style layers as a trainer's does.

    Content has one layer in all trainers, and total variation none: their references stay as they are.

    Args:
        references: As measured with the trainer's loss network and layers.
        trainer: Whose family.
        channels: Channels of each style layer in the loss network.
    """
    style = native_references(style_factors(trainer, channels=channels), references.style)
    return replace(references, style=style)


def unit_references(terms: tuple[LossTerm, ...]) -> dict[str, dict[str, float]]:
    """Return references of 1: a trainer divides by none."""
    return {term.name: dict.fromkeys(term.layers, 1.0) for term in terms}


def style_factors(trainer: PublishedTrainer, *, channels: Mapping[str, int]) -> dict[str, float]:
    """Return the constant of each style layer: its distance of Gram matrices over ours.

    Ours divides Gram matrices by height x width x channels; without the channels a matrix is larger by their number,
    and a squared distance by its square.
    """
    per_position = trainer.gram_scale is GramScale.POSITIONS
    return {
        layer: trainer.style_share * (channels[layer] ** 2 if per_position else 1.0) for layer in trainer.style_layers
    }


def variation_factor(trainer: PublishedTrainer, *, crop_size: int, batch_size: int) -> float:
    """Return the constant of the total variation: what it counts, over the means that are measured of each picture."""
    counted = {
        VariationForm.NONE: 0,
        VariationForm.MEAN_OF_SQUARES: 1,
        # Pixels of the last row and column have no neighbour below and to the right: neither difference is taken.
        VariationForm.SUM_OF_SQUARES: batch_size * _CHANNELS * (crop_size - 1) ** 2,
        VariationForm.SUM_OF_ABSOLUTES: _CHANNELS * crop_size * (crop_size - 1),
    }
    return trainer.variation_factor * counted[trainer.variation]


def _variation_of(trainer: PublishedTrainer) -> Any:
    form, pixel_range = trainer.variation, trainer.pixel_range

    def measure(inputs: LossInputs, layer: str) -> Tensor:
        pictures = inputs.outputs[layer] * ops.convert_to_tensor(pixel_range, dtype="float32")
        vertical, horizontal = neighbour_differences(pictures)
        if form is VariationForm.SUM_OF_ABSOLUTES:
            return _mean_absolute(vertical) + _mean_absolute(horizontal)
        if form is VariationForm.SUM_OF_SQUARES:
            return mean_square(vertical[:, :, :-1]) + mean_square(horizontal[:, :-1])
        return mean_square(vertical) + mean_square(horizontal)

    return measure


def _mean_absolute(values: Tensor) -> Tensor:
    return ops.mean(ops.abs(values), axis=tuple(range(1, values.ndim)))
