"""Starting and resuming a study: its first trial, and what counts as the same study."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from studies.storage import StudyStorage
from tuner import study_setup
from tuner.config import StudyConfig, load_config
from tuner.errors import ConfigError
from tuner.pictures import StudyPictures, open_pictures
from tuner.study_setup import num_finished, start_or_resume, versions

JUDGE: dict[str, Any] = {"judge_version": "1"}


def configure(folder: Path, **search: Any) -> tuple[StudyConfig, StudyPictures]:
    """The tiny study with another search section, and its pictures."""
    path = folder / "other.yaml"
    lines = (folder / "tiny.yaml").read_text().splitlines()
    path.write_text("\n".join(line for line in lines if not line.startswith("search:")))
    config = load_config(str(path), overrides={"search": search})
    return config, open_pictures(config)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as made:
        yield made


def first_parameters(storage: StudyStorage, config: StudyConfig, pictures: StudyPictures) -> list[dict[str, float]]:
    study = start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    return [trial.system_attrs["fixed_params"] for trial in study.get_trials()]


def test_default_baseline_comes_first(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder)
    assert first_parameters(storage, config, pictures) == [{"style_to_content": 1.0, "tv_to_content": 0.1}]


def test_default_baseline_outside_a_narrow_range_is_left_out(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder, style_to_content=[0.1, 0.5])
    assert first_parameters(storage, config, pictures) == []


def test_named_baseline_outside_the_range_is_an_error(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder, style_to_content=[0.1, 0.5], baseline=[1, 1, 0.1])
    with pytest.raises(ConfigError, match=r"(?s)`search.baseline`.*0\.1 to 0\.5.*`search.baseline: null`"):
        first_parameters(storage, config, pictures)
    assert storage.study_names() == []


def test_finished_trials_of_a_study_that_is_not_there(folder: Path, storage: StudyStorage) -> None:
    config, pictures = configure(folder)
    assert num_finished(storage, "waves", config=config, pictures=pictures, **JUDGE) is None
    start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    assert num_finished(storage, "waves", config=config, pictures=pictures, **JUDGE) == 0


def test_a_backend_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study_setup, "PACKAGES", ("keras", "a-backend-that-nobody-has"))

    assert set(versions()) == {"python", "keras"}
