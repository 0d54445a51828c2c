"""How a full training ends where its loss diverges."""

from collections.abc import Iterator
from contextlib import contextmanager

from objectives.errors import DivergedError
from tuner.finished.training_plan import TrainingPlan


@contextmanager
def divergence_explained(plan: TrainingPlan) -> Iterator[None]:
    """Say what to change where training diverges."""
    try:
        yield
    except DivergedError as error:
        checkpoint = plan.files.checkpoint
        deletion = f", delete {checkpoint}" if checkpoint.exists() else ""
        raise DivergedError(
            f"Training {error}.\nLower `weights.style` or `configuration.full_training.learning_rate` in "
            f"{plan.exported.path}{deletion} and train again."
        ) from error
