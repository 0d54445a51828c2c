"""What all trials of a study share: trainer, crops with their content features, judges and held-out photos."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final, final

import keras
import numpy as np
from numpy.typing import NDArray

from measures.sampled_values import SampledValues
from models.networks.content_features import ContentFeatures, cache_size
from models.networks.loss_network import LossNetwork
from models.networks.style_network import build_style_network, stylise
from models.networks.style_network_options import StyleNetworkOptions
from objectives.errors import DivergedError
from objectives.training.references import LossReferences, measure_references, style_targets
from objectives.training.trainer import Batch, StyleTrainer, TrainingLosses
from tuner.configuration.settings import StudyConfig
from tuner.search.crop_tables import CropTables
from tuner.search.judged_set import judged_set, judged_squares
from tuner.search.loss_family import in_family
from tuner.search.study_pictures import StudyPictures
from tuner.search.study_scale import SettleScale, StudyScale, as_measured

NOT_FINITE: Final = "diverged: what the network paints is not finite"

REFERENCE_CROPS: Final = 64
"""Crops on which the loss references are measured: their mean varies by a few per cent, less than weights matter."""


@final
class StudyResources:
    """Built once in each worker, the same in each: everything in it follows from configuration and pictures."""

    def __init__(
        self,
        config: StudyConfig,
        pictures: StudyPictures,
        *,
        report: Callable[[str], None],
        settle: SettleScale = as_measured,
        tables_root: Path | None = None,
        build: Callable[[StudyConfig], keras.Model] | None = None,
    ) -> None:
        """Load the networks, map or draw the crops and measure the references.

        Args:
            config: The study's configuration.
            pictures: The study's pictures.
            report: Told in a few words what is being done.
            settle: Told what was measured here, returns the scale that the study uses.
            tables_root: Where crops and features are kept; the user's cache folder by default.
            build: Makes the network that is trained; by default the study's style network.

        Raises:
            ConfigError: Crops or features have no room.
            StudyError: The study's scale is another one than was measured here.
        """
        self.config = config
        report("loading the loss network")
        self.loss_network = build_loss_network(config)
        report("drawing crops and measuring references")
        tables = CropTables(config, pictures, report=report, root=tables_root)
        self._crops = tables.crops()
        self._look_at(pictures, settle)
        self._order = _visiting_order(len(self._crops), config.training.images, seed=config.seed)
        self._features = self._cache_features(tables, report)
        self.trainer = StyleTrainer(
            (build or build_network)(config),
            self.loss_network,
            content_layers=config.loss.content_layers,
            style_layers=config.loss.style_layers,
            learning_rate=config.training.learning_rate,
            precision=config.training.precision,
        )
        report("looking at style image and rung photos")
        self.rung = judged_set(config, pictures, pictures.split.rung)
        self.calibration = judged_set(config, pictures, pictures.split.calibration)
        self.rung.judge  # noqa: B018  built now, so that no trial waits for it
        self._pictures = pictures

    def go_over_to(
        self,
        config: StudyConfig,
        pictures: StudyPictures,
        *,
        report: Callable[[str], None],
        settle: SettleScale = as_measured,
    ) -> None:
        """Become the resources of a study that differs in its style image alone, or of a later run of the same one.

        Loss network, crops, features, held-out photos and the compiled step stay: what depends on the style image is
        given to the step whenever a run begins.

        Args:
            config: The other study's configuration, the same but for the style image and what changes no number.
            pictures: The same photos with the other style image.
            report: Told in a few words what is being done.
            settle: As for the first study.

        Raises:
            StudyError: The study's scale is another one than was measured here.
        """
        self.config = config
        if pictures is self._pictures:
            self.scale = settle(self._measured)
            return
        report("measuring references, looking at style image and rung photos")
        self._look_at(pictures, settle)
        self.rung, self.calibration = (
            judged_squares(config, known.photos, known.sha256s, style=pictures.judged_style)
            for known in (self.rung, self.calibration)
        )
        self.rung.judge  # noqa: B018  built now, so that no trial waits for it
        self._pictures = pictures

    def _look_at(self, pictures: StudyPictures, settle: SettleScale) -> None:
        self._style_targets = {
            size: style_targets(self.loss_network, style, layers=self.config.loss.style_layers)
            for size, style in {self.config.data.style_size: pictures.style, **pictures.other_styles}.items()
        }
        self._measured = self._measure()
        self.scale = settle(self._measured)

    def _measure(self) -> StudyScale:
        measured = {size: self._references_of(targets) for size, targets in self._style_targets.items()}
        return StudyScale(
            references=measured.pop(self.config.data.style_size),
            loss_network=dict(self.loss_network.identity),
            style_at_size={size: references.style for size, references in measured.items()},
        )

    def _references_of(self, targets: dict[str, NDArray[np.float32]]) -> LossReferences:
        references = measure_references(
            self.loss_network,
            self._crops[:REFERENCE_CROPS].astype(np.float32) / 255.0,
            targets,
            content_layers=self.config.loss.content_layers,
        )
        return in_family(references, self.config.loss, style_grams=targets)

    def start(self, sampled: SampledValues | None, *, weights: Sequence[NDArray[np.float32]] | None = None) -> None:
        """Begin a run of the trainer with the study's style image and its references, at the sampled size and tilt.

        Args:
            sampled: What the run is made with; None where each image brings its own loss weights.
            weights: Of the network, to begin with; its initial ones by default.
        """
        size, tilt = self.config.data.style_size, self.config.loss.style_tilt
        if sampled is not None:
            size = size if sampled.style_size is None else sampled.style_size
            tilt = tilt if sampled.style_tilt is None else sampled.style_tilt
        self.trainer.start(
            sampled,
            style_targets=self._style_targets[size],
            references=self.scale.references_at(size).tilted(tilt),
            weights=weights,
        )

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield the batches between two numbers of images seen, the same for every trial."""
        size = self.config.training.batch_size
        for position in range(start, stop, size):
            indices = self._order[position : position + size]
            photos = self._crops[indices].astype(np.float32) / 255.0
            yield photos, self._features.batch(indices) if self._features is not None else {}

    def train_and_paint(
        self, start: int, stop: int, *, on_batch: Callable[[int], None] | None = None
    ) -> tuple[TrainingLosses, NDArray[np.float32]]:
        """Train from one number of images seen to another; return the mean losses and the rung photos restyled.

        Raises:
            DivergedError: A loss, or what the network paints, is not finite.
        """
        losses = self.trainer.train(self.batches(start, stop), on_batch=on_batch)
        return losses, self.paint_rung()

    def paint_rung(self) -> NDArray[np.float32]:
        """Return the rung photos restyled, (photos, size, size, 3).

        Raises:
            DivergedError: What the network paints is not finite.
        """
        return self.paint_finite(self.rung.photos)

    def paint_finite(self, photos: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return photos restyled, of the same shape.

        Raises:
            DivergedError: What the network paints is not finite.
        """
        outputs = self.paint(photos)
        # The losses are of before the last step, which may have been the one too large.
        if not np.isfinite(outputs).all():
            raise DivergedError(NOT_FINITE)
        return outputs

    def paint(self, photos: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Restyle photos with the averaged network, rounded to 8 bits: what is kept is what was scored.

        Args:
            photos: (photos, height, width, 3); the rung photos by default.
        """
        with self.trainer.averaged() as network:
            outputs = stylise(network, self.rung.photos if photos is None else photos)
        return (np.round(outputs * 255.0) / 255.0).astype(np.float32)

    def _cache_features(self, tables: CropTables, report: Callable[[str], None]) -> ContentFeatures | None:
        size = cache_size(self.loss_network, self._crops, layers=self.config.loss.content_layers)
        self.feature_bytes_per_crop = size // len(self._crops)
        if size > self.config.data.feature_cache_megabytes * 2**20:
            report("content features are larger than `data.feature_cache_megabytes`: computing them in every step")
            return None
        if not tables.has_features(self.loss_network):
            report(f"computing content features ({size / 2**20:.0f} MB, once)")
        return tables.features(self.loss_network, self._crops, num_bytes=size)


def network_options(config: StudyConfig) -> StyleNetworkOptions:
    """Return the architecture of the study's style network."""
    return StyleNetworkOptions(**config.network.model_dump())


def build_network(config: StudyConfig, *, precision: str | None = None) -> keras.Model:
    """Build the study's style network with its initial weights."""
    return build_style_network(
        network_options(config), seed=config.seed, precision=precision or config.training.precision
    )


def build_loss_network(config: StudyConfig) -> LossNetwork:
    """Build the study's loss network, reading content and style layers in one pass."""
    loss = config.loss
    layers = list(dict.fromkeys((*loss.content_layers, *loss.style_layers)))
    return LossNetwork(loss.network, layers=layers, **({"source": loss.source} if loss.source else {}))


def _visiting_order(num_crops: int, num_images: int, *, seed: int) -> NDArray[np.intp]:
    """Every crop once, in a seeded order, before any comes again."""
    generator = np.random.default_rng([seed, num_crops])
    num_rounds = -(-num_images // num_crops)
    return np.concatenate([generator.permutation(num_crops) for _ in range(num_rounds)])[:num_images]
