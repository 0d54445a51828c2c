"""Writes database_0_1_0.zip as the first version did, whose tables named a study by its name.

It runs against commit aaea061 alone, from a checkout of it: `PYTHONPATH=CHECKOUT python make_database_0_1_0.py`.
"""

import datetime
import tempfile
import zipfile
from pathlib import Path

import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from studies.claims import claim
from studies.preferences import Preference, save_preferences
from studies.records import PhotoQualityRecord, save_photo_quality
from studies.storage import StudyStorage
from studies.workers import WorkerIdentity

NAME = "waves"
PHOTOS = ("a" * 64, "b" * 64)
RATIOS = {"style_to_content": FloatDistribution(0.1, 10.0, log=True)}
QUALITIES = {0: 0.6, 1: 0.7, 2: 0.2}
MOMENT = datetime.datetime(2026, 11, 20, 12, 0, tzinfo=datetime.UTC)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        with StudyStorage.create(f"{folder}/old.db") as storage:
            fill(storage)
        # The last connection moves the log into the file.
        with zipfile.ZipFile(Path(__file__).with_name("database_0_1_0.zip"), "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted(Path(folder).rglob("*")):
                if path.is_file() and path.suffix != ".lock":
                    archive.write(path, path.relative_to(folder))


def fill(storage: StudyStorage) -> None:
    study = optuna.create_study(study_name=NAME, storage=storage.optuna, direction="maximize")
    style = storage.artifacts.upload_bytes(b"a style image", study, file_name="style.png")
    attributes = {
        "configuration": {"quality": {"content_exponent": 0.5}},
        "photos": {"rung": list(PHOTOS), "calibration": list(PHOTOS)},
        "judge_version": "2",
        "style_image": style,
        "identity": {"style_sha256": "0" * 64},
    }
    for key, value in attributes.items():
        study.set_user_attr(key, value)
    for number, quality in QUALITIES.items():
        state = TrialState.COMPLETE if number < 2 else TrialState.PRUNED
        study.add_trial(
            create_trial(
                state=state,
                value=quality if state is TrialState.COMPLETE else None,
                params={"style_to_content": 1.0 + number},
                distributions=RATIOS,
                intermediate_values={80: quality},
                user_attrs={"weights": {"content": 0.5, "style": 0.4, "total_variation": 0.1}},
            )
        )
    study.add_trial(create_trial(state=TrialState.FAIL, user_attrs={"failure": "RuntimeError: out of memory"}))
    save_photo_quality(
        storage.engine,
        [photo_quality(number, photo, quality) for number, quality in QUALITIES.items() for photo in PHOTOS],
    )
    answers = [preference("anna", "second"), preference("ben", "tie")]
    save_preferences(storage.engine, answers)
    claim(storage, NAME, total=9, worker=WorkerIdentity(host="gone", pid=4711, started=12.5))
    other = optuna.create_study(study_name="stars", storage=storage.optuna, direction="maximize")
    other.add_trial(create_trial(value=0.3, params={"style_to_content": 1.0}, distributions=RATIOS))


def photo_quality(number: int, photo: str, quality: float) -> PhotoQualityRecord:
    return PhotoQualityRecord(
        study_name=NAME,
        trial_number=number,
        rung=80,
        judge_version="2",
        photo_sha256=photo,
        quality=quality,
        content_preservation=quality,
        style_match=quality,
        artefact_factor=1.0,
        terms={"border": 0.25, "missing": None},
    )


def preference(who: str, answer: str) -> Preference:
    return Preference(
        who=who,
        answered_at=MOMENT,
        study_name=NAME,
        photo_sha256=PHOTOS[0],
        first_trial=0,
        second_trial=1,
        left_trial=1,
        answer=answer,
        judge_version="2",
    )


if __name__ == "__main__":
    main()
