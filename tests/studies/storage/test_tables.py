import math
from dataclasses import replace

import optuna

from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, delete_study_records, load_photo_quality, save_photo_quality
from tests.studies.waves import WAVES

STARS = "5d0b0f6e-2c1c-4d0e-9d55-0a5e9b6f3a22"
RECORD = PhotoQualityRecord(
    study_uuid=WAVES,
    trial_number=3,
    rung=640,
    judge_version="1",
    photo_sha256="ab",
    quality=0.5,
    content_preservation=0.6,
    style_match=0.4,
    artefact_factor=0.9,
    terms={"lpips": 0.31, "fixed_pattern": None},
)


def test_records_come_back_as_they_went(storage: StudyStorage) -> None:
    save_photo_quality(storage.engine, [RECORD])
    assert load_photo_quality(storage.read_engine, WAVES) == [RECORD]


def test_saving_again_replaces(storage: StudyStorage) -> None:
    save_photo_quality(storage.engine, [RECORD])
    save_photo_quality(storage.engine, [replace(RECORD, quality=0.7)])
    assert [record.quality for record in load_photo_quality(storage.engine, WAVES)] == [0.7]


def test_filters_and_order(storage: StudyStorage) -> None:
    others = [
        replace(RECORD, trial_number=1),
        replace(RECORD, rung=320),
        replace(RECORD, judge_version="2"),
        replace(RECORD, study_uuid=STARS),
    ]
    save_photo_quality(storage.engine, [RECORD, *others])
    loaded = load_photo_quality(storage.engine, WAVES)
    assert loaded == [others[0], others[1], RECORD, others[2]]
    assert load_photo_quality(storage.engine, WAVES, trial_number=1) == [others[0]]
    assert load_photo_quality(storage.engine, WAVES, rung=320) == [others[1]]
    assert load_photo_quality(storage.engine, WAVES, judge_version="2") == [others[2]]


def test_terms_that_are_not_finite_become_null(storage: StudyStorage) -> None:
    save_photo_quality(storage.engine, [replace(RECORD, terms={"a": math.nan, "b": math.inf, "c": 1.0})])
    assert load_photo_quality(storage.engine, WAVES)[0].terms == {"a": None, "b": None, "c": 1.0}


def test_deleting_keeps_other_studies(storage: StudyStorage) -> None:
    save_photo_quality(storage.engine, [RECORD, replace(RECORD, study_uuid=STARS)])
    delete_study_records(storage.engine, WAVES)
    assert load_photo_quality(storage.engine, WAVES) == []
    assert len(load_photo_quality(storage.engine, STARS)) == 1


def test_records_survive_optunas_own_deletion(storage: StudyStorage, study: optuna.Study) -> None:
    save_photo_quality(storage.engine, [RECORD])
    optuna.delete_study(study_name=study.study_name, storage=storage.optuna)
    assert load_photo_quality(storage.engine, WAVES) == [RECORD]
