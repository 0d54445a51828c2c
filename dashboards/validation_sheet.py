"""The sheet of a study's long runs: what each setting paints at their end."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashboards.contact_sheet import SheetRow, contact_sheet
from dashboards.errors import SheetError
from measures.loss_weights import LossWeights
from measures.quality import PART_LABELS
from studies.records.style_picture import read_style_picture
from studies.records.summaries import StudySummary
from studies.records.validation import Validation, ValidationRun
from studies.storage.picture_strips import decode_strip
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
        title=f"{summary.name}, validated",
        subtitle=f"{validation.images:,} images each, crops of {validation.crop_size} px; a trial has "
        f"{validation.short_run:,} images",
    )


def shown_pictures(
    storage: StudyStorage, summary: StudySummary
) -> tuple[list[NDArray[np.float32]], NDArray[np.float32]]:
    """Return the rung photos, (size, size, 3) each, and the style image, (height, width, 3), in [0, 1].

    Raises:
        SheetError: The study keeps no rung photos.
        StorageError: A picture is gone.
    """
    record = summary.record
    if record.rung_photos is None or not record.photos.rung:
        raise SheetError(f"Study {summary.name!r} keeps no rung photos. Go on with it first: styletuner study run")
    num_photos = len(record.photos.rung)
    photos = decode_strip(storage.artifacts.path_of(record.rung_photos).read_bytes(), num_pictures=num_photos)
    return list(photos), read_style_picture(storage, summary)


def _row(storage: StudyStorage, validation: Validation, run: ValidationRun, *, num_photos: int) -> SheetRow:
    outputs = []
    if run.outputs is not None:
        strip = storage.artifacts.path_of(run.outputs).read_bytes()
        outputs = list(decode_strip(strip, num_pictures=num_photos))
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
    )
