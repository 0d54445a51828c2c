"""The style image is known by its hash: the study's own copy first, then the original."""

import hashlib
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

from studies.errors import StudyError
from studies.records import attributes
from studies.storage.study_identity import create_study
from studies.storage.study_storage import StudyStorage
from tuner.search.kept_style_image import kept_style_image

STYLE = b"a painting"


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        yield opened


@pytest.fixture
def study(storage: StudyStorage, tmp_path: Path) -> optuna.Study:
    study = create_study(storage.optuna, "waves")
    (tmp_path / "style.png").write_bytes(STYLE)
    study.set_user_attr(attributes.IDENTITY, {"style_sha256": hashlib.sha256(STYLE).hexdigest()})
    study.set_user_attr(attributes.STYLE_PATH, str(tmp_path / "style.png"))
    study.set_user_attr(attributes.STYLE_IMAGE, storage.artifacts.upload_bytes(STYLE, study, file_name="style.png"))
    return study


def test_the_own_copy_comes_first_and_then_the_original(
    storage: StudyStorage, study: optuna.Study, tmp_path: Path
) -> None:
    own = storage.artifacts.path / study.user_attrs[attributes.STYLE_IMAGE]
    assert kept_style_image(storage, study) == own
    own.write_bytes(b"another painting")
    assert kept_style_image(storage, study) == tmp_path / "style.png"
    (tmp_path / "style.png").write_bytes(b"another painting")
    with pytest.raises(StudyError, match=r"style image of study 'waves' is not, unchanged, at .* nor at .*style.png"):
        kept_style_image(storage, study)
