"""An exported trial: what its file holds, and reading it."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Final, Literal, final

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, ValidationInfo, field_validator

from groundwork.errors import YamlError
from groundwork.file_hashes import sha256_of
from groundwork.wrong_fields import describe_wrong_fields
from groundwork.yaml_files import read_yaml
from measures.versions import EXPORT_FORMAT
from studies.errors import ExportError

FORMAT_FIELD: Final = "styletuner_export"
"""Only exported files have it."""

STUDY_UUID_FIELD: Final = "study_uuid"
"""In `identity`; earlier versions wrote none."""

SCOUT_FIELD: Final = "scout_sha256"
"""In `identity`, where the trials started from a scout: content hash of its file."""

STARTER_FIELD: Final = "starter_sha256"
"""The same where they started from a starter."""

SMALLEST_CONTENT_WEIGHT: Final = 1e-12
"""Far below any that is searched; divided by a smaller one, the other weights would be infinite."""

_LONGEST_VALUE: Final = 60


def _without_nul(text: str) -> str:
    if "\0" in text:
        raise ValueError("must be text without a NUL")
    return text


Text = Annotated[str, Field(strict=True), AfterValidator(_without_nul)]
Name = Annotated[Text, Field(min_length=1)]
Count = Annotated[int, Field(strict=True, ge=0)]
Number = Annotated[float, Field(strict=True, allow_inf_nan=False)]
Tree = dict[Annotated[str, Field(strict=True)], Any]
"""Values by name, or such mappings."""


class _Part(BaseModel):
    """A part of an exported file; an unknown name is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


@final
class ExportedWeights(_Part):
    """Loss weight by term; only their ratios matter."""

    content: Annotated[Number, Field(ge=SMALLEST_CONTENT_WEIGHT)]
    style: Annotated[Number, Field(ge=0)]
    total_variation: Annotated[Number, Field(ge=0)]


@final
class ExportedPhotos(_Part):
    """Which photos the study used for what: how many, content hashes, and where they lay."""

    training: Count | None = None
    rung: tuple[Name, ...]
    calibration: tuple[Name, ...]
    report: tuple[Name, ...]
    skipped: Count | None = None
    paths: tuple[Name, ...]

    @property
    def held_out(self) -> frozenset[str]:
        """Hashes of the photos that the study kept from training."""
        return frozenset((*self.rung, *self.calibration, *self.report))


@final
class ExportedStyleImage(_Part):
    """The style image's file, relative to the exported one, and its content hash."""

    file: Name
    sha256: Name


class ExportedContent(_Part):
    """What an exported file holds, name by name.

    Attributes:
        styletuner_export: Version of the format.
        study: Name of the study.
        trial: Number of the trial in it.
        state: "PRUNED" if a pruned trial was asked for.
        quality: Its quality, in [0, 1], higher is better.
        parts: Parts of the quality by name, raw terms and losses nested.
        images_seen: Training images behind that quality.
        weights: The trial's loss weights.
        params: Optuna's parameters.
        configuration: The study's whole configuration, seeds and data recipe included; `tuner` checks it.
        references: What each loss term was divided by, by use.
        identity: Hashes of the style image, photos and pretrained files, and which study it is.
        photos: Which photos were used for what, and where they lay.
        judge_version: Version of the judge that scored it; empty if it is not known.
        versions: Version of each package that a number may depend on.
        style_image: The style image's file.
        validation: What longer runs of the study's settings say; empty where there were none.
        final: What further runs of its best trials say; empty where there were none.
    """

    styletuner_export: Count
    study: Name
    trial: Count
    state: Literal["COMPLETE", "PRUNED"]
    quality: Annotated[Number, Field(ge=0, le=1)]
    parts: Tree
    images_seen: Count
    weights: ExportedWeights
    params: Tree
    configuration: Tree
    references: Tree
    identity: Tree
    photos: ExportedPhotos
    judge_version: Text
    versions: Tree
    style_image: ExportedStyleImage
    validation: Tree = Field(default_factory=dict)
    final: Tree = Field(default_factory=dict)

    @field_validator("params", "references", "parts")
    @classmethod
    def _check_numbers(cls, values: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        # A term that needs several outputs is null where there is one.
        nullable = info.field_name == "parts"
        for name, leaf in _leaves(values, str(info.field_name)):
            if not _is_number(leaf) and not (nullable and leaf is None):
                raise ValueError(f"`{name}` must be a number. Received {repr(leaf)[:_LONGEST_VALUE]}")
        return values

    @field_validator("identity", "versions")
    @classmethod
    def _check_texts(cls, values: dict[str, Any], info: ValidationInfo) -> dict[str, Any]:
        for name, leaf in _leaves(values, str(info.field_name)):
            if not isinstance(leaf, str):
                raise ValueError(f"`{name}` must be text. Received {repr(leaf)[:_LONGEST_VALUE]}")  # noqa: TRY004
        return values


@final
class ExportedConfig(ExportedContent):
    """An exported trial as it was read.

    Attributes:
        path: The file it was read from.
    """

    path: Path

    @property
    def study_uuid(self) -> str | None:
        """Which study it is, however it is called now; None in files of earlier versions."""
        return self.identity.get(STUDY_UUID_FIELD)

    @property
    def style_path(self) -> Path:
        """File of the style image."""
        return self.path.parent / self.style_image.file


def read_exported(path: Path, *, require_style_image: bool = True) -> ExportedConfig:
    """Read an exported file.

    Args:
        path: The YAML file.
        require_style_image: Whether the style image has to lie beside it, unchanged.

    Raises:
        ExportError: If the file cannot be read or is not an exported one, or its style image is gone or another; of
            wrong values, one line each.
    """
    values = _load(path)
    try:
        content = ExportedContent.model_validate(values)
    except ValidationError as error:
        lines = describe_wrong_fields(error, ExportedContent, where=f" in {path}")
        raise ExportError("\n".join(f"{line} Correct it, or export the trial again." for line in lines)) from error
    exported = ExportedConfig(path=path, **dict(content))
    if require_style_image:
        _check_style_image(exported)
    return exported


def _load(path: Path) -> dict[str, Any]:
    try:
        values = read_yaml(path)
    except YamlError as error:
        raise ExportError(f"{error} Name an exported file: `styletuner study export` writes one.") from error
    if not isinstance(values, dict) or FORMAT_FIELD not in values:
        raise ExportError(
            f"{path} is not an exported config. Make one with `styletuner study export NAME -o best.yaml`."
        )
    found = values[FORMAT_FIELD]
    if found != EXPORT_FORMAT or isinstance(found, bool):
        raise ExportError(f"{path} has format {found!r}, this styletuner reads {EXPORT_FORMAT}. Export it again.")
    return values


def _check_style_image(exported: ExportedConfig) -> None:
    style = exported.style_path
    try:
        if style.exists() and not style.is_file():
            raise ExportError(
                f"The style image {style} of {exported.path} is no regular file. Correct it, or export the trial again."
            )
        found = sha256_of(style)
    except OSError as error:
        raise ExportError(
            f"The style image {style} of {exported.path} cannot be read: {error.strerror or error}. Put it back or "
            "export again."
        ) from error
    if found != exported.style_image.sha256:
        raise ExportError(f"The style image {style} is not the one {exported.path} was exported with. Put it back.")


def _leaves(values: Mapping[Any, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for key, value in values.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{prefix}.{key}")
        else:
            yield f"{prefix}.{key}", value


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and abs(value) < float("inf")
