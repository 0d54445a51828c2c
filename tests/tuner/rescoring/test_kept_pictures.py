"""What is known of kept pictures: that they are gone or damaged, or nothing, while their place cannot be read."""

import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import optuna
import pytest

from studies.errors import StorageError
from studies.storage.artifact_bucket import ArtifactBucket
from studies.storage.artifacts import Artifacts
from studies.storage.picture_strips import encode_strip
from studies.storage.study_storage import StudyStorage
from tuner.rescoring.kept_pictures import read_strip


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as created:
        yield created


def test_a_strip_is_read_unless_it_is_gone_or_damaged(storage: StudyStorage) -> None:
    pictures = np.full((2, 4, 4, 3), 0.2, np.float32)
    study = optuna.create_study(storage=storage.optuna)
    whole = storage.artifacts.upload_bytes(encode_strip(pictures), study, file_name="outputs.png")
    damaged = storage.artifacts.upload_bytes(b"no picture", study, file_name="outputs.png")
    found = read_strip(storage, whole, num_pictures=2)
    assert found is not None
    np.testing.assert_allclose(found, pictures, atol=1e-6)
    assert read_strip(storage, damaged, num_pictures=2) is None
    assert read_strip(storage, "gone", num_pictures=2) is None


def test_an_outage_is_not_taken_for_a_strip_that_is_gone(
    storage: StudyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without its driver nothing is known of what lies in a bucket."""
    monkeypatch.setitem(sys.modules, "boto3", None)
    storage.artifacts = Artifacts(ArtifactBucket("s3://pictures"), storage=storage.optuna)
    with pytest.raises(StorageError, match="Cannot use s3://pictures"):
        read_strip(storage, "outputs", num_pictures=2)
