from pathlib import Path

import pytest

from studies.preferences.question_pictures import PictureSource
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.tuner.rated_study import CALIBRATION_PHOTOS, NAME, SIDE, make_rated_study


@pytest.fixture
def storage(tmp_path: Path) -> StudyStorage:
    with StudyStorage.create(str(tmp_path / "studies.db")) as created:
        return created


def test_pictures_are_those_of_the_trial_and_the_photo(storage: StudyStorage) -> None:
    make_rated_study(storage)
    source = PictureSource(storage, summarise(storage, NAME))
    assert source.photo(CALIBRATION_PHOTOS[1]).shape == (SIDE, SIDE, 3)
    assert source.output(3, CALIBRATION_PHOTOS[0]).mean() == pytest.approx(0.3, abs=0.002)
    assert source.style.shape == (SIDE, SIDE, 3)
