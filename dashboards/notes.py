"""Notes that optuna-dashboard shows with a study and with each trial: what it is, its pictures, how to use it."""

import math
import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

import optuna
import yaml
from optuna_dashboard import get_note, save_note
from optuna_dashboard._note import note_ver_key
from optuna_dashboard.artifact import get_artifact_path

from measures.quality import PART_LABELS
from studies.records import attributes
from studies.records.summaries import StudySummary, TrialSummary, summarise
from studies.records.trial_words import counted_states, ties_in_words
from studies.storage.study_storage import StudyStorage, storage_errors

END_OF_NOTE: Final = "*styletuner rewrites what stands above. What you write below stays.*"
"""Last line of a study's note that is ours; a person may add text below in the dashboard."""


def study_note(summary: StudySummary, *, style_picture: str | None = None, storage: str | None = None) -> str:
    """Describes a study: its best weights, how far it is, how to export it, its configuration.

    Args:
        summary: the study.
        style_picture: address of the style image on the dashboard.
        storage: where the study lies, as `--storage` takes it, without a password; left out for the default.

    Returns:
        Markdown text.
    """
    lines = [f"# {_code(summary.name)}", "", _progress(summary), "", *_best(summary), "## Use the best weights", ""]
    lines += [
        "```",
        f"styletuner study export {shlex.quote(summary.name)} -o best.yaml{_storage_option(storage)}",
        "styletuner train best.yaml -o best.keras",
        "styletuner stylize best.keras photo.jpg -o out/",
        "```",
        "",
    ]
    if style_picture is not None:
        lines += ["## Style image", "", f"![style image]({style_picture})", ""]
    if summary.record.is_ours:
        configuration = yaml.safe_dump(dict(summary.record.configuration), sort_keys=False).rstrip()
        lines += ["## Configuration", "", "```yaml", configuration, "```", ""]
    return "\n".join([*lines, "---", END_OF_NOTE, ""])


def trial_note(
    summary: TrialSummary, *, study_name: str, picture: str | None = None, storage: str | None = None
) -> str:
    """Describes a trial: its pictures, quality with parts, weights, how it ended, how to export it.

    Args:
        summary: the trial.
        study_name: the study it belongs to.
        picture: address of its contact sheet on the dashboard.
        storage: where the study lies, as for `study_note`.

    Returns:
        Markdown text.
    """
    lines = [f"![photos above, outputs below]({picture})", ""] if picture is not None else []
    lines += [f"**Quality {_number(summary.quality)}** (0 to 1, higher is better)", ""]
    lines += [*_quality_table(summary.parts), *_weights_table(summary.weights)]
    if summary.lowered_by:
        lines += [f"Lowered by: {summary.reasons()}", ""]
    ending = [f"{summary.images_seen} images seen"] if summary.images_seen else []
    ending += [f"{summary.seconds:.0f} s"] if summary.seconds else []
    ending += [summary.reason] if summary.reason else []
    if ending:
        lines += [" · ".join(ending), ""]
    named = f"{shlex.quote(study_name)} --trial {summary.number} -o trial-{summary.number}.yaml"
    lines += ["```", f"styletuner study export {named}{_storage_option(storage)}", "```"]
    return "\n".join([*lines, ""])


def save_notes(storage: StudyStorage) -> None:
    """Writes the notes of every study that styletuner made, for optuna-dashboard to show.

    Raises:
        StorageError: if the storage cannot be read or written.
    """
    for name in storage.study_names():
        if attributes.CONFIGURATION in storage.read_study(name).user_attrs:
            save_study_notes(storage, name)


