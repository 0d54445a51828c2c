"""Exporting trials of a study as files that say everything needed to train the finished network."""

import hashlib
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from groundwork.output_files import check_output, free_path
from groundwork.whole_files import write_whole
from groundwork.yaml_files import dump_yaml
from measures.search_ranges import near_ends
from measures.versions import EXPORT_FORMAT
from studies.errors import ExportError
from studies.records.exported_config import FORMAT_FIELD, STUDY_UUID_FIELD, ExportedWeights
from studies.records.study_record import StudyRecord, ranges_of
from studies.records.summaries import StudySummary, TrialSummary, summarise
from studies.records.trial_references import trial_references
from studies.records.trial_words import listed_ends, listed_numbers, state_word
from studies.storage.addresses import storage_files
from studies.storage.study_storage import StudyStorage

SUFFIXES: Final = (".yaml", ".yml")
"""Of exported files."""


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
        ExportError: If there is no such trial, none has finished, or the study is not ours.
        StudyError: If there is no such study.
    """
    summary = summarise(storage, study_name)
    if not summary.record.is_ours:
        raise ExportError(f"Study {summary.name!r} was not made by `styletuner study run`. Export another one.")
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

    Earlier exports are replaced, other files never: a style image whose name is taken gets a number.

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
        ExportError: If there is nothing to export or the disk refuses.
        OutputError: If an exported file cannot be written, or would take another's place.
        StudyError: If there is no such study.
        StorageError: If the style image is gone.
    """
    contents = export_config(storage, study_name, trial=trial, top=top, ranking=ranking)
    paths = [path] if len(contents) == 1 else [_numbered_path(path, index + 1) for index in range(len(contents))]
    kept = storage_files(storage.url)
    for target in paths:
        check_output(target, called="The export", suffixes=SUFFIXES, is_ours=is_export, kept=kept)
    style_name, style = _style_image(storage, study_name)
    # One that other exports beside this one name stays with them.
    style_path = free_path(
        path.with_name(f"{path.stem}_style{Path(style_name).suffix}"),
        is_ours=lambda there: there.read_bytes() == style,
        kept=kept,
    )
    entry = {"file": style_path.name, "sha256": hashlib.sha256(style).hexdigest()}
    try:
        if not style_path.exists():
            write_whole(style_path, style)
        for target, content in zip(paths, contents, strict=True):
            write_whole(target, _as_yaml({**content, "style_image": entry}))
    except OSError as error:
        raise ExportError(f"{path} cannot be written: {error.strerror or error}. Choose another place.") from error
    return paths


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
    state = next((state_word(trial.state) for trial in summary.trials if trial.number == number), None)
    is_what = f"is {state}" if state is not None else "does not exist"
    known = listed_numbers(sorted(ranked)) or "none"
    raise ExportError(f"Trial {number} of {summary.name!r} {is_what}. Choose a finished one: {known}.")


def _content(summary: StudySummary, trial: TrialSummary) -> dict[str, Any]:
    record = summary.record
    return {
        FORMAT_FIELD: EXPORT_FORMAT,
        "study": summary.name,
        "trial": trial.number,
        "state": trial.state,
        "quality": trial.quality,
        "parts": dict(trial.parts),
        "images_seen": trial.images_seen or 0,
        "weights": {name: trial.weights[name] for name in ExportedWeights.model_fields},
        "params": trial.values_run,
        "configuration": dict(record.configuration),
        "references": trial_references(record.references, trial.params),
        "identity": _identity(summary),
        "photos": record.photos.to_attribute(),
        "judge_version": record.judge_version,
        "versions": dict(record.versions),
        **_final(summary),
        **_validation(summary),
    }


def is_export(path: Path) -> bool:
    """Whether a file was exported before, even if it was edited since."""
    return re.search(rf"^{FORMAT_FIELD}:".encode(), path.read_bytes(), re.MULTILINE) is not None


def _identity(summary: StudySummary) -> dict[str, Any]:
    """Which study it is goes in here: earlier versions refuse a name at the top that they do not know."""
    known = {STUDY_UUID_FIELD: summary.uuid} if summary.uuid else {}
    return {**summary.record.identity, **known}


def _final(summary: StudySummary) -> dict[str, Any]:
    """What the study's final says of who is best, if it does; see `_identity` for why it is left out if not."""
    found = summary.record.final
    return {} if found is None or summary.final is None else {"final": found.as_dict()}


def _validation(summary: StudySummary) -> dict[str, Any]:
    """What longer runs of the study's settings say, if they are done; see `_identity` for why it is left out if not."""
    found = summary.record.validation
    return {} if found is None or found.outcome() is None else {"validation": found.as_dict()}


def _style_image(storage: StudyStorage, study_name: str) -> tuple[str, bytes]:
    study = storage.read_study(study_name)
    artifact_id = StudyRecord.parse(study.user_attrs).style_image
    if artifact_id is None:
        raise ExportError(f"Study {study_name!r} keeps no style image. Resume it with `styletuner study run` first.")
    return storage.artifacts.names(study).get(artifact_id, "style.png"), storage.artifacts.read(artifact_id)


def _numbered_path(path: Path, number: int) -> Path:
    return path.with_name(f"{path.stem}-{number}{path.suffix}")


def _as_yaml(content: Mapping[str, Any]) -> bytes:
    head = "# Exported by styletuner. Train the finished network with: styletuner train THIS_FILE -o MODEL.keras\n"
    ends = near_ends(content["params"], ranges_of(content["configuration"]))
    if ends:
        head += f"# Near an end of what was searched: {listed_ends(ends)}. A better one may lie beyond.\n"
    return (head + dump_yaml(content)).encode()
