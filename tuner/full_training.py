"""Training from an exported config: the finished network, or the trial's own short run once more."""

import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import yaml

from models.datasets import FreshCrops, draw_crops
from models.images import read_style_image
from objectives.loss_weights import LossWeights
from objectives.quality import Quality
from objectives.references import LossReferences, measure_references, style_targets
from objectives.training import Batch, StyleTrainer, TrainingLosses
from studies.export import ExportedConfig
from tuner.config import StudyConfig, digest, given, merge, validate_config
from tuner.errors import CheckpointError, ConfigError
from tuner.pictures import StudyPictures, open_pictures
from tuner.resources import REFERENCE_CROPS, StudyResources, build_loss_network, build_network
from tuner.study_setup import versions

REPORT_EVERY: Final = 400
"""Images between two lines about the losses."""


@final
@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """What to train, from an exported config and the command's flags.

    Attributes:
        config: The study's configuration, with the style image and photos to train on.
        weights: The chosen loss weights.
        output: Where the finished network goes, a .keras file.
    """

    config: StudyConfig
    weights: LossWeights
    output: Path

    def __post_init__(self) -> None:
        if self.output.suffix != ".keras":
            raise ConfigError(f"`--output` must end in .keras. Received {self.output}.")

    @property
    def checkpoint(self) -> Path:
        """File that an interrupted training resumes from; removed at the end."""
        return self.output.with_suffix(".checkpoint.npz")


def repeat_trial(plan: TrainingPlan, *, report: Callable[[str], None]) -> Quality:
    """Train just as the study's trial did, save the network, and score it on the rung photos.

    Returns:
        The quality, which equals the trial's on the same machine and photos.
    """
    resources = StudyResources(plan.config, open_pictures(plan.config), report=report)
    resources.trainer.start(plan.weights)
    seen = 0
    for rung in plan.config.rungs:
        losses = resources.trainer.train(resources.batches(seen, rung))
        seen = rung
        report(_losses_line(seen, plan.config.rungs[-1], losses))
    quality = resources.judge.score(list(resources.paint()))
    _save(plan, resources.trainer, references=resources.references, images=seen)
    return quality


def train_fully(plan: TrainingPlan, *, report: Callable[[str], None]) -> None:
    """Train a finished network on fresh crops, resuming from its checkpoint if there is one.

    Style targets and loss references are measured again at full training's sizes. Photos that the study held out stay
    held out.

    Raises:
        CheckpointError: The checkpoint belongs to another training.
        DivergedError: The loss is not finite any more.
    """
    settings = plan.config.full_training
    pictures = open_pictures(plan.config)
    if pictures.collection.skipped:
        report(pictures.collection.describe_skipped())
    report(f"measuring references at {settings.crop_size} px")
    trainer = _build_trainer(plan, pictures)
    trainer.start(plan.weights)
    crops = FreshCrops(
        pictures.collection,
        pictures.split.training,
        batch_size=settings.batch_size,
        size=settings.crop_size,
        seed=plan.config.seed,
    )
    identity = _identity(plan, pictures)
    seen = _resume(plan.checkpoint, trainer, identity=identity)
    if seen:
        report(f"resuming from {plan.checkpoint} at {seen} of {settings.images} images")
    _train_in_parts(plan, trainer, crops, seen=seen, identity=identity, report=report)
    _save(plan, trainer, references=trainer.references, images=settings.images)
    plan.checkpoint.unlink(missing_ok=True)


