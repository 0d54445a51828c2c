"""The contact sheet of a whole study, from what its storage keeps."""

from collections.abc import Collection
from typing import Final

from dashboards.contact_sheet import SheetRow, contact_sheet
from dashboards.shown_pictures import read_strip, shown_pictures
from measures.quality import PART_LABELS
from studies.records.final_words import final_mark
from studies.records.summaries import StudySummary, TrialSummary
from studies.records.trial_words import further_by_name
from studies.storage.study_storage import StudyStorage

MAX_ROWS: Final = 60
"""Rows of a sheet: 60 are 14,000 pixels high and take some 140 MB while they are drawn; a thousand took 2.3 GB."""


def study_contact_sheet(storage: StudyStorage, summary: StudySummary) -> bytes:
    """Draw a study: style image and rung photos on top, then the last outputs of finished trials, best first.

    Of many trials `MAX_ROWS` are drawn: those on the front and the best of the others; the sheet counts the rest.

    Returns:
        A PNG file's bytes.

    Raises:
        SheetError: The study has no pictures yet.
        StorageError: An artifact is gone.
    """
    photos, style = shown_pictures(storage, summary)
    front = {trial.number for trial in summary.front()}
    marks = dict.fromkeys(summary.tied_with_best, "tied with the best") | dict.fromkeys(front, "on the front")
    ranked = summary.ranked()
    marks |= {trial.number: mark for trial in ranked if (mark := final_mark(summary, trial.number))}
    chosen = _chosen(ranked, front)
    rows = [_row(storage, trial, len(photos), mark=marks.get(trial.number, "")) for trial in chosen]
    subtitle = f"{summary.num_finished} trials, best first"
    subtitle += f", {len(ranked) - len(chosen)} of them left out" if len(chosen) < len(ranked) else ""
    subtitle += f"; published defaults: {_published(summary)}" if summary.published() else ""
    subtitle += f"; up to {summary.record.images} images each" if summary.record.images else ""
    return contact_sheet(photos, style, rows, title=summary.name, subtitle=subtitle)


def _published(summary: StudySummary) -> str:
    """Return what each came to, in brief."""
    told = [
        f"{'/'.join(one.trainer for one in trial.published.defaults)} {trial.quality:.2f}"
        for trial in summary.published()
        if trial.published is not None and trial.quality is not None
    ]
    return ", ".join(told) or "none finished"


def _chosen(ranked: list[TrialSummary], front: Collection[int]) -> list[TrialSummary]:
    """Return the trials to draw, in the order given: the front goes before what is better but not on it."""
    front_first = sorted(ranked, key=lambda trial: trial.number not in front)
    chosen = {trial.number for trial in front_first[:MAX_ROWS]}
    return [trial for trial in ranked if trial.number in chosen]


def _row(storage: StudyStorage, trial: TrialSummary, num_photos: int, *, mark: str) -> SheetRow:
    strip = trial.pictures.get("outputs")
    outputs = read_strip(storage, strip, num_pictures=num_photos) if strip else []
    parts = {name: float(trial.parts[key]) for key, name in PART_LABELS.items() if key in trial.parts}
    ending = f"after {trial.images_seen} images" if trial.state == "PRUNED" else mark
    origin = "" if trial.taken_from is None else trial.taken_from.in_words()
    if trial.published is not None:
        origin = f"defaults of {'/'.join(one.trainer for one in trial.published.defaults)}"
    note = ", ".join(filter(None, [ending, origin]))
    if not note and trial.lowered_by:
        note = str(trial.lowered_by[0]["text"])
    return SheetRow(
        number=trial.number,
        state=trial.state,
        weights=trial.weights,
        quality=trial.quality,
        parts=parts,
        outputs=outputs,
        note=note,
        further=further_by_name(trial.params),
    )
