"""A study's configuration: all its settings, and which of different groups do not go together."""

import math
from typing import Any, Self, final

from pydantic import Field, model_validator

from tuner.configuration.field_types import Paths, PathValue, Whole
from tuner.configuration.search_sections import SearchSection
from tuner.configuration.section import Section, check_batch
from tuner.configuration.setting_bounds import (
    FEWEST_PUBLISHED,
    FEWEST_STARTED,
    FEWEST_TESTED,
    FURTHER_SEEDS,
    SEEDS,
    TRIALS_A_PUBLISHED,
)
from tuner.configuration.training_sections import (
    DataSection,
    FullTrainingSection,
    LossSection,
    NetworkSection,
    QualitySection,
    ScoutSection,
    TrainingSection,
)


@final
class StudyConfig(Section):
    """Everything that defines a study but its pictures; the same configuration and pictures give the same study."""

    preset: str | None = Field(None, description="The preset below this file.")
    style: PathValue | None = Field(
        None,
        description="The style image; in a file, relative to the file. `study run` takes a list too, a study each.",
    )
    photos: Paths = Field(
        (),
        description="Folder, file or .zip archive of content photos, or a list; in a file, relative to the file.",
    )
    seed: Whole = Field(0, ge=0, lt=SEEDS, description="Seed of initial weights, crops, split and sampler.")
    network: NetworkSection = NetworkSection()
    loss: LossSection = LossSection()
    data: DataSection = DataSection()
    training: TrainingSection = TrainingSection()
    search: SearchSection = SearchSection()
    quality: QualitySection = QualitySection()
    full_training: FullTrainingSection = FullTrainingSection()
    scout: ScoutSection = ScoutSection()

    @model_validator(mode="before")
    @classmethod
    def _leave_out_baseline(cls, values: Any) -> Any:
        """The default baseline is none where a trainer's published weights are the first trial."""
        loss, search = (values.get(name) for name in ("loss", "search")) if isinstance(values, dict) else (None, None)
        if not isinstance(loss, dict) or loss.get("trainer") is None or not isinstance(search or {}, dict):
            return values
        return {**values, "search": {"baseline": None, **(search or {})}}

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
        for section, batch_size in (("training", self.training.batch_size), ("scout", self.scout.batch_size)):
            check_batch(section, batch_size, crop=("data.crop_size", self.data.crop_size))
        if self.training.images < self.training.batch_size * len(self.search.rungs):
            raise ValueError(
                f"`training.images` is {self.training.images}: fewer than one batch of {self.training.batch_size} "
                f"for each of {len(self.search.rungs)} rungs"
            )
        if len(set(self.rungs)) < len(self.rungs):
            raise ValueError(
                f"`search.rungs` are too close: {self.training.images} images in batches of {self.training.batch_size} "
                f"put them at {', '.join(map(str, self.rungs))} images; leave one out or take more images"
            )
        return self

    @model_validator(mode="after")
    def _check_dimensions(self) -> Self:
        sizes, own = self.search.style_size, self.data.style_size
        if sizes is not None and own not in sizes:
            raise ValueError(
                f"`search.style_size` must have `data.style_size` among it, {own} px, with which the baseline and "
                f"enqueued weights are run. Received {', '.join(map(str, sizes))}; add it, or set `data.style_size` "
                "to one of these"
            )
        if self.search.start == "scout" and self.search.further:
            raise ValueError(
                f"`search.start` must be noise or starter where `search.{self.search.further[0]}` is searched: a scout "
                "knows style : content and tv : content alone"
            )
        return self

    @model_validator(mode="after")
    def _check_own_of_ranges(self) -> Self:
        for section, name, own in (
            ("loss", "style_tilt", self.loss.style_tilt),
            ("training", "learning_rate", self.training.learning_rate),
        ):
            limits = getattr(self.search, name)
            if limits is not None and not limits[0] <= own <= limits[1]:
                raise ValueError(
                    f"`search.{name}` must have `{section}.{name}`, {own:g}, in its range, with which the baseline and "
                    f"enqueued weights are run. Received {limits[0]:g} to {limits[1]:g}; widen it, or set "
                    f"`{section}.{name}` to a number in it"
                )
        if (self.search.style_tilt is not None or self.loss.style_tilt) and len(set(self.loss.style_layers)) == 1:
            raise ValueError(
                f"`loss.style_layers` is {self.loss.style_layers[0]} alone, which has nothing to be tilted against; "
                "take more layers, or leave `style_tilt` out"
            )
        return self

    @model_validator(mode="after")
    def _check_start(self) -> Self:
        start = self.search.start
        if start == "scout" and self.network.norm != "instance":
            raise ValueError(
                f"`search.start` must be noise or starter where `network.norm` is {self.network.norm}: a scout has "
                "instance norms"
            )
        if self.start_price and self.num_trials < FEWEST_STARTED:
            fewer = "fewer `scout.images`, " if start == "scout" else ""
            raise ValueError(
                f"`search.trials` is {self.search.trials}, and the {start}'s {self.start_images} images are the price "
                f"of {self.start_price} trial{'' if self.start_price == 1 else 's'} of {self.rungs[-1]}: "
                f"{FEWEST_STARTED} must be left; take more trials, {fewer}or `search.start` noise (--start noise)"
            )
        return self

    @model_validator(mode="after")
    def _check_trainers_baseline(self) -> Self:
        named = self.search.baseline
        if self.loss.trainer is not None and named is not None:
            raise ValueError(
                f"`search.baseline` is {', '.join(f'{weight:g}' for weight in named)}, and the first trial with "
                f"`loss.trainer` {self.loss.trainer} is its published weights; leave one of them out"
            )
        return self

    @model_validator(mode="after")
    def _check_stop(self) -> Self:
        budget, needed = self.search.stop.images, self.start_images + self.rungs[-1]
        if budget is not None and budget < needed:
            start = f" and {self.start_images} of the {self.search.start} before it" if self.start_images else ""
            raise ValueError(
                f"`search.stop.images` is {budget}, and the first trial takes {self.rungs[-1]}{start}: give at least "
                f"{needed}, or fewer `training.images`"
            )
        return self

    @model_validator(mode="after")
    def _check_tested_photos(self) -> Self:
        num_photos = self.data.held_out.rung
        if self.search.pruner == "wilcoxon" and num_photos < FEWEST_TESTED:
            raise ValueError(
                f"`search.pruner` is wilcoxon and `data.held_out.rung` {num_photos}: its test needs {FEWEST_TESTED} "
                "photos or more"
            )
        return self

    @property
    def own_baseline(self) -> tuple[float, float, float] | None:
        """Weights of the first trial; None where there is none, or it is a trainer's, which has to be measured."""
        return None if self.loss.trainer is not None else self.search.baseline

    @property
    def most_published(self) -> int:
        """How many trials may go to other trainers' published weights in a study that begins."""
        wanted, num_trials = self.search.published_baselines, self.num_trials
        if wanted == "auto":
            wanted = num_trials >= FEWEST_PUBLISHED and self.search.grid is None
        return min(max(1, num_trials // TRIALS_A_PUBLISHED), num_trials - 1) if wanted else 0

    @property
    def trials_beyond_grid(self) -> int:
        """How many trials a grid has no points for, the baseline and a scout's suggestions left out."""
        if self.search.grid is None:
            return 0
        num_suggested = self.scout.suggestions if self.search.start == "scout" else 0
        num_first = 0 if self.own_baseline is None and self.loss.trainer is None else 1
        num_points = math.prod(self.search.grid) * len(self.search.style_size or [None])
        return max(0, self.num_trials - num_first - num_suggested - num_points)

    @property
    def start_images(self) -> int:
        """Images that what trials start from is trained on; 0 where that is noise."""
        return {"noise": 0, "starter": self.rungs[-1], "scout": self.scout.images}[self.search.start]

    @property
    def start_price(self) -> int:
        """How many trials these images are worth, rounded up."""
        return -(-self.start_images // self.rungs[-1])

    @property
    def num_trials(self) -> int:
        """Finished trials that the study shall have: what is left of `search.trials`."""
        return self.search.trials - self.start_price

    @property
    def most_whole_trials(self) -> int:
        """How many trials can be trained to their end within `search.trials` and `search.stop.images`."""
        budget = self.search.stop.images
        return (
            self.num_trials if budget is None else min(self.num_trials, (budget - self.start_images) // self.rungs[-1])
        )

    @property
    def num_finalists(self) -> int:
        """How many trials go into the final; 1 where there is none, as without report photos or with two objectives."""
        return self.search.finalists if self.search.objectives == "quality" and self.data.held_out.report else 1

    @property
    def num_final_runs(self) -> int:
        """How many runs the final has at most."""
        num_finalists = min(self.num_finalists, self.most_whole_trials)
        return num_finalists * FURTHER_SEEDS if num_finalists > 1 else 0

    @property
    def final_seeds(self) -> tuple[int, ...]:
        """The seeds of the finalists' runs: those that follow the study's own."""
        return tuple((self.seed + step) % SEEDS for step in range(1, FURTHER_SEEDS + 1))

    @property
    def rungs(self) -> tuple[int, ...]:
        """Images seen at each rung, whole batches, the last one the whole run."""
        batch = self.training.batch_size
        num_batches = self.training.images // batch
        return tuple(max(1, round(fraction * num_batches)) * batch for fraction in self.search.rungs)
