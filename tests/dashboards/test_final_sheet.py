"""The sheet of a final: a row for each fresh run of a finalist, the winner's first."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest
from optuna.trial import create_trial

from dashboards.errors import SheetError
from dashboards.final_sheet import final_sheet
from dashboards.picture_titles import is_contact_sheet
from studies.records import attributes
from studies.records.summaries import StudySummary, summarise
from studies.storage.picture_strips import encode_strip
from studies.storage.study_identity import create_study
from studies.storage.study_storage import StudyStorage
from tests.studies.records.finals import FINAL, JUDGE

RED, GREEN, BLUE = (200, 0, 0), (0, 200, 0), (0, 0, 200)


def strip(colour: tuple[int, int, int]) -> bytes:
    return encode_strip(np.tile(np.array(colour, np.float32) / 255.0, (2, 32, 32, 1)))


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    """A study of which trial 2 wins the final, and paints green; the others paint blue."""
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        study = create_study(opened.optuna, "waves")
        for quality in (0.4, 0.6, 0.5):
            study.add_trial(create_trial(value=quality))
        upload = opened.artifacts.upload_bytes
        runs = [
            replace(run, outputs=upload(strip(GREEN if run.trial == 2 else BLUE), study, file_name="outputs.png"))
            for run in FINAL.runs
        ]
        photos = upload(strip(RED), study, file_name="photos.png")
        final = replace(FINAL, runs=tuple(runs), photos=photos)
        study.set_user_attr(attributes.JUDGE_VERSION, JUDGE)
        study.set_user_attr(attributes.FINAL, final.to_attribute())
        study.set_user_attr(attributes.PHOTOS, {"report": ["a", "b"]})
        style = upload(strip(RED), study, file_name="style.png")
        study.set_user_attr(attributes.STYLE_PICTURE, style)
        yield opened


@pytest.fixture
def summary(storage: StudyStorage) -> StudySummary:
    return summarise(storage, "waves")


def test_each_run_is_drawn_below_the_photos_the_winner_first(
    storage: StudyStorage, summary: StudySummary, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.png"
    path.write_bytes(final_sheet(storage, summary))
    assert is_contact_sheet(path)
    picture = np.asarray(PIL.Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))
    rows = {colour: np.flatnonzero((picture == colour).all(axis=2).any(axis=1)) for colour in (RED, GREEN, BLUE)}
    assert rows[RED].max() < rows[GREEN].min() < rows[GREEN].max() < rows[BLUE].min()
    height = (picture == RED).all(axis=2).any(axis=1).sum()
    assert len(rows[GREEN]) == 2 * height, "one row for each of two seeds"
    assert len(rows[BLUE]) == 4 * height


def test_a_final_that_kept_no_pictures(storage: StudyStorage, summary: StudySummary) -> None:
    study = storage.load_study("waves")
    study.set_user_attr(attributes.FINAL, FINAL.to_attribute())
    with pytest.raises(SheetError, match="'waves' keeps no pictures of a final"):
        final_sheet(storage, summarise(storage, summary.name))
