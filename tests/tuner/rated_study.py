"""A study that people can be asked about, without a network: drawn outputs with made-up parts of quality."""

import io

import numpy as np
import PIL.Image
from optuna.trial import create_trial

from studies.records import attributes
from studies.storage.picture_strips import encode_strip
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, save_photo_quality

NAME = "rated"
RUNG_PHOTOS = ("rung-0", "rung-1")
CALIBRATION_PHOTOS = ("calibration-0", "calibration-1")
SIDE = 24

PARTS = ((0.9, 0.1), (0.8, 0.2), (0.6, 0.45), (0.4, 0.6), (0.2, 0.8), (0.1, 0.9))
"""Content preservation and style match of six complete trials: the judge prefers 2, who wants style alone 5."""


def make_rated_study(
    storage: StudyStorage, *, name: str = NAME, parts: tuple[tuple[float, float], ...] = PARTS, photos: bool = True
) -> None:
    """Complete trials with outputs of two calibration photos, or without such photos; trial n paints grey n / 10."""
    study = create_study(storage.optuna, name)
    upload = storage.artifacts.upload_bytes
    calibration = CALIBRATION_PHOTOS if photos else ()
    known = {
        attributes.CONFIGURATION: {"quality": {"content_exponent": 0.5}},
        attributes.IDENTITY: {"style_sha256": "0" * 64},
        attributes.JUDGE_VERSION: "2",
        attributes.PHOTOS: {"rung": list(RUNG_PHOTOS), "calibration": list(calibration)},
        attributes.STYLE_IMAGE: upload(_style_file(), study, file_name="style.png"),
    }
    if photos:
        known[attributes.CALIBRATION_PHOTOS] = upload(_strip(1.0), study, file_name="calibration_photos.png")
    for key, value in known.items():
        study.set_user_attr(key, value)
    for number, (content, style) in enumerate(parts):
        painted = {attributes.WEIGHTS: {"content": 0.5, "style": 0.4, "total_variation": 0.1}}
        if photos:
            kept = upload(_strip(number / 10), study, file_name="calibration.png")
            painted[attributes.PICTURES] = {attributes.CALIBRATION_PICTURES: kept}
        study.add_trial(create_trial(value=(content * style) ** 0.5, user_attrs=painted))
        records = [_record(uuid_of(study), number, photo, content, style) for photo in (*RUNG_PHOTOS, *calibration)]
        save_photo_quality(storage.engine, records)


def _record(study_uuid: str, number: int, photo: str, content: float, style: float) -> PhotoQualityRecord:
    return PhotoQualityRecord(
        study_uuid=study_uuid,
        trial_number=number,
        rung=80,
        judge_version="2",
        photo_sha256=photo,
        quality=(content * style) ** 0.5,
        content_preservation=content,
        style_match=style,
        artefact_factor=1.0,
        terms={},
    )


def _strip(grey: float) -> bytes:
    return encode_strip(np.full((2, SIDE, SIDE, 3), grey, np.float32))


def _style_file() -> bytes:
    buffer = io.BytesIO()
    PIL.Image.new("RGB", (SIDE, SIDE), "teal").save(buffer, format="PNG")
    return buffer.getvalue()
