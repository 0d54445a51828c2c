"""Full training from an exported config: the finished network."""

import time
from collections.abc import Callable, Iterator, Sequence
from typing import Final, final

import numpy as np

from groundwork.errors import OutputError
from groundwork.interrupts import HeldInterrupts
from measures.sampled_values import SampledValues
from models.pictures.datasets import MIN_TRAINING_PHOTOS, FreshCrops, draw_crops, large_enough
from models.pictures.images import read_style_image
from models.pictures.photos import Photo
from objectives.training.checkpoints import Checkpoint, read_checkpoint, write_checkpoint
from objectives.training.references import LossReferences, measure_references, style_targets
from objectives.training.trainer import Batch, StyleTrainer
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.finished.saving import save_network
from tuner.finished.training_plan import TrainingPlan
from tuner.finished.training_watch import check_finite, divergence_explained, losses_line
from tuner.search.resources import REFERENCE_CROPS, build_loss_network, build_network
from tuner.search.study_pictures import StudyPictures, open_pictures

REPORT_EVERY: Final = 400
"""Images between two lines about the losses."""


def train_fully(plan: TrainingPlan, *, report: Callable[[str], None]) -> None:
    """Train a finished network on fresh crops, resuming from its checkpoint if there is one.

    Style targets and loss references are measured again at full training's sizes. All photos are trained on but those
    that the study held out. A network that is finished already is left as it is.

    Raises:
        ConfigError: Too few photos remain, or the checkpoint is of another training or further on than asked for.
        CheckpointError: The checkpoint cannot be read.
        OutputError: The output is another training's network, or cannot be written; says what is kept.
        DivergedError: The loss is not finite any more.
        KeyboardInterrupt: After a checkpoint has been written, if training had begun.
    """
    pictures = open_pictures(_with_nothing_held_out(plan.config))
    identity = plan.identity(pictures)
    if plan.files.finished(identity=identity, images=_num_images(plan.config)) is not None:
        report(f"{plan.files.network} is finished already, by this very training.")
        return
    if pictures.collection.skipped:
        report(pictures.collection.describe_skipped())
    photos = _training_photos(plan, pictures, report=report)
    checkpoint = _find_checkpoint(plan, identity=identity)
    report(f"{len(photos)} photos to train on; measuring references at {plan.config.full_training.crop_size} px")
    trainer, references = _start_trainer(plan, pictures, photos)
    run = _Run(plan, trainer, identity=identity, report=report)
    if checkpoint is not None:
        run.go_on_from(checkpoint)
    with divergence_explained(plan):
        run.train(_fresh_crops(plan.config, pictures, photos))
    run.save(references)


