"""Notes that optuna-dashboard shows with a study and its trials: what each is, its pictures, how to use it."""

import math
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

import yaml

from measures.quality import PART_LABELS
from studies.records.final_words import ties_or_final_in_words
from studies.records.published_words import published_in_words
from studies.records.scout_words import scout_in_words
from studies.records.summaries import StudySummary, TrialSummary
from studies.records.trial_words import counted_states, further_by_name, near_ends_in_words, origin_in_words

END_OF_NOTE: Final = "*styletuner rewrites what stands above. What you write below stays.*"
"""Last line of a note that is ours; a person may add text below in the dashboard."""

MAX_NOTED: Final = 50
"""Trials that have a note for being among the best, and among the newest: with these 100 the data of a page of 3,000
trials takes half a second, with 3,000 notes it took eight (benchmarks/many_notes.py)."""

MAX_FRONT_ROWS: Final = 20
"""Rows of the table of a front, which with hundreds of trials may hold dozens."""

ENDED_STATES: Final = ("COMPLETE", "PRUNED", "FAIL")
"""Of a trial that changes no more."""

_NOTE_OF_EARLIER_VERSIONS: Final = re.compile(
    r"(!\[photos above, outputs below\]\([^)]*\)\n\n)?\*\*Quality .*\n```\nstyletuner study export [^\n]*\n```\n",
    re.DOTALL,
)
"""A trial's note as it was written before it had `END_OF_NOTE`."""


def study_note(
    summary: StudySummary,
    *,
    style_picture: str | None = None,
    scout_sheet: str | None = None,
    storage: str | None = None,
) -> str:
    """Describes a study: its best weights, how far it is, how to export it, its configuration.

    Args:
        summary: the study.
        style_picture: address of the style image on the dashboard.
        scout_sheet: address of the sheet of its scout there.
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
    if scout_sheet is not None:
        lines += ["## What the weights do", "", f"![one photo over a grid of both ratios]({scout_sheet})", ""]
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
    lines += [*_quality_table(summary.parts), *_weights_table(summary)]
    if summary.lowered_by:
        lines += [f"Lowered by: {summary.reasons()}", ""]
    ending = [
        origin_in_words(
            is_baseline=summary.is_baseline,
            foretold=summary.foretold,
            published=summary.published,
            taken_from=summary.taken_from,
        )
    ]
    ending = [words[0].upper() + words[1:] for words in ending if words]
    ending += [f"{summary.images_seen} images seen"] if summary.images_seen else []
    ending += [f"{summary.seconds:.0f} s"] if summary.seconds else []
    ending += [summary.reason] if summary.reason else []
    if ending:
        lines += [" · ".join(ending), ""]
    named = f"{shlex.quote(study_name)} --trial {summary.number} -o trial-{summary.number}.yaml"
    lines += ["```", f"styletuner study export {named}{_storage_option(storage)}", "```", "", "---", END_OF_NOTE]
    return "\n".join([*lines, ""])


def noted_trials(summary: StudySummary) -> set[int]:
    """Numbers of the ended trials that have a note: the best and the newest, and those on the front.

    optuna-dashboard looks at all notes of a study for each of its trials, so that its pages would take a minute.
    """
    ended = [trial.number for trial in summary.trials if trial.state in ENDED_STATES]
    best = [trial.number for trial in (*summary.front()[:MAX_NOTED], *summary.ranked()[:MAX_NOTED])]
    return {*best, *ended[-MAX_NOTED:]}


def merged_study_note(ours: str, old: str) -> str:
    """Our text, with what people wrote below the old one; an old note that is not ours is all by people."""
    added = _added_by_people(old)
    if added is None:
        added = f"\n{old}" if old else ""
    return ours + added


def merged_trial_note(ours: str, old: str) -> str | None:
    """Our text, with what people wrote below the old one; None if people replaced ours, so that it has to stay."""
    added = _added_by_people(old)
    if added is None:
        return ours if not old or _NOTE_OF_EARLIER_VERSIONS.fullmatch(old) else None
    return ours + added


def is_only_ours(note: str) -> bool:
    """Whether a trial's note may be removed: nobody has written into it."""
    return _added_by_people(note) == "" or not note or _NOTE_OF_EARLIER_VERSIONS.fullmatch(note) is not None


