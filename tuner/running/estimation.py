"""What a study would cost, measured on a few batches before it is run."""

import io
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import numpy as np
import PIL.Image
from numpy.typing import NDArray

from dashboards.contact_sheet import trial_sheet
from measures.sampled_values import SampledValues
from tuner.configuration.settings import StudyConfig
from tuner.scouting.sweeping import suggesting_positions
from tuner.search.crop_tables import CropTables, crop_bytes
from tuner.search.resources import StudyResources
from tuner.search.study_pictures import StudyPictures

MAX_BATCHES: Final = 12
"""Batches to measure: their mean varies by a few per cent, and the largest preset is estimated in minutes."""

ANY_VALUES: Final = SampledValues(style_to_content=1.0, tv_to_content=0.1)
"""A step takes as long whatever the weights."""


@final
@dataclass(frozen=True, kw_only=True)
class Estimate:
    """What a study costs at most, with its starter or scout and its final, all run one by one; pruning makes it less.

    Attributes:
        seconds: Time for training and scoring.
        num_bytes: Disk for the trials' pictures and the tables of crops and features; the database takes little.
        table_bytes: Of this, the tables, which studies of the same photos share.
        trial_seconds: Of this time, a trial that is not pruned.
        start_seconds: What the trials start from; 0 where that is not to be trained.
        final_seconds: Its final, with the crops of each seed; 0 where it has none.
    """

    seconds: float
    num_bytes: int
    table_bytes: int
    trial_seconds: float
    start_seconds: float
    final_seconds: float = 0.0


@final
@dataclass(frozen=True, kw_only=True)
class Pace:
    """What a study's trials cost on this machine, whatever their number and the style image.

    Attributes:
        seconds_per_image: To train on one.
        seconds_per_photo: To paint and score one.
        seconds_per_seed: To set up what trials share once more, for another seed: loss network, crops and features.
        num_photos: Rung photos.
        num_calibration: Calibration photos.
        trial_bytes: Disk for the pictures of a trial.
        table_bytes: Disk for the tables of crops and features.
    """

    seconds_per_image: float
    seconds_per_photo: float
    seconds_per_seed: float
    num_photos: int
    num_calibration: int
    trial_bytes: int
    table_bytes: int

    def cost(self, config: StudyConfig, *, trains_start: bool, num_final_runs: int | None = None) -> Estimate:
        """Return what a study costs at this pace.

        Args:
            config: The study's.
            trains_start: Whether the scout or starter that trials start from is still to be trained.
            num_final_runs: Runs of its final that are still to be trained; by default all that it can have.
        """
        num_painted = len(config.rungs) * self.num_photos + self.num_calibration
        seconds = config.rungs[-1] * self.seconds_per_image + num_painted * self.seconds_per_photo
        start_seconds = 0.0
        if trains_start and config.search.start == "scout":
            num_judged = len(suggesting_positions()) * self.num_photos
            start_seconds = config.scout.images * self.seconds_per_image + num_judged * self.seconds_per_photo
        elif trains_start:
            start_seconds = config.rungs[-1] * self.seconds_per_image
        num_trials = config.most_whole_trials
        num_runs = config.num_final_runs if num_final_runs is None else num_final_runs
        num_seeds = min(len(config.final_seeds), num_runs)
        final_run = config.rungs[-1] * self.seconds_per_image + config.data.held_out.report * self.seconds_per_photo
        final_seconds = num_seeds * self.seconds_per_seed + num_runs * final_run
        table_bytes = (1 + num_seeds) * self.table_bytes
        return Estimate(
            seconds=start_seconds + num_trials * seconds + final_seconds,
            num_bytes=num_trials * self.trial_bytes + table_bytes,
            table_bytes=table_bytes,
            trial_seconds=seconds,
            start_seconds=start_seconds,
            final_seconds=final_seconds,
        )


def measure_pace(config: StudyConfig, pictures: StudyPictures, *, report: Callable[[str], None]) -> Pace:
    """Train on a few batches of the study and score what comes out.

    Args:
        config: The study's configuration.
        pictures: Its pictures.
        report: Told in a few words what is being done.

    Raises:
        ConfigError: The study's tables of crops and features have no room.
    """
    tables = CropTables(config, pictures)
    tables.check_room()
    few = _shortened(config)
    began = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        resources = StudyResources(few, pictures, report=report, tables_root=Path(folder))
        feature_bytes = _feature_bytes(config, resources)
        tables.check_feature_room(resources.loss_network, num_bytes=feature_bytes)
        report("measuring a few batches and a score")
        setting_up = time.monotonic() - began
        resources.start(ANY_VALUES)
        seconds_per_image = _seconds_per_image(resources)
    outputs = resources.paint()
    resources.rung.judge.score(list(outputs))
    started = time.monotonic()
    resources.rung.judge.score(list(resources.paint()))
    num_calibration = len(resources.calibration)
    return Pace(
        seconds_per_image=seconds_per_image,
        seconds_per_photo=(time.monotonic() - started) / len(outputs),
        seconds_per_seed=setting_up + _feature_seconds(config, resources, feature_bytes),
        num_photos=len(outputs),
        num_calibration=num_calibration,
        trial_bytes=_picture_bytes(resources.rung.photos, outputs) + int(outputs[0].size) * num_calibration,
        table_bytes=crop_bytes(config.data) + feature_bytes,
    )


def _shortened(config: StudyConfig) -> StudyConfig:
    """The same study with few crops and images; the room for its features in proportion, so that it caches or not."""
    batch = config.training.batch_size
    images = batch * min(MAX_BATCHES, config.training.images // batch)
    share = images / config.data.num_crops
    data = {"num_crops": images, "feature_cache_megabytes": config.data.feature_cache_megabytes * share}
    return config.model_copy(
        update={
            "data": config.data.model_copy(update=data),
            "training": config.training.model_copy(update={"images": images}),
        }
    )


def _seconds_per_image(resources: StudyResources) -> float:
    images, batch = resources.config.training.images, resources.config.training.batch_size
    resources.trainer.train(resources.batches(0, batch))  # compiles
    started = time.monotonic()
    resources.trainer.train(resources.batches(0, images))
    return (time.monotonic() - started) / images


def _picture_bytes(photos: NDArray[np.float32], outputs: NDArray[np.float32]) -> int:
    """Bytes of the two PNGs of the rung photos uncompressed: a sheet, and the outputs as they were scored."""
    with PIL.Image.open(io.BytesIO(trial_sheet(list(photos), list(outputs), caption="1\n2"))) as sheet:
        return sheet.width * sheet.height * 3 + int(outputs.size)


def _feature_seconds(config: StudyConfig, resources: StudyResources, num_bytes: int) -> float:
    """What the features of the crops of another seed take to compute; 0 where they are too large to be cached."""
    if not num_bytes:
        return 0.0
    ((photos, _),) = resources.batches(0, resources.config.training.batch_size)
    resources.loss_network(photos)
    started = time.monotonic()
    resources.loss_network(photos)
    return (time.monotonic() - started) / len(photos) * config.data.num_crops


def _feature_bytes(config: StudyConfig, resources: StudyResources) -> int:
    """Bytes of the cached features, none where they are too large to be cached."""
    num_bytes: int = resources.feature_bytes_per_crop * config.data.num_crops
    return num_bytes if num_bytes <= config.data.feature_cache_megabytes * 2**20 else 0
