"""What all trials of a study share: trainer, crops with their content features, judges and held-out photos."""

import functools
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray

from measures.sampled_values import SampledValues
from models.networks.content_features import FEATURE_UNIT, ContentFeatures, cache_content_features, cache_size
from models.networks.loss_network import LossNetwork
from models.networks.style_network import StyleNetworkOptions, build_style_network, stylise
from models.pretrained.files import cache_folder
from objectives.judging.judge import Judge
from objectives.training.references import measure_references, style_targets
from objectives.training.trainer import Batch, StyleTrainer
from tuner.configuration.identity import digest
from tuner.configuration.settings import StudyConfig
from tuner.search.study_pictures import StudyPictures

REFERENCE_CROPS: Final = 64
"""Crops on which the loss references are measured: their mean varies by a few per cent, less than weights matter."""

SECONDS_IN_CACHE: Final = 7 * 24 * 3600
"""Cached features of a study that nobody has run for a week are removed when another study caches its own."""

SECONDS_BETWEEN_REPORTS: Final = 30.0
"""While content features are computed: far less than the time after which a silent worker counts as hung."""


@final
class StudyResources:
    """Built once in each worker, the same in each: everything in it follows from configuration and pictures."""

    def __init__(
        self,
        config: StudyConfig,
        pictures: StudyPictures,
        *,
        report: Callable[[str], None],
        feature_folder: Path | None = None,
    ) -> None:
        """Load the networks, draw the crops and measure the references.

        Args:
            config: The study's configuration.
            pictures: The study's pictures.
            report: Told in a few words what is being done.
            feature_folder: Where content features are cached; the user's cache folder by default.
        """
        self.config = config
        self._feature_folder = feature_folder or cache_folder() / "content_features"
        report("loading the loss network")
        self.loss_network = build_loss_network(config)
        report("drawing crops and measuring references")
        self._crops = pictures.crops(config)
        self._style_targets = style_targets(self.loss_network, pictures.style, layers=config.loss.style_layers)
        self.references = measure_references(
            self.loss_network,
            self._crops[:REFERENCE_CROPS].astype(np.float32) / 255.0,
            self._style_targets,
            content_layers=config.loss.content_layers,
        )
        self._order = _visiting_order(len(self._crops), config.training.images, seed=config.seed)
        self._features = self._cache_features(report)
        self.trainer = StyleTrainer(
            build_network(config),
            self.loss_network,
            content_layers=config.loss.content_layers,
            style_layers=config.loss.style_layers,
            learning_rate=config.training.learning_rate,
            precision=config.training.precision,
        )
        report("looking at style image and rung photos")
        self.rung_photos = pictures.held_out(pictures.split.rung, size=config.data.held_out.size)
        self.rung_sha256 = [photo.sha256 for photo in pictures.split.rung]
        self.calibration_photos = pictures.held_out(pictures.split.calibration, size=config.data.held_out.size)
        self.calibration_sha256 = [photo.sha256 for photo in pictures.split.calibration]
        self._style = pictures.style
        self.judge = self._judge_of(self.rung_photos)

    @functools.cached_property
    def calibration_judge(self) -> Judge:
        """The judge of the calibration photos, built when the first trial needs it; there must be such photos."""
        return self._judge_of(self.calibration_photos)

    def _judge_of(self, photos: NDArray[np.float32]) -> Judge:
        return Judge(style=self._style, photos=list(photos), content_exponent=self.config.quality.content_exponent)

    def start(self, sampled: SampledValues) -> None:
        """Begin a run of the trainer with these values, the study's style image and its references."""
        self.trainer.start(sampled, style_targets=self._style_targets, references=self.references)

    def batches(self, start: int, stop: int) -> Iterator[Batch]:
        """Yield the batches between two numbers of images seen, the same for every trial."""
        size = self.config.training.batch_size
        for position in range(start, stop, size):
            indices = self._order[position : position + size]
            photos = self._crops[indices].astype(np.float32) / 255.0
            yield photos, self._features.batch(indices) if self._features is not None else {}

    def paint(self, photos: NDArray[np.float32] | None = None) -> NDArray[np.float32]:
        """Restyle photos with the averaged network, rounded to 8 bits: what is kept is what was scored.

        Args:
            photos: (photos, height, width, 3); the rung photos by default.
        """
        with self.trainer.averaged() as network:
            outputs = stylise(network, self.rung_photos if photos is None else photos)
        return (np.round(outputs * 255.0) / 255.0).astype(np.float32)

    def _cache_features(self, report: Callable[[str], None]) -> ContentFeatures | None:
        layers = self.config.loss.content_layers
        size = cache_size(self.loss_network, self._crops, layers=layers)
        self.feature_bytes_per_crop = size // len(self._crops)
        if size > self.config.data.feature_cache_megabytes * 2**20:
            report("content features are larger than `data.feature_cache_megabytes`: computing them in every step")
            return None
        _remove_old(self._feature_folder)
        key = digest(
            {
                "crops": hashlib.sha256(self._crops.data).hexdigest(),
                "crop_size": self.config.data.crop_size,
                "loss_network": self.loss_network.identity,
                "unit": FEATURE_UNIT,
            }
        )
        report(f"computing content features ({size / 2**20:.0f} MB, once)")
        return cache_content_features(
            self.loss_network,
            self._crops,
            layers=layers,
            folder=self._feature_folder / key[:16],
            on_crops=_now_and_then(report, num_crops=len(self._crops)),
        )


def build_network(config: StudyConfig, *, precision: str | None = None) -> Any:
    """Build the study's style network with its initial weights."""
    options = StyleNetworkOptions(**config.network.model_dump())
    return build_style_network(options, seed=config.seed, precision=precision or config.training.precision)


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


def _remove_old(root: Path) -> None:
    if not root.is_dir():
        return
    for folder in root.iterdir():
        with suppress(FileNotFoundError):  # another worker was faster
            if time.time() - folder.stat().st_mtime > SECONDS_IN_CACHE:
                shutil.rmtree(folder, ignore_errors=True)


def _now_and_then(report: Callable[[str], None], *, num_crops: int) -> Callable[[int], None]:
    """Report how many crops are done, but not for each batch."""
    last = time.monotonic()

    def on_crops(num_done: int) -> None:
        nonlocal last
        if time.monotonic() - last >= SECONDS_BETWEEN_REPORTS:
            last = time.monotonic()
            report(f"content features of {num_done} of {num_crops} crops")

    return on_crops
