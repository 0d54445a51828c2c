"""Whose loss a study trains with: its own, which shares equally among the style layers, or a published trainer's."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from measures.published_trainers import TRAINERS
from objectives.training.native_losses import family_references
from objectives.training.references import LossReferences
from tuner.configuration.training_sections import LossSection


def in_family(
    references: LossReferences, loss: LossSection, *, style_grams: Mapping[str, NDArray[np.float32]]
) -> LossReferences:
    """Return what a study's losses are divided by: as measured, or so that style layers share as its trainer's do.

    Args:
        references: As measured.
        loss: Names the trainer, and its layers; or none.
        style_grams: Gram matrix of the style image by style layer, (channels, channels).
    """
    if loss.trainer is None:
        return references
    channels = {layer: len(gram) for layer, gram in style_grams.items()}
    return family_references(references, TRAINERS[loss.trainer], channels=channels)
