"""Full training from an exported config: the finished network."""

from collections.abc import Callable, Iterator, Sequence
from functools import partial

import numpy as np

from measures.sampled_values import SampledValues
from models.pictures.datasets import MIN_TRAINING_PHOTOS, FreshCrops, draw_crops, large_enough
from models.pictures.images import read_style_image
from models.pictures.photos import Photo
from objectives.training.references import LossReferences, measure_references, style_targets
from objectives.training.trainer import Batch, StyleTrainer
from tuner.checkpointed.checkpointed_run import CheckpointedRun, RunLength, find_checkpoint
from tuner.checkpointed.training_watch import divergence_explained
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.finished.saving import save_network
from tuner.finished.starting_network import starting_weights
from tuner.finished.training_plan import TrainingPlan
from tuner.search.loss_family import in_family
from tuner.search.resources import REFERENCE_CROPS, build_loss_network, build_network
from tuner.search.study_pictures import StudyPictures, open_pictures


def train_fully(plan: TrainingPlan, *, report: Callable[[str], None]) -> None:
    """Train a finished network on fresh crops, resuming from its checkpoint if there is one.

    Style targets and loss references are measured again at full training's sizes. All photos are trained on but those
    that the study held out. A network that is finished already is left as it is.

    Raises:
        ConfigError: Too few photos remain, or the checkpoint is of another training or further on than asked for.
        CheckpointError: The checkpoint cannot be read.
        OutputError: The output is another training's network, or cannot be written; says what is kept.
        NetworkFileError: The network to start from is damaged, or has other layers.
        DivergedError: The loss is not finite any more.
        KeyboardInterrupt: After a checkpoint has been written, if training had begun.
    """
    pictures = open_pictures(_with_nothing_held_out(plan.config))
    identity, length = plan.identity(pictures), _length(plan.config)
    if plan.files.finished(identity=identity, images=length.images) is not None:
        report(f"{plan.files.network} is finished already, by this very training.")
        return
    if pictures.collection.skipped:
        report(pictures.collection.describe_skipped())
    photos = _training_photos(plan, pictures, report=report)
    checkpoint = find_checkpoint(plan.files, identity=identity, images=length.images)
    report(f"{len(photos)} photos to train on; measuring references at {plan.config.full_training.crop_size} px")
    trainer, references = _start_trainer(plan, pictures, photos)
    run = CheckpointedRun(trainer, files=plan.files, identity=identity, length=length, report=report)
    if checkpoint is not None:
        run.go_on_from(checkpoint)
    crops = _fresh_crops(plan.config, pictures, photos)
    with divergence_explained(plan.files.checkpoint, lower=plan.what_to_lower):
        run.train(partial(_online, crops))
    run.finish(lambda: save_network(plan, trainer, references=references, identity=identity, images=run.seen))


def _length(config: StudyConfig) -> RunLength:
    settings = config.full_training
    return RunLength.in_whole_batches(
        images=settings.images, batch_size=settings.batch_size, checkpoint_every=settings.checkpoint_every
    )


def _fresh_crops(config: StudyConfig, pictures: StudyPictures, photos: Sequence[Photo]) -> FreshCrops:
    settings = config.full_training
    return FreshCrops(
        pictures.collection, photos, batch_size=settings.batch_size, size=settings.crop_size, seed=config.seed
    )


def _online(crops: FreshCrops, start: int, stop: int) -> Iterator[Batch]:
    first, last = start // crops.batch_size, stop // crops.batch_size
    for photos in crops.batches(start=first, num_batches=last - first):
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
    references = in_family(references, config.loss, style_grams=grams)
    trainer = StyleTrainer(
        build_network(config, precision=settings.precision),
        loss_network,
        content_layers=config.loss.content_layers,
        style_layers=config.loss.style_layers,
        learning_rate=settings.learning_rate,
        precision=settings.precision,
    )
    trainer.start(
        SampledValues.of_weights(plan.weights),
        style_targets=grams,
        references=references.tilted(config.loss.style_tilt),
        weights=None if plan.start is None else starting_weights(plan.start, config, plan.weights),
    )
    return trainer, references
