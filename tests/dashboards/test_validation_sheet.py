"""The sheet of long runs of a study that keeps pictures."""

import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from dashboards.picture_titles import is_contact_sheet
from dashboards.validation_sheet import validation_sheet
from studies.errors import StorageError
from studies.records import attributes
from studies.records.summaries import StudySummary, summarise
from studies.records.validation import Validation
from studies.storage.picture_strips import encode_strip
from studies.storage.study_identity import create_study
from studies.storage.study_storage import StudyStorage
from tests.studies.records.long_runs import VALIDATION

RED, GREEN = (200, 0, 0), (0, 200, 0)


def strip(colour: tuple[int, int, int]) -> bytes:
    return encode_strip(np.tile(np.array(colour, np.float32) / 255.0, (2, 32, 32, 1)))


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        yield opened


@pytest.fixture
def summary(storage: StudyStorage) -> StudySummary:
    study = create_study(storage.optuna, "waves")
    study.set_user_attr(attributes.PHOTOS, {"rung": ["a", "b"]})
    for key in (attributes.RUNG_PHOTOS, attributes.STYLE_PICTURE):
        study.set_user_attr(key, storage.artifacts.upload_bytes(strip(RED), study, file_name=f"{key}.png"))
    return summarise(storage, "waves")


@pytest.fixture
def validation(storage: StudyStorage, summary: StudySummary) -> Validation:
    """The third setting leads and has pictures; the first one, the study's best, diverged."""
    study = storage.load_study(summary.name)
    outputs = storage.artifacts.upload_bytes(strip(GREEN), study, file_name="outputs.png")
    first, second, third = VALIDATION.runs
    diverged = replace(first, photo_qualities={}, diverged="diverged before image 100")
    return replace(VALIDATION, runs=(diverged, second, replace(third, outputs=outputs)))


def test_outputs_are_drawn_below_the_photos_best_first(
    storage: StudyStorage, summary: StudySummary, validation: Validation, tmp_path: Path
) -> None:
    path = tmp_path / "sheet.png"
    path.write_bytes(validation_sheet(storage, summary, validation))
    assert is_contact_sheet(path)
    pixels = np.asarray(PIL.Image.open(io.BytesIO(path.read_bytes())).convert("RGB"))
    red, green = ((pixels == colour).all(axis=2) for colour in (RED, GREEN))
    assert green.sum() == 2 * 208 * 208, "two outputs of one setting"
    assert np.flatnonzero(red.any(axis=1)).max() < np.flatnonzero(green.any(axis=1)).min()
    assert pixels.shape[0] > 4 * 208, "a row for each setting, with pictures or without"


def test_pictures_that_are_gone_are_said(storage: StudyStorage, summary: StudySummary, validation: Validation) -> None:
    outputs = validation.ranked()[0].outputs
    assert outputs is not None
    storage.artifacts.remove(outputs)
    with pytest.raises(StorageError, match="Put the folder back"):
        validation_sheet(storage, summary, validation)
