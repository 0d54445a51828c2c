"""Training from an exported config: the finished network, or the trial's own short run once more."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, Final, final

import numpy as np
import yaml

from groundwork.whole_files import written_whole
from measures.loss_weights import TERM_LABELS, LossWeights
from measures.quality import Quality
from measures.sampled_values import SampledValues
from measures.versions import JUDGE_VERSION
from models.pictures.datasets import MIN_TRAINING_PHOTOS, FreshCrops, draw_crops
from models.pictures.images import read_style_image
from models.pictures.photos import Photo
from objectives.errors import DivergedError
from objectives.training.checkpoints import DeferredInterrupt, restore_checkpoint, write_checkpoint
from objectives.training.references import LossReferences, measure_references, style_targets
from objectives.training.trainer import Batch, StyleTrainer, TrainingLosses
from studies.records.exported_config import ExportedConfig
from tuner.configuration.identity import digest, hashed_values
from tuner.configuration.loading import given, merge, validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.installation.versions import versions
from tuner.search.resources import REFERENCE_CROPS, StudyResources, build_loss_network, build_network
from tuner.search.study_pictures import StudyPictures, open_pictures
from tuner.search.study_scale import SettleScale, as_measured, require_same_scale, scale_of

REPORT_EVERY: Final = 400
"""Images between two lines about the losses."""


@final
@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """What to train, from an exported config and the command's flags.

    Attributes:
        exported: What the study exported.
        config: The study's configuration, with the style image and photos to train on.
        weights: The chosen loss weights.
        output: Where the finished network goes, a .keras file.
    """

    exported: ExportedConfig
    config: StudyConfig
    weights: LossWeights
    output: Path

    def __post_init__(self) -> None:
        if self.output.suffix != ".keras" or self.output.is_dir():
            raise ConfigError(f"`--output` must be a file that ends in .keras. Received {self.output}.")
        inputs = {path.resolve() for path in (self.exported.path, self.exported.style_path)}
        for path in (self.output, self.record, self.checkpoint):
            if path.resolve() in inputs:
                raise ConfigError(
                    f"`--output` {self.output} would overwrite {path}, which it is made from. Rename one."
                )

    @property
    def checkpoint(self) -> Path:
        """File that an interrupted training resumes from; removed at the end."""
        return self.output.with_suffix(".checkpoint.npz")

    @property
    def record(self) -> Path:
        """File that says what the finished network was trained with."""
        return self.output.with_suffix(".training.yaml")

    @property
    def held_out(self) -> frozenset[str]:
        """Hashes of the photos that the study kept from training."""
        return self.exported.photos.held_out

    def make_folder(self) -> None:
        """Make the output's folder, before hours of training rather than after.

        Raises:
            ConfigError: It cannot be made.
        """
        try:
            self.output.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(
                f"The folder of `--output` {self.output} cannot be made: {error.strerror}. Choose another."
            ) from error


def repeat_trial(plan: TrainingPlan, *, report: Callable[[str], None]) -> Quality:
    """Train just as the study's trial did, as far as it came, save the network, and score it on the rung photos.

    Returns:
        The quality, which equals the trial's on the same machine, with the same version of the judge.

    Raises:
        ConfigError: The photos are not the study's, or the trial was not scored at one of the study's rungs.
        DivergedError: The loss is not finite any more.
    """
    plan.make_folder()
    pictures = open_pictures(plan.config)
    rungs = _trial_rungs(plan, pictures)
    if plan.exported.judge_version != JUDGE_VERSION:
        report(
            f"The judge is version {JUDGE_VERSION}, the trial was scored by version {plan.exported.judge_version}: "
            "the two qualities cannot be compared."
        )
    resources = StudyResources(plan.config, pictures, report=report, settle=_settle_as_exported(plan.exported))
    resources.start(SampledValues.of_weights(plan.weights))
    seen = 0
    with _divergence_explained(plan):
        for rung in rungs:
            losses = resources.trainer.train(resources.batches(seen, rung))
            seen = rung
            report(_losses_line(seen, rungs[-1], losses))
        _check_finite(resources.trainer)
    quality = resources.rung.judge.score(list(resources.paint()))
    _save(plan, resources.trainer, references=resources.scale.references, images=seen)
    return quality


def _settle_as_exported(exported: ExportedConfig) -> SettleScale:
    """Divide the losses by what the study divided them by."""
    stored = scale_of(exported.references, exported.identity.get("loss_network"))
    if stored is None:
        return as_measured
    return partial(require_same_scale, stored, owner=f"Study {exported.study!r} ({exported.path})")


def _trial_rungs(plan: TrainingPlan, pictures: StudyPictures) -> list[int]:
    """Return the rungs that the exported trial reached."""
    exported = plan.exported
    if exported.identity.get("photos_digest") != pictures.collection.digest:
        raise ConfigError(
            f"The photos are not those of study {exported.study!r} ({exported.path}). "
            "--repeat-trial needs the same: put them back, or name them with --photos."
        )
    rungs = [rung for rung in plan.config.rungs if rung <= exported.images_seen]
    if not rungs or rungs[-1] != exported.images_seen:
        known = ", ".join(map(str, plan.config.rungs))
        raise ConfigError(
            f"`images_seen` in {exported.path} must be one of the rungs {known}. Received {exported.images_seen}. "
            "Export the trial again."
        )
    return rungs


def train_fully(plan: TrainingPlan, *, report: Callable[[str], None]) -> None:
    """Train a finished network on fresh crops, resuming from its checkpoint if there is one.

    Style targets and loss references are measured again at full training's sizes. All photos are trained on but those
    that the study held out.

    Raises:
        ConfigError: Too few photos remain.
        CheckpointError: The checkpoint belongs to another training.
        DivergedError: The loss is not finite any more.
        KeyboardInterrupt: After a checkpoint has been written, if training had begun.
    """
    plan.make_folder()
    settings = plan.config.full_training
    pictures = open_pictures(_with_nothing_held_out(plan.config))
    if pictures.collection.skipped:
        report(pictures.collection.describe_skipped())
    photos = _training_photos(plan, pictures)
    report(f"{len(photos)} photos to train on; measuring references at {settings.crop_size} px")
    trainer, references = _start_trainer(plan, pictures, photos)
    run = _Run(plan, trainer, identity=_identity(plan, pictures), report=report)
    crops = FreshCrops(
        pictures.collection,
        photos,
        batch_size=settings.batch_size,
        size=settings.crop_size,
        seed=plan.config.seed,
    )
    with _divergence_explained(plan):
        run.train(crops)
        _check_finite(trainer)
    _save(plan, trainer, references=references, images=settings.images)
    plan.checkpoint.unlink(missing_ok=True)


@final
class _Run:
    """A full training in parts, each of which ends with a line about the losses and, in time, a checkpoint."""

    def __init__(
        self, plan: TrainingPlan, trainer: StyleTrainer, *, identity: str, report: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._trainer = trainer
        self._identity = identity
        self._report = report
        self._images = plan.config.full_training.images
        self._seen = restore_checkpoint(plan.checkpoint, trainer, identity=identity)
        self._kept = self._seen
        if self._seen:
            report(f"resuming from {plan.checkpoint} at {self._seen} of {self._images} images")

    def train(self, crops: FreshCrops) -> None:
        """Train from where the checkpoint left off to the wanted number of images."""
        settings = self._plan.config.full_training
        num_batches = -(-self._images // crops.batch_size)
        part = max(1, min(REPORT_EVERY, settings.checkpoint_every) // crops.batch_size)
        started, begun = time.monotonic(), self._seen
        with DeferredInterrupt() as interrupt:

            def on_batch(num_images: int) -> None:
                self._seen += num_images
                if interrupt.noted:
                    self._keep()
                    raise KeyboardInterrupt

            for first in range(self._seen // crops.batch_size, num_batches, part):
                batches = _online(crops, first, min(part, num_batches - first))
                losses = self._trainer.train(batches, on_batch=on_batch)
                speed = (self._seen - begun) / (time.monotonic() - started)
                self._report(_losses_line(self._seen, self._images, losses) + f"  {speed:.1f} images/s")
                if self._seen - self._kept >= settings.checkpoint_every:
                    self._keep()

    def _keep(self) -> None:
        _check_finite(self._trainer)
        write_checkpoint(self._plan.checkpoint, self._trainer, seen=self._seen, identity=self._identity)
        self._kept = self._seen


def _online(crops: FreshCrops, start: int, num_batches: int) -> Iterator[Batch]:
    for photos in crops.batches(start=start, num_batches=num_batches):
        yield photos, {}


def _losses_line(seen: int, images: int, losses: TrainingLosses) -> str:
    terms = "  ".join(f"{label} {losses[term]:.3f}" for term, label in TERM_LABELS.items())
    return f"{seen}/{images} images  {terms}"


def _with_nothing_held_out(config: StudyConfig) -> StudyConfig:
    """Full training scores nothing: which photos stay out says the study's export."""
    held_out = config.data.held_out.model_copy(update={"rung": 0, "calibration": 0, "report": 0})
    return config.model_copy(update={"data": config.data.model_copy(update={"held_out": held_out})})


