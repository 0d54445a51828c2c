"""A trial of a study in the units of a published trainer: its weights, and the command line that gives them there."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, final

import optuna

from measures.gradient_matching import MatchedWeights
from measures.loss_weights import LossWeights
from measures.published_trainers import PublishedTrainer
from measures.sampled_values import SampledValues
from models.errors import PhotosError
from studies.records.study_record import StudyRecord
from studies.storage.study_storage import StudyStorage
from tuner.configuration.loading import merge, validate_config
from tuner.configuration.settings import StudyConfig
from tuner.converting.command_lines import command_line, scaled_style_size
from tuner.converting.compared_losses import NativeSizes, compare_losses
from tuner.errors import ConvertingError
from tuner.search.kept_style_image import kept_style_image
from tuner.search.space import LEARNING_RATE, with_values
from tuner.search.stored_config import stored_config
from tuner.search.study_pictures import StudyPictures, open_pictures
from tuner.search.study_scale import scale_of


@final
@dataclass(frozen=True, kw_only=True)
class ConvertedTrial:
    """A trial in a trainer's units.

    Attributes:
        trial: Its number.
        values: Its ratios in the study's loss.
        matched: The trainer's weights, and how alike both losses are.
        num_pictures: On how many pictures.
        command: The trainer's command line.
        is_own_loss: Whether the trial was trained with the trainer's own loss, tilted as the command tells it.
        style_size: Side of the style image in pixels with which strokes are to the trainer's crops what they are to
            the study's.
        style_tilt: The trial's; the command tells it to a trainer that takes a weight of each style layer.
        learning_rate: The trial's, where it was searched, which the command does not tell.
    """

    trial: int
    values: SampledValues
    matched: MatchedWeights
    num_pictures: int
    command: str
    is_own_loss: bool
    style_size: int
    style_tilt: float
    learning_rate: float | None


def convert_trial(
    storage: StudyStorage,
    exported: Mapping[str, Any],
    trainer: PublishedTrainer,
    *,
    photos: Sequence[Path],
    report: Callable[[str], None],
) -> ConvertedTrial:
    """Find a trainer's weights for a trial, measured on the study's own pictures by its own references.

    Args:
        storage: Where the study lives.
        exported: What `export_config` gives of the trial.
        trainer: Whose weights are wanted.
        photos: Where the study's photos lie now; where it found them if empty.
        report: Told in a few words what is being done.

    Raises:
        ConvertingError: The study's photos are gone.
        StudyError: The study was made by another version of styletuner, or its style image is gone.
        MatchingError: A term of either loss pulls at no pixel of some picture.
    """
    study = storage.read_study(exported["study"])
    config, pictures = _with_pictures(storage, study, photos, parameters=exported["params"])
    owner, tilt = f"Study {study.study_name!r}", config.loss.style_tilt
    told_tilt = tilt if trainer.layers_option else 0.0
    stored = scale_of(exported["references"], exported["identity"].get("loss_network"), owner=owner)
    compared = compare_losses(
        config,
        pictures,
        trainer,
        sizes=NativeSizes.of(trainer, style_tilt=told_tilt),
        references=None if stored is None else stored.references,
        report=report,
    )
    values = SampledValues.of_weights(LossWeights.normalised(**exported["weights"]))
    matched = compared.to_native(values, content=trainer.published.content)
    data = config.data
    size = scaled_style_size(data.style_size, crop_size=data.crop_size, native_crop_size=trainer.crop_size)
    style = StudyRecord.parse(study.user_attrs).style_path or str(pictures.style_path)
    return ConvertedTrial(
        trial=exported["trial"],
        values=values,
        matched=matched,
        num_pictures=compared.num_pictures,
        command=command_line(trainer, matched.weights, style=style, style_size=size, tilt=told_tilt),
        is_own_loss=config.loss.trainer == trainer.name and told_tilt == tilt,
        style_size=size,
        style_tilt=tilt,
        learning_rate=exported["params"].get(LEARNING_RATE),
    )


def _with_pictures(
    storage: StudyStorage, study: optuna.Study, photos: Sequence[Path], *, parameters: Mapping[str, Any]
) -> tuple[StudyConfig, StudyPictures]:
    """Return the configuration that has the trial's values as its own, and its pictures."""
    own, record = with_values(stored_config(study), parameters), StudyRecord.parse(study.user_attrs)
    places = [str(path) for path in photos or map(Path, record.photos.paths)]
    advice = "Put them back, or say with --photos where they are."
    if not places:
        raise ConvertingError(f"Study {study.study_name!r} does not say where its photos are. {advice}")
    here = {"style": str(kept_style_image(storage, study)), "photos": places}
    config = validate_config(merge(own.model_dump(mode="json"), here), source=study.study_name)
    try:
        pictures = open_pictures(config)
    except PhotosError as error:
        raise ConvertingError(f"The photos of study {study.study_name!r} are gone. {error} {advice}") from error
    if pictures.collection.digest != record.identity.get("photos_digest"):
        raise ConvertingError(
            f"The photos at {', '.join(places)} are not those of study {study.study_name!r}, by which its losses are "
            f"scaled. {advice}"
        )
    return config, pictures
