"""The style image of a study as people see it: as it was judged, and small."""

import io
from typing import Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studies.errors import StorageError
from studies.records.summaries import StudySummary
from studies.storage.study_storage import StudyStorage

STYLE_HEIGHT: Final = 512
"""Pixels to which a style image is shrunk before it is drawn: more than a sheet shows, less than a scan holds."""

MAX_STYLE_ASPECT: Final = 4
"""A style image wider than so many times its height is shrunk by its width."""


def read_style_picture(storage: StudyStorage, summary: StudySummary) -> NDArray[np.float32]:
    """Read a study's style image, as it was judged, as small as it is drawn: (height, width, 3) in [0, 1].

    Raises:
        StorageError: It is gone or damaged.
    """
    artifact = summary.record.style_picture or summary.record.style_image
    if artifact is None:
        raise StorageError(f"Study {summary.name!r} keeps no style image. Go on with it first: styletuner study run")
    content = storage.artifacts.read(artifact)
    try:
        with Image.open(io.BytesIO(content)) as picture:
            picture.thumbnail((MAX_STYLE_ASPECT * STYLE_HEIGHT, STYLE_HEIGHT))
            return np.asarray(picture.convert("RGB"), dtype=np.float32) / np.float32(255.0)
    except OSError as error:
        raise StorageError(
            f"The style image of study {summary.name!r} cannot be read: {error}. Restore it in "
            f"{storage.artifacts.name}."
        ) from error