def _training_photos(plan: TrainingPlan, pictures: StudyPictures) -> tuple[Photo, ...]:
    usable = pictures.split.training
    photos = tuple(photo for photo in usable if photo.sha256 not in plan.held_out)
    if len(photos) < MIN_TRAINING_PHOTOS:
        raise ConfigError(
            f"`--photos` must hold at least {MIN_TRAINING_PHOTOS} photos that study {plan.exported.study!r} did not "
            f"hold out. Received {len(photos)} of {len(usable)}. Add others."
        )
    return photos


@contextmanager
def _divergence_explained(plan: TrainingPlan) -> Iterator[None]:
    try:
        yield
    except DivergedError as error:
        checkpoint = f", delete {plan.checkpoint}" if plan.checkpoint.exists() else ""
        raise DivergedError(
            f"Training {error}.\nLower `weights.style` or `configuration.full_training.learning_rate` in "
            f"{plan.exported.path}{checkpoint} and train again."
        ) from error


def _check_finite(trainer: StyleTrainer) -> None:
    """The last step may break what its loss, computed before it, could not show."""
    if not all(np.isfinite(weight).all() for weight in trainer.network.get_weights()):
        raise DivergedError("diverged: the network's weights are not finite")


def _start_trainer(
    plan: TrainingPlan, pictures: StudyPictures, photos: Sequence[Photo]
) -> tuple[StyleTrainer, LossReferences]:
    """Return a trainer at the beginning of the run, and the references measured at full training's sizes."""
    config, settings = plan.config, plan.config.full_training
    loss_network = build_loss_network(config)
    style = read_style_image(pictures.style_path, size=settings.style_size)
    grams = style_targets(loss_network, style, layers=config.loss.style_layers)
    crops = draw_crops(
        pictures.collection, photos, num_crops=REFERENCE_CROPS, size=settings.crop_size, seed=config.seed
    )
    references = measure_references(
        loss_network, crops.astype(np.float32) / 255.0, grams, content_layers=config.loss.content_layers
    )
    trainer = StyleTrainer(
        build_network(config, precision=settings.precision),
        loss_network,
        content_layers=config.loss.content_layers,
        style_layers=config.loss.style_layers,
        learning_rate=settings.learning_rate,
        precision=settings.precision,
    )
    trainer.start(SampledValues.of_weights(plan.weights), style_targets=grams, references=references)
    return trainer, references


