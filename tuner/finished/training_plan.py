"""What a training is to make, from an exported config and the command's flags."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, final

from groundwork.file_hashes import sha256_of
from measures.loss_weights import LossWeights
from studies.records.exported_config import ExportedConfig
from tuner.checkpointed.network_files import NetworkFiles
from tuner.configuration.field_types import MAX_SIDE, MIN_SIDE
from tuner.configuration.identity import digest, hashed_values
from tuner.configuration.loading import given, merge, validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import NetworkFileError
from tuner.search.space import LEARNING_RATE, with_values

if TYPE_CHECKING:
    from tuner.search.study_pictures import StudyPictures


@final
@dataclass(frozen=True, kw_only=True)
class TrainingPlan:
    """What to train.

    Attributes:
        exported: What the study exported.
        config: The study's configuration, with the style image and photos to train on, and with the trial's own values
            of what was searched besides the loss weights.
        weights: The chosen loss weights.
        files: Where the finished network goes.
        start: A network to start from, a .keras file; None to start from noise.
    """

    exported: ExportedConfig
    config: StudyConfig
    weights: LossWeights
    files: NetworkFiles
    start: Path | None = None

    @property
    def held_out(self) -> frozenset[str]:
        """Hashes of the photos that the study kept from training."""
        return self.exported.photos.held_out

    @property
    def rate_remark(self) -> str:
        """What is said of full training's learning rate where a study searched its own; empty where it did not."""
        found = self.exported.params.get(LEARNING_RATE)
        if found is None:
            return ""
        rate = self.config.full_training.learning_rate
        return (
            f"Learning rate of full training: {rate:.2g}; the trial's, of a short run, is {found:.2g}. Whether so much "
            "is best for a long one is not known: --learning-rate sets another."
        )

    @property
    def what_to_lower(self) -> str:
        """What makes a training that diverged calmer, in words."""
        return f"`weights.style` or `configuration.full_training.learning_rate` in {self.exported.path}"

    def identity(self, pictures: "StudyPictures") -> str:
        """What a training must share with one that it goes on from; the number of images may grow."""
        start = {} if self.start is None else {"start": sha256_of(self.start)}
        settings = self.config.full_training.model_dump(mode="json", exclude={"images", "checkpoint_every"})
        return digest(
            {
                "configuration": hashed_values(self.config),
                "full_training": settings,
                "weights": self.weights.to_dict(),
                "held_out": sorted(self.held_out),
                **pictures.identity(),
                **start,
            }
        )


def plan_training(
    exported: ExportedConfig,
    *,
    output: Path,
    photos: Sequence[Path],
    sizes: Mapping[str, float | None],
    start: Path | None = None,
) -> TrainingPlan:
    """Put an exported config and the command's flags together.

    Args:
        exported: What `study export` wrote.
        output: The network to write, a .keras file.
        photos: Photos to train on; the study's own where empty.
        sizes: Settings of full training that are given; None means not given.
        start: A network to start from; None to start from noise.

    Raises:
        ConfigError: A setting is out of range, or the exported configuration does not fit this version.
        OutputError: The network cannot be written, or would take a file's place.
        NetworkFileError: The network to start from is missing.
    """
    if start is not None and not start.is_file():
        raise NetworkFileError(f"`--from` {start} does not exist. Name a trained network or scout, a .keras file.")
    overrides = {
        "style": str(exported.style_path),
        "photos": [str(path) for path in photos or exported.photos.paths],
        "full_training": given(sizes),
    }
    config = validate_config(merge(exported.configuration, overrides), source=str(exported.path))
    if config.search.further:
        config = _of_trial(config, exported, taken=given(sizes))
    files = NetworkFiles(output)
    files.check(kept=(exported.path, exported.style_path, *([] if start is None else [start])))
    weights = LossWeights.normalised(**exported.weights.model_dump())
    return TrainingPlan(exported=exported, config=config, weights=weights, files=files, start=start)


def _of_trial(config: StudyConfig, exported: ExportedConfig, *, taken: Mapping[str, Any]) -> StudyConfig:
    """Return the configuration with the trial's values as its own, and full training's in proportion.

    The style image is to full training's crops what `full_training.style_size` makes it for `data.style_size`, and the
    learning rate is to the trial's what `full_training.learning_rate` is to `training.learning_rate`.

    Args:
        config: The study's, with what is given for full training.
        exported: The trial.
        taken: What is given for full training, by name: that is taken as it is.

    Raises:
        ConfigError: The exported values are none that a study may have.
    """
    own = with_values(config, exported.params)
    full = config.full_training
    size = round(full.style_size * own.data.style_size / config.data.style_size)
    scaled = {
        "style_size": min(max(size, MIN_SIDE), MAX_SIDE),
        "learning_rate": full.learning_rate * (own.training.learning_rate / config.training.learning_rate),
    }
    own = own.model_copy(update={"full_training": full.model_copy(update={**scaled, **taken})})
    return validate_config(own.model_dump(mode="json"), source=str(exported.path))
