"""What a study's first worker measures and looks at, written down once for all others."""

import optuna

from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.storage.picture_strips import encode_strip
from studies.storage.study_storage import StudyStorage
from tuner.search.judged_set import JudgedSet
from tuner.search.study_scale import StudyScale, require_same_scale, scale_of


def settle_scale(storage: StudyStorage, study_uuid: str, measured: StudyScale) -> StudyScale:
    """Return the scale that the study's first worker wrote down; if this is the first, that is what it measured.

    Args:
        storage: Opened for writing.
        study_uuid: What the study is.
        measured: The scale as this process measures it.

    Raises:
        StudyError: It differs from the study's by more than rounding.
    """
    with storage.exclusive():
        study = storage.load_by_uuid(study_uuid)
        record = StudyRecord.parse(study.user_attrs)
        owner = f"Study {study.study_name!r}"
        stored = scale_of(record.references, record.identity.get("loss_network"), owner=owner)
        if stored is not None:
            return require_same_scale(stored, measured, owner=owner)
        study.set_user_attr(attributes.IDENTITY, {**record.identity, "loss_network": dict(measured.loss_network)})
        study.set_user_attr(attributes.REFERENCES, measured.to_attribute())
    return measured


def keep_judged_photos(storage: StudyStorage, study_uuid: str, *, rung: JudgedSet, calibration: JudgedSet) -> None:
    """Keep the photos that trials are judged on, side by side as they are painted, unless that has been done.

    Args:
        storage: Opened for writing.
        study_uuid: What the study is.
        rung: Photos of the rungs.
        calibration: Photos for calibrating the judge, maybe none.
    """
    with storage.exclusive():
        study = storage.load_by_uuid(study_uuid)
        _keep_strip(storage, study, rung, key=attributes.RUNG_PHOTOS)
        _keep_strip(storage, study, calibration, key=attributes.CALIBRATION_PHOTOS)


def _keep_strip(storage: StudyStorage, study: optuna.Study, judged: JudgedSet, *, key: str) -> None:
    if len(judged) and key not in study.user_attrs:
        kept = storage.artifacts.upload_bytes(encode_strip(judged.photos), study, file_name=f"{key}.png")
        study.set_user_attr(key, kept)