def _identity(plan: TrainingPlan, pictures: StudyPictures) -> str:
    """What a checkpoint must share with the training that resumes from it; the number of images may grow."""
    settings = plan.config.full_training.model_dump(mode="json", exclude={"images", "checkpoint_every"})
    return digest(
        {
            "configuration": hashed_values(plan.config),
            "full_training": settings,
            "weights": plan.weights.to_dict(),
            "held_out": sorted(plan.held_out),
            **pictures.identity(),
        }
    )


def _save(plan: TrainingPlan, trainer: StyleTrainer, *, references: LossReferences, images: int) -> None:
    """Write the averaged network in float32, and beside it what it was trained with."""
    network = build_network(plan.config, precision="float32")
    with trainer.averaged() as averaged:
        network.set_weights(averaged.get_weights())
    with written_whole(plan.output) as temporary:
        network.save(temporary)
    record: dict[str, Any] = {
        "weights": plan.weights.to_dict(),
        "references": references.to_dict(),
        "images": images,
        "configuration": plan.config.model_dump(mode="json"),
        "versions": versions(),
    }
    with written_whole(plan.record) as temporary:
        temporary.write_text(yaml.safe_dump(record, sort_keys=False), encoding="utf-8")


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
        ConfigError: A setting is out of range, the exported configuration does not fit this version, or a file that is
            to be written is one of those read.
    """
    overrides = {
        "style": str(exported.style_path),
        "photos": [str(path) for path in photos or exported.photos.paths],
        "full_training": given(sizes),
    }
    config = validate_config(merge(exported.configuration, overrides), source=str(exported.path))
    weights = LossWeights.normalised(**exported.weights.model_dump())
    return TrainingPlan(exported=exported, config=config, weights=weights, output=output)
