"""The contact sheet of a whole study, from what its storage keeps."""

import numpy as np
from numpy.typing import NDArray

from dashboards.contact_sheet import SheetRow, contact_sheet
from dashboards.errors import SheetError
from measures.quality import PART_LABELS
from studies.records import attributes
from studies.records.style_picture import read_style_picture
from studies.records.summaries import StudySummary, TrialSummary
from studies.storage.picture_strips import decode_strip
from studies.storage.study_storage import StudyStorage


def study_contact_sheet(storage: StudyStorage, summary: StudySummary) -> bytes:
    """Draw a study: style image and rung photos on top, then each finished trial's last outputs, best first.

    Returns:
        A PNG file's bytes.

    Raises:
        SheetError: The study has no pictures yet.
        StorageError: An artefact is gone.
    """
    if attributes.RUNG_PHOTOS not in summary.attributes:
        raise SheetError(f"Study {summary.name!r} has no pictures yet. Run a trial of it first: styletuner study run")
    num_photos = len(summary.attributes[attributes.PHOTOS]["rung"])
    photos = _strip(storage, summary.attributes[attributes.RUNG_PHOTOS], num_photos)
    style = read_style_picture(storage, summary)
    front = {trial.number for trial in summary.front()}
    marks = dict.fromkeys(summary.tied_with_best, "tied with the best") | dict.fromkeys(front, "on the front")
    rows = [_row(storage, trial, num_photos, mark=marks.get(trial.number, "")) for trial in summary.ranked()]
    configuration = summary.attributes.get(attributes.CONFIGURATION, {})
    images = configuration.get("training", {}).get("images")
    subtitle = f"{summary.num_finished} trials, best first" + (f"; up to {images} images each" if images else "")
    return contact_sheet(list(photos), style, rows, title=summary.name, subtitle=subtitle)


def _row(storage: StudyStorage, trial: TrialSummary, num_photos: int, *, mark: str) -> SheetRow:
    strip = trial.pictures.get("outputs")
    outputs = list(_strip(storage, strip, num_photos)) if strip else []
    parts = {name: float(trial.parts[key]) for key, name in PART_LABELS.items() if key in trial.parts}
    note = f"after {trial.images_seen} images" if trial.state == "PRUNED" else mark
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
    )


def _strip(storage: StudyStorage, artifact_id: str, num_photos: int) -> NDArray[np.float32]:
    return decode_strip(storage.artifacts.path_of(artifact_id).read_bytes(), num_pictures=num_photos)
