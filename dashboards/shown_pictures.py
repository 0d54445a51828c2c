"""The pictures that sheets of a study show beside each other: its rung photos, its style image, what was painted."""

import numpy as np
from numpy.typing import NDArray

from dashboards.errors import SheetError
from studies.records.style_picture import read_style_picture
from studies.records.summaries import StudySummary
from studies.storage.picture_strips import decode_strip
from studies.storage.study_storage import StudyStorage


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
        raise SheetError(f"Study {summary.name!r} has no pictures yet. Run a trial of it first: styletuner study run")
    photos = read_strip(storage, record.rung_photos, num_pictures=len(record.photos.rung))
    return photos, read_style_picture(storage, summary)


def read_strip(storage: StudyStorage, artifact_id: str, *, num_pictures: int) -> list[NDArray[np.float32]]:
    """Return the pictures of a strip that the study keeps, (size, size, 3) each, in [0, 1].

    Raises:
        StorageError: The strip is gone.
    """
    return list(decode_strip(storage.artifacts.read(artifact_id), num_pictures=num_pictures))
