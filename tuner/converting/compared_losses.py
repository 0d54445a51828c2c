"""A study's loss and a trainer's on the same pictures: how each term of both pulls at the pixels."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from measures.gradient_matching import Gradients, MatchedWeights, match_weights
from measures.native_weights import NativeWeights
from measures.published_trainers import PublishedTrainer
from measures.sampled_values import SampledValues
from models.networks.loss_network import LossNetwork
from objectives.training.losses import loss_terms
from objectives.training.native_losses import native_terms, unit_references
from objectives.training.pixel_gradients import pixel_gradients
from objectives.training.references import LossReferences, measure_references, style_targets
from tuner.configuration.settings import StudyConfig
from tuner.converting.painted_pictures import painted
from tuner.search.loss_family import in_family
from tuner.search.resources import REFERENCE_CROPS, build_loss_network
from tuner.search.study_pictures import StudyPictures

NUM_PICTURES: Final = 10
"""Pictures on which the losses are compared: the ratios of single ones scatter by a few tens of per cent."""


@final
@dataclass(frozen=True, kw_only=True)
class NativeSizes:
    """What the trainer is run with, as far as its loss depends on it.

    Attributes:
        crop_size: Side of its crops in pixels.
        batch_size: Pictures in a batch.
        style_tilt: Of its style layers, on top of how it weighs them itself.
    """

    crop_size: int
    batch_size: int
    style_tilt: float = 0.0

    @classmethod
    def of(
        cls,
        trainer: PublishedTrainer,
        *,
        crop_size: int | None = None,
        batch_size: int | None = None,
        style_tilt: float = 0.0,
    ) -> "NativeSizes":
        """Return the trainer's own sizes where none are given."""
        return cls(
            crop_size=crop_size or trainer.crop_size,
            batch_size=batch_size or trainer.batch_size,
            style_tilt=style_tilt,
        )


@final
@dataclass(frozen=True, kw_only=True)
class ComparedLosses:
    """Both losses on the same pictures.

    Attributes:
        own: Gradients of the terms of the study's loss.
        native: Gradients of the terms of the trainer's.
        num_pictures: How many pictures there are.
    """

    own: Gradients
    native: Gradients
    num_pictures: int

    def to_own(self, weights: NativeWeights) -> MatchedWeights:
        """Return the weights of the study's loss nearest to the trainer's, with a content weight of 1.

        Raises:
            MatchingError: A term pulls at no pixel of some picture.
        """
        return match_weights(weights.to_dict(), self.native, into=self.own)

    def to_native(self, values: SampledValues, *, content: float) -> MatchedWeights:
        """Return the trainer's weights nearest to those of a trial.

        Args:
            values: The trial's ratios.
            content: The wanted content weight.

        Raises:
            MatchingError: A term pulls at no pixel of some picture.
        """
        return match_weights(values.loss_weights().to_dict(), self.own, into=self.native, content=content)


@final
@dataclass(frozen=True, kw_only=True)
class OwnLoss:
    """A study's loss on pictures that look painted, to be held against those of trainers.

    Attributes:
        style: The style image.
        source: Weights of the loss network that the configuration names; None for the default ones.
        network: The study's loss network.
        photos: (pictures, height, width, 3) in [0, 1].
        outputs: What looks painted of them, the same shape.
        gradients: Of the terms of the study's loss.
    """

    style: NDArray[np.float32]
    source: str | None
    network: str
    photos: NDArray[np.float32]
    outputs: NDArray[np.float32]
    gradients: Gradients

    def against(self, trainer: PublishedTrainer, *, sizes: NativeSizes) -> ComparedLosses:
        """Measure how the terms of a trainer's loss pull at the same pixels.

        Raises:
            PretrainedError: Its loss network can neither be read nor fetched.
        """
        layers = list(dict.fromkeys([trainer.content_layer, *trainer.style_layers]))
        # Another source of the same network, which the study may name, is the trainer's too.
        source = self.source if self.network == trainer.loss_network else None
        network = LossNetwork(trainer.loss_network, layers=layers, source=source)
        targets = style_targets(network, self.style, layers=trainer.style_layers)
        channels = {layer: len(gram) for layer, gram in targets.items()}
        terms = native_terms(
            trainer,
            channels=channels,
            crop_size=sizes.crop_size,
            batch_size=sizes.batch_size,
            tilt=sizes.style_tilt,
        )
        native = pixel_gradients(
            network, terms, unit_references(terms), outputs=self.outputs, photos=self.photos, style_grams=targets
        )
        return ComparedLosses(own=self.gradients, native=native, num_pictures=len(self.photos))


def compare_losses(
    config: StudyConfig,
    pictures: StudyPictures,
    trainer: PublishedTrainer,
    *,
    sizes: NativeSizes,
    references: LossReferences | None = None,
    report: Callable[[str], None] = lambda _: None,
) -> ComparedLosses:
    """Measure how each term of both losses pulls at the pixels of the same pictures, at the study's own sizes.

    Args:
        config: The study's configuration: loss network, layers, sizes of crops and style image.
        pictures: The study's pictures.
        trainer: Whose loss the other is.
        sizes: What the trainer is run with.
        references: What the study divides by; measured, as a study of this configuration measures them, by default.
        report: Told in a few words what is being done.

    Raises:
        TrainingError: The photos differ neither from each other nor from the style image.
        NetworkError: The configuration names no layers of its loss network.
        PretrainedError: A loss network can neither be read nor fetched.
    """
    report("measuring the study's loss")
    own = measure_own_loss(config, pictures, references=references)
    report(f"measuring the loss of {trainer.name}")
    return own.against(trainer, sizes=sizes)


def measure_own_loss(
    config: StudyConfig,
    pictures: StudyPictures,
    *,
    references: LossReferences | None = None,
    num_pictures: int = NUM_PICTURES,
) -> OwnLoss:
    """Measure how each term of a study's loss pulls at the pixels of pictures that look painted.

    Args:
        config: The study's configuration.
        pictures: The study's pictures.
        references: What the study divides by, not tilted; measured by default.
        num_pictures: On how many pictures.

    Raises:
        TrainingError: The photos differ neither from each other nor from the style image.
        NetworkError: The configuration names no layers of its loss network.
        PretrainedError: A loss network can neither be read nor fetched.
    """
    num_crops = min(config.data.num_crops, REFERENCE_CROPS if references is None else num_pictures)
    few = config.data.model_copy(update={"num_crops": num_crops})
    crops = pictures.crops(config.model_copy(update={"data": few})).astype(np.float32) / 255.0
    photos = crops[:num_pictures]
    outputs = painted(photos, pictures.style, seed=config.seed)
    loss, network = config.loss, build_loss_network(config)
    targets = style_targets(network, pictures.style, layers=loss.style_layers)
    if references is None:
        measured = measure_references(network, crops, targets, content_layers=loss.content_layers)
        references = in_family(measured, loss, style_grams=targets)
    gradients = pixel_gradients(
        network,
        loss_terms(content_layers=loss.content_layers, style_layers=loss.style_layers),
        references.tilted(loss.style_tilt).by_term(),
        outputs=outputs,
        photos=photos,
        style_grams=targets,
    )
    return OwnLoss(
        style=pictures.style,
        source=loss.source,
        network=loss.network,
        photos=photos,
        outputs=outputs,
        gradients=gradients,
    )