def _train_in_parts(
    plan: TrainingPlan,
    trainer: StyleTrainer,
    crops: FreshCrops,
    *,
    seen: int,
    identity: str,
    report: Callable[[str], None],
) -> None:
    settings = plan.config.full_training
    batch = settings.batch_size
    num_batches = -(-settings.images // batch)
    part = max(1, min(REPORT_EVERY, settings.checkpoint_every) // batch)
    last_checkpoint = seen
    started, begun = time.monotonic(), seen
    while seen < num_batches * batch:
        first = seen // batch
        count = min(part, num_batches - first)
        losses = trainer.train(_online(crops, first, count))
        seen += count * batch
        speed = (seen - begun) / (time.monotonic() - started)
        report(_losses_line(seen, settings.images, losses) + f"  {speed:.1f} images/s")
        if seen - last_checkpoint >= settings.checkpoint_every:
            _checkpoint(plan.checkpoint, trainer, seen=seen, identity=identity)
            last_checkpoint = seen


def _online(crops: FreshCrops, start: int, num_batches: int) -> Iterator[Batch]:
    for photos in crops.batches(start=start, num_batches=num_batches):
        yield photos, {}


def _losses_line(seen: int, images: int, losses: TrainingLosses) -> str:
    return (
        f"{seen}/{images} images  content {losses.content:.3f}  style {losses.style:.3f}  "
        f"total variation {losses.total_variation:.3f}"
    )


def _build_trainer(plan: TrainingPlan, pictures: StudyPictures) -> StyleTrainer:
    config, settings = plan.config, plan.config.full_training
    loss_network = build_loss_network(config)
    style = read_style_image(pictures.style_path, size=settings.style_size)
    grams = style_targets(loss_network, style, layers=config.loss.style_layers)
    crops = draw_crops(
        pictures.collection,
        pictures.split.training,
        num_crops=REFERENCE_CROPS,
        size=settings.crop_size,
        seed=config.seed,
    )
    references = measure_references(
        loss_network, crops.astype(np.float32) / 255.0, grams, content_layers=config.loss.content_layers
    )
    return StyleTrainer(
        build_network(config, precision=settings.precision),
        loss_network,
        style_grams=grams,
        references=references,
        learning_rate=settings.learning_rate,
        precision=settings.precision,
    )


def _identity(plan: TrainingPlan, pictures: StudyPictures) -> str:
    """What a checkpoint must share with the training that resumes from it; the number of images may grow."""
    settings = plan.config.full_training.model_dump(mode="json", exclude={"images", "checkpoint_every"})
    return digest(
        {
            "configuration": plan.config.defining_values(),
            "full_training": settings,
            "weights": plan.weights.to_dict(),
            **pictures.identity(),
        }
    )


def _checkpoint(path: Path, trainer: StyleTrainer, *, seen: int, identity: str) -> None:
    arrays: dict[str, Any] = {f"variable_{index:04}": value for index, value in enumerate(trainer.state())}
    with _written_whole(path) as temporary, temporary.open("wb") as stream:
        np.savez(stream, seen=np.array(seen), identity=np.array(identity), **arrays)


def _resume(path: Path, trainer: StyleTrainer, *, identity: str) -> int:
    """Restore a checkpoint; return the images it had seen, 0 without one."""
    if not path.exists():
        return 0
    try:
        with np.load(path) as stored:
            if str(stored["identity"]) != identity:
                raise CheckpointError(
                    f"Checkpoint {path} belongs to another training (weights, pictures or settings differ).\n"
                    "Choose another --output, or delete the checkpoint."
                )
            names = sorted(name for name in stored.files if name.startswith("variable_"))
            trainer.restore([stored[name] for name in names])
            return int(stored["seen"])
    except (OSError, ValueError, KeyError, EOFError) as error:
        if isinstance(error, CheckpointError):
            raise
        raise CheckpointError(f"Checkpoint {path} cannot be read: {error}. Delete it to start over.") from error


def _save(plan: TrainingPlan, trainer: StyleTrainer, *, references: LossReferences, images: int) -> None:
    """Write the network in float32, and beside it what it was trained with."""
    network = build_network(plan.config, precision="float32")
    network.set_weights(trainer.network.get_weights())
    plan.output.parent.mkdir(parents=True, exist_ok=True)
    with _written_whole(plan.output) as temporary:
        network.save(temporary)
    record: dict[str, Any] = {
        "weights": plan.weights.to_dict(),
        "references": references.to_dict(),
        "images": images,
        "configuration": plan.config.model_dump(mode="json"),
        "versions": versions(),
    }
    with _written_whole(plan.output.with_suffix(".yaml")) as temporary:
        temporary.write_text(yaml.safe_dump(record, sort_keys=False), encoding="utf-8")


@contextmanager
def _written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to; what was written appears under its name only when the block ends well."""
    with tempfile.TemporaryDirectory(dir=path.parent, prefix=".writing-") as folder:
        temporary = Path(folder) / path.name
        yield temporary
        temporary.replace(path)


def plan_training(
    exported: ExportedConfig, *, output: Path, photos: Sequence[Path], sizes: Mapping[str, int | None]
) -> TrainingPlan:
    """Put an exported config and the command's flags together.

    Args:
        exported: What `study export` wrote.
        output: The network to write, a .keras file.
        photos: Photos to train on; the study's own where empty.
        sizes: Settings of full training that are given; None means not given.

    Raises:
        ConfigError: A setting is out of range, or the exported configuration does not fit this version.
    """
    overrides = {
        "style": str(exported.style_image),
        "photos": [str(path) for path in photos or exported.photos["paths"]],
        "full_training": given(sizes),
    }
    config = validate_config(merge(exported.configuration, overrides), source=str(exported.path))
    return TrainingPlan(config=config, weights=LossWeights.normalised(**exported.weights), output=output)