def save_study_notes(storage: StudyStorage, study_name: str) -> None:
    """Writes the note of one study, and that of each finished trial which has none.

    Text that a person added to the study's note below our last line is kept; the study's note is written only when it
    changes.

    Args:
        storage: a storage opened for writing.
        study_name: the study.

    Raises:
        StudyError: if there is no such study.
        StorageError: if the storage cannot be read or written.
    """
    summary = summarise(storage, study_name)
    # Writing a note asks the sampler nothing; the random one needs no history to be made.
    study = storage.load_study(study_name, sampler=optuna.samplers.RandomSampler())
    with storage_errors(storage.url):
        style = summary.attributes.get(attributes.STYLE_IMAGE)
        picture = get_artifact_path(study, style) if style else None
        ours = study_note(summary, style_picture=picture, storage=storage.name)
        old = get_note(study)
        new = ours + _added_by_people(old)
        if new != old:
            save_note(study, new)
        _save_trial_notes(study, summary.trials, storage=storage.name)


def _save_trial_notes(study: optuna.Study, summaries: Sequence[TrialSummary], *, storage: str) -> None:
    # One look at all notes: get_note would read them all again for each trial.
    noted = study._storage.get_study_system_attrs(study._study_id)
    finished = {trial.number: trial for trial in study.get_trials(deepcopy=False) if trial.state.is_finished()}
    for summary in summaries:
        frozen = finished.get(summary.number)
        if frozen is None or note_ver_key(frozen._trial_id) in noted:
            continue
        # save_note asks for a running trial, though it works for finished ones: their notes lie with the study.
        trial = optuna.Trial(study, frozen._trial_id)
        sheet = summary.pictures.get("sheet")
        path = get_artifact_path(trial, sheet) if sheet else None
        save_note(trial, trial_note(summary, study_name=study.study_name, picture=path, storage=storage))


def _storage_option(storage: str | None) -> str:
    return f" --storage {shlex.quote(storage)}" if storage else ""


def _added_by_people(note: str) -> str:
    """What follows our last line; a note without that line is all by people."""
    before, found, after = note.partition(END_OF_NOTE + "\n")
    if found:
        return after
    return f"\n{before}" if before else ""


def _progress(summary: StudySummary) -> str:
    started = f"Started {summary.created:%Y-%m-%d %H:%M} UTC. " if summary.created else ""
    return f"{started}Trials: {counted_states(summary.num_by_state) or 'none yet'}."


def _best(summary: StudySummary) -> list[str]:
    best = summary.best
    if best is None:
        return ["No trial has finished yet.", ""]
    heading = f"**Best so far: trial {best.number}, quality {_number(best.quality)}** (0 to 1, higher is better)"
    return [heading, "", *_ties(summary), *_quality_table(best.parts), *_weights_table(best.weights), *_front(summary)]


def _ties(summary: StudySummary) -> list[str]:
    ties = ties_in_words(summary.tied_with_best)
    return [ties, ""] if ties else []


def _front(summary: StudySummary) -> list[str]:
    """The trials that a study with several objectives leaves to choose from; nothing where there is one objective."""
    front = summary.front()
    if not front:
        return []
    heads = ["trial", *summary.objectives, "quality"]
    rows = [[str(trial.number), *map(_number, trial.values), _number(trial.quality)] for trial in front]
    return [
        f"**On the front of {' and '.join(summary.objectives)}** (no other trial is as good in both and better in one)",
        "",
        *_table(heads, *rows),
        "`styletuner study export --prefer content|style|balanced|0.0-1.0` picks from it.",
        "",
    ]


def _quality_table(parts: Mapping[str, Any]) -> list[str]:
    known = {name: parts[key] for key, name in PART_LABELS.items() if isinstance(parts.get(key), int | float)}
    return _table([*known], [_number(value) for value in known.values()])


def _weights_table(weights: Mapping[str, float]) -> list[str]:
    names = [f"{name.replace('_', ' ')} weight" for name in weights]
    return _table(names, [f"{value:.4g}" for value in weights.values()])


def _table(heads: Sequence[str], *cells: Sequence[str]) -> list[str]:
    if not heads:
        return []
    rows = (heads, ["---"] * len(heads), *cells)
    return [*(f"| {' | '.join(row)} |" for row in rows), ""]


def _number(value: float | None) -> str:
    return f"{value:.3f}" if value is not None and math.isfinite(value) else "none"


def _code(text: str) -> str:
    """Text that Markdown leaves as it is."""
    return f"`{text.replace('`', chr(39))}`"
