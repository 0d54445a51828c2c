import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

import styletuner
from studies.errors import StorageError, StudyError
from studies.storage.study_storage import StudyStorage
from tests.tuner.rated_study import NAME, make_rated_study


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "studies.db"
    with StudyStorage.create(str(path)) as created:
        make_rated_study(created)
    yield path
    shutil.rmtree(tmp_path)


def test_summary_is_read_anew(storage: Path) -> None:
    study = styletuner.Study(NAME, storage=storage)
    assert study.summary().num_finished == 6
    with StudyStorage.open(str(storage)) as opened:
        opened.load_study(NAME).add_trial(opened.read_study(NAME).get_trials()[0])
    assert study.summary().num_finished == 7


def test_studies_of_a_storage_are_listed(storage: Path) -> None:
    (study,) = styletuner.list_studies(storage)
    assert (study.name, study.storage) == (NAME, str(storage))
    assert repr(study) == f"Study('rated', storage='{storage}')"


def test_errors_are_those_of_the_packages_below(storage: Path, tmp_path: Path) -> None:
    with pytest.raises(StudyError, match="Did you mean 'rated'"):
        styletuner.Study("rate", storage=storage).summary()
    with pytest.raises(StorageError, match="There is no study database"):
        styletuner.list_studies(tmp_path / "none.db")
