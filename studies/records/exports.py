"""Exporting trials of a study as files that say everything needed to train the finished network, and reading them."""

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, final

import yaml

from groundwork.similar_names import did_you_mean
from groundwork.whole_files import write_whole
from measures.versions import EXPORT_FORMAT
from studies.errors import ExportError
from studies.records import attributes
from studies.records.summaries import StudySummary, TrialSummary, summarise
from studies.storage.study_storage import StudyStorage

_WEIGHTS: Final = ("content", "style", "total_variation")
_FIELDS: Final[Mapping[str, type | tuple[type, ...]]] = {
    "styletuner_export": int,
    "study": str,
    "trial": int,
    "state": str,
    "quality": (int, float),
    "parts": dict,
    "images_seen": int,
    "weights": dict,
    "params": dict,
    "configuration": dict,
    "references": dict,
    "identity": dict,
    "photos": dict,
    "judge_version": str,
    "versions": dict,
    "style_image": dict,
}
"""What an exported file holds; every field is required."""


@final
@dataclass(frozen=True, kw_only=True)
class ExportedConfig:
    """An exported trial.

    Attributes:
        path: The file it was read from.
        study: Name of the study.
        trial: Number of the trial in it.
        state: "COMPLETE", or "PRUNED" if a pruned trial was asked for.
        quality: Its quality, in [0, 1], higher is better.
        parts: Parts of the quality by name.
        images_seen: Training images behind that quality.
        weights: Loss weight by term: content, style, total_variation.
        params: Optuna's parameters.
        configuration: The study's whole configuration, seeds and data recipe included.
        references: What each loss term was divided by, by use.
        identity: Hashes of the style image, photos and pretrained files.
        photos: Which photos were used for what, and where they lay.
        judge_version: Version of the judge that scored it.
        versions: Version of each package that a number may depend on.
        style_image: The style image's file.
        style_sha256: Its content hash.
    """

    path: Path
    study: str
    trial: int
    state: str
    quality: float
    parts: Mapping[str, Any]
    images_seen: int
    weights: Mapping[str, float]
    params: Mapping[str, Any]
    configuration: Mapping[str, Any]
    references: Mapping[str, Any]
    identity: Mapping[str, Any]
    photos: Mapping[str, Any]
    judge_version: str
    versions: Mapping[str, Any]
    style_image: Path
    style_sha256: str


def export_config(
    storage: StudyStorage,
    study_name: str,
    *,
    trial: int | None = None,
    top: int = 1,
    ranking: Sequence[int] | None = None,
) -> list[dict[str, Any]]:
    """Everything that is exported of some trials, but for the style image's file.

    Args:
        storage: Where the study lives.
        study_name: The study.
        trial: A finished trial's number; a pruned one may be asked for.
        top: Without `trial`: this many of the best complete trials, or as many as there are.
        ranking: Numbers of the complete trials to take the best from, best first; by default all of them by quality, of
            a study with several objectives those on its front.

    Returns:
        One dictionary a trial, best first.

    Raises:
        ExportError: If there is no such trial, or none has finished.
        StudyError: If there is no such study.
    """
    summary = summarise(storage, study_name)
    trials = _best(summary, top, ranking) if trial is None else [_numbered(summary, trial)]
    return [_content(summary, chosen) for chosen in trials]


