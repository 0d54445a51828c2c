"""What is said of a training on its way, and what its losses cannot show."""

import numpy as np

from measures.loss_weights import TERM_LABELS
from objectives.errors import DivergedError
from objectives.training.trainer import StyleTrainer, TrainingLosses


def losses_line(seen: int, images: int, losses: TrainingLosses) -> str:
    """One line about where a training is."""
    terms = "  ".join(f"{label} {losses[term]:.3f}" for term, label in TERM_LABELS.items())
    return f"{seen}/{images} images  {terms}"


def check_finite(trainer: StyleTrainer) -> None:
    """Look at what the last step may have broken and its loss, computed before it, could not show.

    Raises:
        DivergedError: A weight of the network is not finite.
    """
    if not all(np.isfinite(weight).all() for weight in trainer.network.get_weights()):
        raise DivergedError("diverged: the network's weights are not finite")
