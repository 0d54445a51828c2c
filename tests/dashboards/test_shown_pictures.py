"""The pictures that sheets of a study share, as the study keeps them."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from dashboards.errors import SheetError
from dashboards.shown_pictures import read_strip, shown_pictures
from studies.errors import StorageError
from studies.records import attributes
from studies.records.summaries import summarise
from studies.storage.picture_strips import encode_strip
from studies.storage.study_identity import create_study
from studies.storage.study_storage import StudyStorage

PHOTOS = np.stack([np.full((32, 32, 3), shade / 255.0, np.float32) for shade in (50, 200)])


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        study = create_study(opened.optuna, "waves")
        study.set_user_attr(attributes.PHOTOS, {"rung": ["a", "b"]})
        for key, pictures in ((attributes.RUNG_PHOTOS, PHOTOS), (attributes.STYLE_PICTURE, PHOTOS[:1])):
            artifact = opened.artifacts.upload_bytes(encode_strip(pictures), study, file_name=f"{key}.png")
            study.set_user_attr(key, artifact)
        yield opened


def test_photos_and_style_image_come_back(storage: StudyStorage) -> None:
    photos, style = shown_pictures(storage, summarise(storage, "waves"))
    np.testing.assert_allclose(photos, PHOTOS)
    np.testing.assert_allclose(style, PHOTOS[0])


def test_a_study_without_pictures(storage: StudyStorage) -> None:
    create_study(storage.optuna, "empty")
    with pytest.raises(SheetError, match="'empty' has no pictures yet"):
        shown_pictures(storage, summarise(storage, "empty"))


def test_a_strip_that_is_gone(storage: StudyStorage) -> None:
    artifact = summarise(storage, "waves").record.rung_photos
    assert artifact is not None
    storage.artifacts.remove(artifact)
    with pytest.raises(StorageError, match="Put the folder back"):
        read_strip(storage, artifact, num_pictures=2)
