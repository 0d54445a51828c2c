"""Saving what was trained: the averaged network, and what it was trained with."""

from typing import Any

from groundwork.file_hashes import sha256_of
from objectives.training.references import LossReferences
from objectives.training.trainer import StyleTrainer
from tuner.finished.training_plan import TrainingPlan
from tuner.installation.versions import versions
from tuner.search.resources import build_network


def save_network(
    plan: TrainingPlan,
    trainer: StyleTrainer,
    *,
    references: LossReferences,
    identity: str,
    images: int,
    quality: float | None = None,
) -> None:
    """Write the averaged network in float32, and beside it what it was trained with.

    Args:
        plan: Where to.
        trainer: After its last step.
        references: What each loss was divided by, before style layers were tilted.
        identity: Of this training.
        images: It has seen.
        quality: Of a repeated trial.

    Raises:
        OSError: It cannot be written.
    """
    network = build_network(plan.config, precision="float32")
    with trainer.averaged() as averaged:
        network.set_weights(averaged.get_weights())
    record: dict[str, Any] = {
        "images": images,
        "identity": identity,
        **({} if quality is None else {"quality": quality}),
        "weights": plan.weights.to_dict(),
        "references": references.to_dict(),
        **({} if plan.start is None else {"start": {"file": plan.start.name, "sha256": sha256_of(plan.start)}}),
        "configuration": plan.config.model_dump(mode="json"),
        "versions": versions(),
    }
    plan.files.save(network, record)
