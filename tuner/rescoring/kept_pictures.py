"""What a study's kept outputs are judged against: its style image and held-out photos, as its trials saw them.

The photos' own files are preferred; what a study keeps of them is rounded to 8 bits, which moves a quality by about a
thousandth.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import numpy as np
import optuna
from numpy.typing import NDArray

from models.errors import ImageError, PhotosError
from models.pictures.images import read_style_image
from models.pictures.photos import PhotoCollection, open_photos
from studies.errors import ArtifactGoneError, StorageError
from studies.records.study_record import StudyRecord
from studies.storage.picture_strips import decode_strip
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import StudyConfig
from tuner.errors import RescoringError
from tuner.search.judged_set import JudgedSet, judged_squares
from tuner.search.kept_style_image import kept_style_image
from tuner.search.stored_config import stored_config
from tuner.search.study_pictures import held_out_squares

_PIXEL_AXES: Final = 3


@final
@dataclass(frozen=True, kw_only=True)
class KeptPictures:
    """What a study's kept outputs are judged against.

    Attributes:
        config: The study's configuration.
        rung: Photos of the rungs, and their judge.
        calibration: The same of the calibration photos, maybe none.
        notes: What could not be used and what was taken instead, one sentence each.
    """

    config: StudyConfig
    rung: JudgedSet
    calibration: JudgedSet
    notes: tuple[str, ...]


def open_kept_pictures(storage: StudyStorage, study: optuna.Study) -> KeptPictures:
    """Find a study's style image and held-out photos; each is known by the hash of its file.

    Raises:
        StudyError: The study was not made by styletuner, or by a version whose configuration differs, or its style
            image is gone.
        RescoringError: The rung photos are gone.
    """
    config = stored_config(study)
    source = _PictureSource(storage, study, config=config)
    style = read_style_image(kept_style_image(storage, study), size=config.data.held_out.size)
    record = source.record
    rung, calibration = record.photos.rung, record.photos.calibration
    rung_squares = source.squares(rung, strip=record.rung_photos, called="rung photos")
    calibration_squares = source.squares(calibration, strip=record.calibration_photos, called="calibration photos")
    if rung_squares is None:
        raise RescoringError(
            f"The rung photos of study {study.study_name!r} are neither where it found them nor in "
            f"{storage.artifacts.name}. Put either back."
        )
    if calibration_squares is None:
        source.notes.append("The calibration photos are gone, so that outputs of these are not scored again.")
        calibration, calibration_squares = (), np.zeros((0, *rung_squares.shape[1:]), np.float32)
    return KeptPictures(
        config=config,
        rung=judged_squares(config, rung_squares, rung, style=style),
        calibration=judged_squares(config, calibration_squares, calibration, style=style),
        notes=tuple(source.notes),
    )


@final
class _PictureSource:
    """Looks for a study's pictures, and notes what it did not find."""

    def __init__(self, storage: StudyStorage, study: optuna.Study, *, config: StudyConfig) -> None:
        self.record = StudyRecord.parse(study.user_attrs)
        self.notes: list[str] = []
        self._storage = storage
        self._size = config.data.held_out.size
        self._collection = _open_collection(self.record.photos.paths)

    def squares(self, sha256s: Sequence[str], *, strip: str | None, called: str) -> NDArray[np.float32] | None:
        """Return some photos as trials paint them, (photos, size, size, 3); None if they are gone."""
        originals = self._originals(sha256s)
        if originals is not None:
            return originals
        kept = None if strip is None else read_strip(self._storage, strip, num_pictures=len(sha256s))
        if kept is None or kept.shape[1:] != (self._size, self._size, _PIXEL_AXES):
            return None
        self.notes.append(
            f"Some {called} are no longer where the study found them: taken are its own copies, rounded to 8 bits."
        )
        return kept

    def _originals(self, sha256s: Sequence[str]) -> NDArray[np.float32] | None:
        if not sha256s:
            return np.zeros((0, self._size, self._size, _PIXEL_AXES), np.float32)
        found = {photo.sha256: photo for photo in self._collection.photos} if self._collection is not None else {}
        if self._collection is None or any(sha256 not in found for sha256 in sha256s):
            return None
        try:
            return held_out_squares(self._collection, [found[sha256] for sha256 in sha256s], size=self._size)
        except ImageError:
            return None


def read_strip(storage: StudyStorage, artifact_id: str, *, num_pictures: int) -> NDArray[np.float32] | None:
    """Return pictures that are kept side by side, (pictures, height, width, 3); None if they are gone or damaged.

    Raises:
        StorageError: They cannot be read now, so that nothing is known of them.
    """
    try:
        content = storage.artifacts.read(artifact_id)
    except ArtifactGoneError:
        return None
    try:
        return decode_strip(content, num_pictures=num_pictures)
    except StorageError:
        return None


def _open_collection(paths: Sequence[str]) -> PhotoCollection | None:
    present = [path for path in map(Path, paths) if path.exists()]
    try:
        return open_photos(present) if present else None
    except PhotosError:
        return None