def write_exports(
    storage: StudyStorage,
    study_name: str,
    path: Path,
    *,
    trial: int | None = None,
    top: int = 1,
    ranking: Sequence[int] | None = None,
) -> list[Path]:
    """Write trials as YAML files, with the style image beside them as "<stem>_style" and its own suffix.

    Args:
        storage: Where the study lives.
        study_name: The study.
        path: The file to write; for several trials "-1", "-2" ... are put behind its stem.
        trial: See `export_config`.
        top: See `export_config`.
        ranking: See `export_config`.

    Returns:
        The files, best first.

    Raises:
        ExportError: If there is nothing to export or a file cannot be written.
        StudyError: If there is no such study.
        StorageError: If the style image is gone.
    """
    contents = export_config(storage, study_name, trial=trial, top=top, ranking=ranking)
    style_name, style = _style_image(storage, study_name)
    style_path = path.with_name(f"{path.stem}_style{Path(style_name).suffix}")
    entry = {"file": style_path.name, "sha256": hashlib.sha256(style).hexdigest()}
    paths = [path] if len(contents) == 1 else [_numbered_path(path, index + 1) for index in range(len(contents))]
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_whole(style_path, style)
        for target, content in zip(paths, contents, strict=True):
            write_whole(target, _as_yaml({**content, "style_image": entry}))
    except OSError as error:
        raise ExportError(f"Cannot write {path}: {error.strerror or error}. Name another place with -o.") from error
    return paths


def read_exported(path: Path, *, require_style_image: bool = True) -> ExportedConfig:
    """Read an exported file.

    Args:
        path: The YAML file.
        require_style_image: Whether the style image has to lie beside it, unchanged.

    Raises:
        ExportError: If the file cannot be read or is not an exported one, or its style image is gone or another.
    """
    values = _load(path)
    _check(path, values)
    style_image = path.parent / str(values["style_image"]["file"])
    if require_style_image:
        _check_style_image(path, style_image, sha256=str(values["style_image"]["sha256"]))
    fields = {name: values[name] for name in _FIELDS if name not in {"styletuner_export", "style_image"}}
    fields["quality"] = float(fields["quality"])
    fields["weights"] = {name: float(fields["weights"][name]) for name in _WEIGHTS}
    return ExportedConfig(
        path=path, style_image=style_image, style_sha256=str(values["style_image"]["sha256"]), **fields
    )


def _best(summary: StudySummary, top: int, ranking: Sequence[int] | None) -> list[TrialSummary]:
    if top < 1:
        raise ExportError(f"`top` must be at least 1. Received {top}. Ask for one or more trials.")
    if ranking is None:
        complete = [trial for trial in summary.candidates() if trial.weights]
    else:
        named = {trial.number: trial for trial in summary.trials if trial.state == "COMPLETE" and trial.weights}
        complete = [named[number] for number in ranking if number in named]
    if not complete:
        raise ExportError(
            f"No trial of {summary.name!r} has finished yet. Run more of them with `styletuner study run`."
        )
    return complete[:top]


def _numbered(summary: StudySummary, number: int) -> TrialSummary:
    ranked = {trial.number: trial for trial in summary.ranked() if trial.weights}
    if number in ranked:
        return ranked[number]
    state = next((trial.state.lower() for trial in summary.trials if trial.number == number), None)
    is_what = f"is {state}" if state is not None else "does not exist"
    known = ", ".join(str(trial) for trial in sorted(ranked)) or "none"
    raise ExportError(f"Trial {number} of {summary.name!r} {is_what}. Choose a finished one: {known}.")


def _content(summary: StudySummary, trial: TrialSummary) -> dict[str, Any]:
    known = summary.attributes
    if attributes.CONFIGURATION not in known:
        raise ExportError(f"Study {summary.name!r} was not made by `styletuner study run`. Export another one.")
    return {
        "styletuner_export": EXPORT_FORMAT,
        "study": summary.name,
        "trial": trial.number,
        "state": trial.state,
        "quality": trial.quality,
        "parts": dict(trial.parts),
        "images_seen": trial.images_seen or 0,
        "weights": {name: trial.weights[name] for name in _WEIGHTS},
        "params": dict(trial.params),
        "configuration": known[attributes.CONFIGURATION],
        "references": known.get(attributes.REFERENCES, {}),
        "identity": known.get(attributes.IDENTITY, {}),
        "photos": known.get(attributes.PHOTOS, {}),
        "judge_version": str(known.get(attributes.JUDGE_VERSION, "")),
        "versions": known.get(attributes.VERSIONS, {}),
    }


