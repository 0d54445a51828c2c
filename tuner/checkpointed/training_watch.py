"""What is said of a training on its way, and what its losses cannot show."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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


@contextmanager
def divergence_explained(checkpoint: Path, *, lower: str) -> Iterator[None]:
    """Say what to change where training diverges.

    Args:
        checkpoint: What the training would go on from.
        lower: What to lower, in words.
    """
    try:
        yield
    except DivergedError as error:
        deletion = f", delete {checkpoint}" if checkpoint.exists() else ""
        raise DivergedError(f"Training {error}.\nLower {lower}{deletion} and train again.") from error
