"""A study of drawn outputs that the installed judge has scored, as far as its attributes say."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from measures.versions import JUDGE_VERSION
from studies.records import attributes
from studies.storage.study_storage import StudyStorage
from tests.tuner.judged_study import make_judged_study
from tests.tuner.tiny_study import NAME


@pytest.fixture(scope="session")
def scored_folder(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` with a study whose complete trials are 0, 1 and 6, best first; leave it as it is."""
    del own_cache
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("scored"), dirs_exist_ok=True))
    with StudyStorage.create(str(folder / "styletuner.db")) as storage:
        make_judged_study(storage, folder).set_user_attr(attributes.JUDGE_VERSION, JUDGE_VERSION)
    return folder


@pytest.fixture
def scored(scored_folder: Path, tmp_path: Path) -> Iterator[StudyStorage]:
    """The same in a folder to work in, opened for writing."""
    shutil.copytree(scored_folder, tmp_path, dirs_exist_ok=True)
    with StudyStorage.open(str(tmp_path / "styletuner.db")) as storage:
        study = storage.load_study(NAME)
        photos = {**study.user_attrs[attributes.PHOTOS], "paths": [str(tmp_path / "photos")]}
        study.set_user_attr(attributes.PHOTOS, photos)
        yield storage
