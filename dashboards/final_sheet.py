"""The sheet of a study's final: what each finalist painted of the report photos, with each seed."""

from collections.abc import Iterator

from dashboards.contact_sheet import SheetRow, contact_sheet
from dashboards.errors import SheetError
from dashboards.shown_pictures import read_strip
from dashboards.validation_sheet import DIVERGED, ENDED
from measures.quality import PART_LABELS
from studies.records.final import FinalOutcome, FinalRun, StudyFinal
from studies.records.final_words import final_mark
from studies.records.style_picture import read_style_picture
from studies.records.summaries import StudySummary, TrialSummary
from studies.records.trial_words import further_by_name
from studies.storage.study_storage import StudyStorage


def final_sheet(storage: StudyStorage, summary: StudySummary) -> bytes:
    """Draw style image and report photos on top, then a row for each fresh run, the winner's first.

    Returns:
        A PNG file's bytes.

    Raises:
        SheetError: The study has no final, or keeps no pictures of it.
        StorageError: A picture is gone.
    """
    found = summary.record.final
    outcome = None if found is None else found.outcome()
    if found is None or outcome is None or found.photos is None:
        raise SheetError(f"Study {summary.name!r} keeps no pictures of a final. Run it with --finalists 3.")
    photos = read_strip(storage, found.photos, num_pictures=len(summary.record.photos.report))
    rows = list(_rows(storage, summary, found, outcome, num_photos=len(photos)))
    return contact_sheet(
        photos,
        read_style_picture(storage, summary),
        rows,
        title=f"{summary.name}, the final",
        subtitle=f"the report photos; {len(found.seeds)} fresh runs of each finalist, the best mean first",
    )


def _rows(
    storage: StudyStorage, summary: StudySummary, found: StudyFinal, outcome: FinalOutcome, *, num_photos: int
) -> Iterator[SheetRow]:
    runs = {run.key: run for run in found.runs}
    trials = {trial.number: trial for trial in summary.trials}
    for finalist in outcome.finalists:
        mark = final_mark(summary, finalist.trial)
        for seed in found.seeds:
            run, trial = runs[finalist.trial, seed], trials.get(finalist.trial)
            if trial is not None:
                yield _row(storage, run, trial, mark=mark, num_photos=num_photos)


def _row(storage: StudyStorage, run: FinalRun, trial: TrialSummary, *, mark: str, num_photos: int) -> SheetRow:
    return SheetRow(
        number=run.trial,
        state=DIVERGED if run.diverged else ENDED,
        weights=trial.weights,
        quality=None if run.diverged else run.quality,
        parts={label: run.parts[name] for name, label in PART_LABELS.items() if name in run.parts},
        outputs=[] if run.outputs is None else read_strip(storage, run.outputs, num_pictures=num_photos),
        note=run.diverged or ", ".join(filter(None, [f"seed {run.seed}", mark])),
        further=further_by_name(trial.params),
    )