def _num_images(config: StudyConfig) -> int:
    """Images that a network is trained on: those asked for, in whole batches."""
    settings = config.full_training
    return -(-settings.images // settings.batch_size) * settings.batch_size


def _find_checkpoint(plan: TrainingPlan, *, identity: str) -> Checkpoint | None:
    """Return what an interrupted run of this training left, if there is anything."""
    path, images = plan.files.checkpoint, _num_images(plan.config)
    if not path.exists():
        return None
    checkpoint = read_checkpoint(path)
    if checkpoint.identity != identity:
        raise ConfigError(
            f"Checkpoint {path} belongs to another training (weights, pictures or settings differ).\n"
            "Choose another --output, or delete the checkpoint."
        )
    if checkpoint.seen > images:
        raise ConfigError(
            f"Checkpoint {path} has seen {checkpoint.seen} images already, more than the {images} that are asked for.\n"
            f"Ask for --images {checkpoint.seen} or more, or choose another --output. It is kept."
        )
    return checkpoint


@final
class _Run:
    """A full training in parts, each of which ends with a line about the losses and, in time, a checkpoint."""

    def __init__(
        self, plan: TrainingPlan, trainer: StyleTrainer, *, identity: str, report: Callable[[str], None]
    ) -> None:
        self._plan = plan
        self._path = plan.files.checkpoint
        self._trainer = trainer
        self._identity = identity
        self._report = report
        self._images = _num_images(plan.config)
        self._seen = self._kept = 0

    def go_on_from(self, checkpoint: Checkpoint) -> None:
        """Put the training where a checkpoint left it."""
        state = self._trainer.state()
        if [array.shape for array in checkpoint.state] != [array.shape for array in state]:
            raise ConfigError(
                f"Checkpoint {self._path} was written by another version of styletuner.\n"
                "Go on with it in that version, or delete it to start over."
            )
        self._trainer.restore(list(checkpoint.state))
        self._seen = self._kept = checkpoint.seen
        self._report(f"resuming from {self._path} at {self._seen} of {self._images} images")

    def train(self, crops: FreshCrops) -> None:
        """Train from where the checkpoint left off to the wanted number of images, and leave a checkpoint there."""
        settings = self._plan.config.full_training
        num_batches = self._images // crops.batch_size
        part = max(1, min(REPORT_EVERY, settings.checkpoint_every) // crops.batch_size)
        started, begun = time.monotonic(), self._seen
        with HeldInterrupts() as interrupts:

            def on_batch(num_images: int) -> None:
                self._seen += num_images
                try:
                    interrupts.check()
                except KeyboardInterrupt:
                    self._keep()
                    raise

            for first in range(self._seen // crops.batch_size, num_batches, part):
                batches = _online(crops, first, min(part, num_batches - first))
                losses = self._trainer.train(batches, on_batch=on_batch)
                speed = (self._seen - begun) / (time.monotonic() - started)
                self._report(losses_line(self._seen, self._images, losses) + f"  {speed:.1f} images/s")
                if self._seen - self._kept >= settings.checkpoint_every or self._seen == self._images:
                    self._keep_if_possible()

    def save(self, references: LossReferences) -> None:
        """Write the finished network, which needs no checkpoint any more."""
        try:
            save_network(self._plan, self._trainer, references=references, identity=self._identity, images=self._seen)
        except OSError as error:
            raise self._unwritten(f"The network {self._plan.files.network}", error) from error
        self._path.unlink(missing_ok=True)

    def _keep(self) -> None:
        try:
            self._write_checkpoint()
        except OSError as error:
            raise self._unwritten(f"Checkpoint {self._path}", error) from error

    def _keep_if_possible(self) -> None:
        """A disk that is full now may have space for the network in the end, or by the next checkpoint."""
        try:
            self._write_checkpoint()
        except OSError as error:
            kept = f"the one of {self._kept} images is kept" if self._kept else "there is none yet"
            self._report(
                f"Checkpoint {self._path} cannot be written: {error.strerror or error}. Training goes on; {kept}."
            )

    def _write_checkpoint(self) -> None:
        check_finite(self._trainer)
        write_checkpoint(self._path, self._trainer.state(), seen=self._seen, identity=self._identity)
        self._kept = self._seen

    def _unwritten(self, what: str, error: OSError) -> OutputError:
        then = f"goes on at {self._kept} of {self._images} images" if self._kept else "begins anew"
        return OutputError(
            f"{what} cannot be written: {error.strerror or error}. Free some space or mend access; the same command "
            f"then {then}."
        )


def _fresh_crops(config: StudyConfig, pictures: StudyPictures, photos: Sequence[Photo]) -> FreshCrops:
    settings = config.full_training
    return FreshCrops(
        pictures.collection, photos, batch_size=settings.batch_size, size=settings.crop_size, seed=config.seed
    )


def _online(crops: FreshCrops, start: int, num_batches: int) -> Iterator[Batch]:
    for photos in crops.batches(start=start, num_batches=num_batches):
        yield photos, {}


def _with_nothing_held_out(config: StudyConfig) -> StudyConfig:
    """Full training scores nothing: which photos stay out says the study's export."""
    held_out = config.data.held_out.model_copy(update={"rung": 0, "calibration": 0, "report": 0})
    return config.model_copy(update={"data": config.data.model_copy(update={"held_out": held_out})})


def _training_photos(
    plan: TrainingPlan, pictures: StudyPictures, *, report: Callable[[str], None]
) -> tuple[Photo, ...]:
    """Return the photos that the study did not hold out and that are no smaller than full training's crops."""
    usable, size = pictures.split.training, plan.config.full_training.crop_size
    photos, remark = large_enough([photo for photo in usable if photo.sha256 not in plan.held_out], size=size)
    if len(photos) < MIN_TRAINING_PHOTOS:
        raise ConfigError(
            f"`--photos` must hold at least {MIN_TRAINING_PHOTOS} photos of {size} px or more that study "
            f"{plan.exported.study!r} did not hold out. Received {len(photos)} of {len(usable)}. Add others, or lower "
            "`--crop-size`."
        )
    if remark:
        report(remark)
    return photos


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
