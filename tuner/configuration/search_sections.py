"""Settings of the search: what is sampled, how trials are chosen and ended, and what ends a study."""

import math
from typing import Literal, Self, final

from pydantic import Field, model_validator

from measures.sampled_values import RATIOS
from tuner.configuration.field_types import (
    GridPoints,
    Number,
    Objectives,
    PositiveRange,
    RateRange,
    Rungs,
    StyleSizes,
    Switch,
    TiltRange,
    Weights,
    Whole,
)
from tuner.configuration.section import Section
from tuner.configuration.setting_bounds import (
    DEFAULT_BASELINE,
    FURTHER,
    MAX_FINALISTS,
    MAX_MINUTES,
    MAX_STUDY_IMAGES,
    MAX_TRIALS,
)


@final
class StopSection(Section):
    """When a study ends before it has its trials; whichever comes first. A trial that runs is finished."""

    minutes: Number | None = Field(
        None,
        gt=0,
        le=MAX_MINUTES,
        description="Minutes of one run of the command: no trial begins that would not be done by then. `--time`.",
    )
    images: Whole | None = Field(
        None,
        ge=1,
        le=MAX_STUDY_IMAGES,
        description="Images that the study's trials train on in all, what they start from included; a final is extra.",
    )
    stagnation: Whole | None = Field(
        None,
        ge=1,
        le=MAX_TRIALS,
        description="Finished trials in a row of which none is better than the best before them by more than the "
        "standard error over the rung photos.",
    )
    quality: Number | None = Field(None, gt=0, le=1, description="Quality of a complete trial that is good enough.")


@final
class SearchSection(Section):
    """What is searched, how many trials, and when they are scored."""

    trials: Whole = Field(
        16,
        ge=1,
        le=MAX_TRIALS,
        description="Complete and pruned trials of the study; those that pay for its starter or scout are not run.",
    )
    objectives: Objectives = Field(
        "quality",
        description="What is maximised: `quality`, or `content_and_style` as a Pareto front, each times the artefact "
        "factor, and pruned on the quality.",
    )
    style_to_content: PositiveRange = Field(
        (0.05, 10.0), description="Range of the style weight over the content weight, searched on a logarithmic scale."
    )
    tv_to_content: PositiveRange = Field(
        (0.003, 1.0),
        description="Range of the total-variation weight over the content weight, searched on a logarithmic scale.",
    )
    style_size: StyleSizes | None = Field(
        None,
        description="Sizes of the style image that are searched besides, shorter sides in pixels, such as "
        "[96, 192, 384], `data.style_size` among them; null to have that in all trials (docs/dimensions.md).",
    )
    style_tilt: TiltRange | None = Field(
        None,
        description="Range of the style layers' tilt that is searched besides, such as [-2, 2], `loss.style_tilt` in "
        "it; null to have that in all trials.",
    )
    learning_rate: RateRange | None = Field(
        None,
        description="Range of the learning rate that is searched besides on a logarithmic scale, such as [0.0003, "
        "0.01], `training.learning_rate` in it; null to have that in all trials.",
    )
    rungs: Rungs = Field(
        (0.25, 0.5, 0.75, 1.0), description="Where a trial is scored and may be pruned, as fractions of its run."
    )
    sampler: Literal["auto", "tpe", "gp", "qmc", "random", "grid"] = Field(
        "tpe",
        description="`tpe`; `gp`, a Gaussian process, which takes longer to draw; `qmc`, quasi-random; `random`; "
        "`grid`, with `search.grid`; or `auto` (docs/search.md).",
    )
    grid: GridPoints | None = Field(
        None,
        description="With the sampler `grid`: points over each range, style : content, tv : content and, if they are "
        "searched, tilt and learning rate, evenly on its scale and with both ends; drawn in a random order. Style "
        "sizes are all taken.",
    )
    pruner: Literal["auto", "asha", "hyperband", "median", "wilcoxon", "none"] = Field(
        "median",
        description="Ends a trial at a rung: `median`, below the median of complete trials there; `asha`, not in the "
        "better half of all that came there; `hyperband`, the same in groups of trials, each of which begins at "
        "another rung; `wilcoxon`, worse than the best trial photo by photo (8 rung photos or more); `none`; or "
        "`auto` (docs/search.md).",
    )
    start: Literal["noise", "starter", "scout"] = Field(
        "noise",
        description="What a trial's network begins as: `noise`; a `starter`, one network trained as long as a trial at "
        "equal weights; or what the study's `scout` has for the trial's weights. Starter and scout are trained first, "
        "at the price of one trial and of some.",
    )
    stop: StopSection = StopSection()
    finalists: Whole = Field(
        1,
        ge=1,
        le=MAX_FINALISTS,
        description="So many of the best complete trials are trained again when the search has ended, with two further "
        "seeds each, and judged on the report photos: the best mean wins the study. 1 for no final. `--finalists`.",
    )
    baseline: Weights | None = Field(
        DEFAULT_BASELINE,
        description="Content, style and total-variation weight of the first trial; null for none. "
        "The default is left out where the ranges do not hold it. With `loss.trainer` that trial is the trainer's.",
    )
    published_baselines: Switch = Field(
        "auto",
        description="Whether a new study tries other trainers' published weights, converted to its loss, in up to one "
        "of six of its first trials (docs/trainers.md); `auto`: from 12 trials on, and not with a grid.",
    )

    @property
    def further(self) -> tuple[str, ...]:
        """Names of what is searched besides the two ratios, in the order in which it is sampled."""
        return tuple(name for name in FURTHER if getattr(self, name) is not None)

    @model_validator(mode="after")
    def _check_grid(self) -> Self:
        if self.sampler == "grid" and self.grid is None:
            raise ValueError("`search.sampler` is grid: say how many points it has with `search.grid`, such as [4, 3]")
        if self.sampler != "grid" and self.grid is not None:
            raise ValueError(
                f"`search.grid` is for the sampler grid, and `search.sampler` is {self.sampler}; leave one of them out"
            )
        ranges = [*RATIOS, *(name for name in self.further if name != "style_size")]
        if self.grid is not None and len(self.grid) != len(ranges):
            raise ValueError(
                f"`search.grid` must be {len(ranges)} numbers, the points over {', '.join(ranges)}. "
                f"Received {len(self.grid)}"
            )
        num_points = math.prod(self.grid or ()) * len(self.style_size or [None])
        if num_points > MAX_TRIALS:
            raise ValueError(
                f"`search.grid` has {num_points:,} points in all, more than the {MAX_TRIALS:,} trials that a study may "
                "have; take fewer over a range"
            )
        return self

    @model_validator(mode="after")
    def _check_pruner(self) -> Self:
        if len(self.rungs) == 1 and self.pruner in {"asha", "hyperband", "wilcoxon"}:
            raise ValueError(
                f"`search.pruner` is {self.pruner}, and `search.rungs` has no rung before the end at which a trial "
                "could be ended; take more rungs, such as [0.25, 0.5, 1], or the pruner none"
            )
        return self
