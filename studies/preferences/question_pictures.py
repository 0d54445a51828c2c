"""The pictures of a study's questions: the style image, the calibration photos and what trials made of them."""

from typing import final

import numpy as np
from numpy.typing import NDArray

from studies.records import attributes
from studies.records.style_picture import read_style_picture
from studies.records.summaries import StudySummary
from studies.storage.picture_strips import decode_strip
from studies.storage.study_storage import StudyStorage

Picture = NDArray[np.float32]


@final
class PictureSource:
    """Reads the pictures of a study's questions from its artifacts."""

    def __init__(self, storage: StudyStorage, summary: StudySummary) -> None:
        """Open the pictures of a study that `find_pairs` found something in.

        Raises:
            StorageError: A picture is gone or damaged.
        """
        self._storage = storage
        self._places = {photo: place for place, photo in enumerate(summary.record.photos.calibration)}
        self._pictures = {trial.number: trial.pictures for trial in summary.trials}
        self._photos = self._strip(str(summary.record.calibration_photos))
        self.style: Picture = read_style_picture(storage, summary)

    def photo(self, photo: str) -> Picture:
        """Return a calibration photo by its hash, (height, width, 3) in [0, 1]."""
        found: Picture = self._photos[self._places[photo]]
        return found

    def output(self, trial: int, photo: str) -> Picture:
        """Return what a trial made of a calibration photo, (height, width, 3) in [0, 1].

        Raises:
            StorageError: The picture is gone or damaged.
        """
        strip = self._strip(self._pictures[trial][attributes.CALIBRATION_PICTURES])
        found: Picture = strip[self._places[photo]]
        return found

    def _strip(self, artifact_id: str) -> NDArray[np.float32]:
        content = self._storage.artifacts.read(artifact_id)
        return decode_strip(content, num_pictures=len(self._places))