def _storage_option(storage: str | None) -> str:
    return f" --storage {shlex.quote(storage)}" if storage else ""


def _added_by_people(note: str) -> str | None:
    """What follows our last line; None if it is not there."""
    if note.endswith(END_OF_NOTE):
        return ""
    _, found, after = note.partition(END_OF_NOTE + "\n")
    return after if found else None


def _progress(summary: StudySummary) -> str:
    started = f"Started {summary.created:%Y-%m-%d %H:%M} UTC. " if summary.created else ""
    without = sum(summary.num_by_state.get(state, 0) for state in ENDED_STATES) - len(noted_trials(summary))
    notes = f" The best and the newest have notes, {without} others have none." if without > 0 else ""
    return f"{started}Trials: {counted_states(summary.num_by_state) or 'none yet'}.{notes}{_origin(summary)}"


def _origin(summary: StudySummary) -> str:
    """What its trials come from, and which judge scored it, where there was another one before."""
    widened, came_from, scout = summary.record.widened_from, summary.record.rescored_from, summary.record.scout
    begins = ""
    if scout is not None and summary.scout is not None:
        begins = f" {scout_in_words(scout, summary.scout, rescored_from=came_from)}"
    if summary.record.starter is not None:
        begins = f" {summary.record.starter.in_words()}"
    if widened is not None:
        return f"{begins} {replace(widened, name=_code(widened.name)).in_words()}."
    if came_from is None:
        return begins
    before = f"{_code(came_from.name)} (judge version {came_from.judge_version})"
    return f"{begins} Re-scored by judge version {summary.record.judge_version} from {before}, whose pictures they are."


def _best(summary: StudySummary) -> list[str]:
    best = summary.best
    if best is None:
        return ["No trial has finished yet.", ""]
    told = "Best" if summary.final is not None else "Best so far"
    heading = f"**{told}: trial {best.number}, quality {_number(best.quality)}** (0 to 1, higher is better)"
    return [
        heading,
        "",
        *_remarks(summary),
        *_quality_table(best.parts),
        *_weights_table(best),
        *_front(summary),
    ]


def _remarks(summary: StudySummary) -> list[str]:
    """Which trials are as good as the best, whether a better one may lie beyond, and what people's defaults came to."""
    ends = near_ends_in_words(summary.near_ends, study=summary.name, has_scout=summary.scout is not None)
    published = published_in_words(summary).replace("\n", "\n\n")
    remarks = (ties_or_final_in_words(summary), ends, published)
    return [line for remark in remarks if remark for line in (remark, "")]


def _front(summary: StudySummary) -> list[str]:
    """The trials that a study with several objectives leaves to choose from; nothing where there is one objective."""
    front = summary.front()
    if not front:
        return []
    heads = ["trial", *summary.objectives, "quality"]
    shown = front[:MAX_FRONT_ROWS]
    rows = [[str(trial.number), *map(_number, trial.values), _number(trial.quality)] for trial in shown]
    more = [f"And {len(front) - len(shown)} more.", ""] if len(shown) < len(front) else []
    return [
        f"**On the front of {' and '.join(summary.objectives)}** (no other trial is as good in both and better in one)",
        "",
        *_table(heads, *rows),
        *more,
        "`styletuner study export --prefer content|style|balanced|0.0-1.0` picks from it.",
        "",
    ]


def _quality_table(parts: Mapping[str, Any]) -> list[str]:
    known = {name: parts[key] for key, name in PART_LABELS.items() if isinstance(parts.get(key), int | float)}
    return _table([*known], [_number(value) for value in known.values()])


def _weights_table(trial: TrialSummary) -> list[str]:
    """The loss weights, and what the trial has of its own besides."""
    shown = {f"{name.replace('_', ' ')} weight": f"{value:.4g}" for name, value in trial.weights.items()}
    shown |= further_by_name(trial.params)
    return _table([*shown], [*shown.values()])


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
