"""The sheet of a study's long runs: what each setting paints at their end."""

from typing import Final

from dashboards.contact_sheet import SheetRow, contact_sheet
from dashboards.shown_pictures import read_strip, shown_pictures
from measures.loss_weights import LossWeights
from measures.quality import PART_LABELS
from studies.records.summaries import StudySummary
from studies.records.trial_words import further_by_name
from studies.records.validation import Validation, ValidationRun
from studies.storage.study_storage import StudyStorage

ENDED: Final = "COMPLETE"
DIVERGED: Final = "FAIL"


def validation_sheet(storage: StudyStorage, summary: StudySummary, validation: Validation) -> bytes:
    """Draw style image and rung photos on top, then what each setting paints after its long run, best first.

    Returns:
        A PNG file's bytes.

    Raises:
        SheetError: The study keeps no rung photos.
        StorageError: A picture is gone.
    """
    photos, style = shown_pictures(storage, summary)
    rows = [_row(storage, validation, run, num_photos=len(photos)) for run in validation.ranked()]
    return contact_sheet(
        photos,
        style,
        rows,
        title=f"{summary.name}, {'trained on' if validation.is_extension else 'validated'}",
        subtitle=f"{validation.images:,} images each, crops of {validation.crop_size} px; a trial has "
        f"{validation.short_run:,} images",
    )


def _row(storage: StudyStorage, validation: Validation, run: ValidationRun, *, num_photos: int) -> SheetRow:
    outputs = [] if run.outputs is None else read_strip(storage, run.outputs, num_pictures=num_photos)
    weights = LossWeights.normalised(content=1.0, style=run.style_to_content, total_variation=run.tv_to_content)
    marks = {validation.baseline: "baseline", validation.winner: "the study's best"}
    return SheetRow(
        number=run.trial,
        state=DIVERGED if run.diverged else ENDED,
        weights=weights.to_dict(),
        quality=None if run.diverged else validation.quality_of(run),
        parts={label: run.parts[name] for name, label in PART_LABELS.items() if name in run.parts},
        outputs=outputs,
        note=run.diverged or marks.get(run.trial, ""),
        further=further_by_name(run.further),
    )