def _style_image(storage: StudyStorage, study_name: str) -> tuple[str, bytes]:
    study = storage.read_study(study_name)
    artifact_id = study.user_attrs.get(attributes.STYLE_IMAGE)
    if artifact_id is None:
        raise ExportError(f"Study {study_name!r} keeps no style image. Resume it with `styletuner study run` first.")
    return storage.artifacts.names(study).get(artifact_id, "style.png"), storage.artifacts.path_of(
        artifact_id
    ).read_bytes()


def _numbered_path(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _as_yaml(content: Mapping[str, Any]) -> bytes:
    head = "# Exported by styletuner. Train the finished network with: styletuner train THIS_FILE -o MODEL.keras\n"
    return (head + yaml.safe_dump(dict(content), sort_keys=False, allow_unicode=True, width=120)).encode()


def _load(path: Path) -> dict[str, Any]:
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ExportError(f"Cannot read {path}: {error.strerror or error}. Name an exported file.") from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise ExportError(f"{path} is not YAML. Export it again with `styletuner study export`.") from error
    if not isinstance(values, dict) or "styletuner_export" not in values:
        raise ExportError(
            f"{path} is not an exported config. Make one with `styletuner study export NAME -o best.yaml`."
        )
    if values["styletuner_export"] != EXPORT_FORMAT:
        raise ExportError(
            f"{path} has format {values['styletuner_export']!r}, this styletuner reads {EXPORT_FORMAT}. "
            "Export it again."
        )
    return values


def _check(path: Path, values: Mapping[str, Any]) -> None:
    unknown = [str(name) for name in values if name not in _FIELDS]
    if unknown:
        raise ExportError(f"`{unknown[0]}` in {path} is not known. {did_you_mean(unknown[0], list(_FIELDS), none='')}")
    for name, kind in _FIELDS.items():
        if name not in values:
            raise ExportError(f"`{name}` is missing in {path}. Export it again with `styletuner study export`.")
        if not isinstance(values[name], kind) or isinstance(values[name], bool):
            raise ExportError(
                f"`{name}` in {path} must be {_kind_name(kind)}. Received {values[name]!r}. Export it again."
            )
    _check_numbers(path, values)
    if not {"file", "sha256"} <= set(values["style_image"]):
        raise ExportError(f"`style_image` in {path} must have `file` and `sha256`. Export it again.")


def _check_numbers(path: Path, values: Mapping[str, Any]) -> None:
    if not 0 <= values["quality"] <= 1:
        raise ExportError(f"`quality` in {path} must be in [0, 1]. Received {values['quality']!r}. Export it again.")
    weights = values["weights"]
    if set(weights) != set(_WEIGHTS):
        raise ExportError(
            f"`weights` in {path} must be {_listed(_WEIGHTS)}. Received {_listed(list(weights))}. Correct it."
        )
    for name, weight in weights.items():
        if isinstance(weight, bool) or not isinstance(weight, int | float) or not 0 <= weight < math.inf:
            raise ExportError(f"`weights.{name}` in {path} must be a number from 0. Received {weight!r}. Correct it.")


def _check_style_image(path: Path, style_image: Path, *, sha256: str) -> None:
    try:
        found = hashlib.sha256(style_image.read_bytes()).hexdigest()
    except OSError as error:
        raise ExportError(
            f"The style image {style_image} of {path} cannot be read: {error.strerror or error}. Put it back or export "
            "again."
        ) from error
    if found != sha256:
        raise ExportError(f"The style image {style_image} is not the one {path} was exported with. Put it back.")


def _kind_name(kind: type | tuple[type, ...]) -> str:
    names = {int: "a whole number", str: "text", dict: "a mapping"}
    return names[kind] if isinstance(kind, type) else "a number"


def _listed(names: Sequence[str]) -> str:
    return ", ".join(str(name) for name in names) or "nothing"
