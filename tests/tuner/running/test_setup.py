"""Starting and resuming a study: its first trial, and what counts as the same study."""

import datetime
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import PIL.Image
import pytest

from studies.preferences.answers import Preference, load_preferences, save_preferences
from studies.records.style_picture import read_style_picture
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import load_photo_quality
from tests.tuner.rated_study import make_rated_study
from tuner.configuration.settings import StudyConfig, load_config
from tuner.errors import ConfigError
from tuner.running.setup import num_finished, start_or_resume
from tuner.search.study_pictures import StudyPictures, open_pictures

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


def test_what_is_left_of_a_study_that_another_tool_deleted_is_not_of_its_successor(
    folder: Path, storage: StudyStorage
) -> None:
    make_rated_study(storage, name="waves")
    answer = Preference(
        who="anna",
        answered_at=datetime.datetime.now(datetime.UTC),
        study_name="waves",
        photo_sha256="calibration-0",
        first_trial=0,
        second_trial=1,
        left_trial=0,
        answer="first",
        judge_version="2",
    )
    save_preferences(storage.engine, [answer])
    optuna.delete_study(study_name="waves", storage=storage.optuna)
    assert load_preferences(storage.engine, study_name="waves")
    assert load_photo_quality(storage.engine, "waves")
    config, pictures = configure(folder)
    start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    assert load_preferences(storage.engine, study_name="waves") == []
    assert load_photo_quality(storage.engine, "waves") == []


def test_the_style_image_is_kept_as_it_was_judged(folder: Path, storage: StudyStorage) -> None:
    """Upright and without transparency, whatever the file is like."""
    with PIL.Image.open(folder / "style.png") as style:
        see_through = style.convert("RGBA").crop((0, 0, 90, 60))
    see_through.putalpha(PIL.Image.linear_gradient("L").resize(see_through.size))
    exif = PIL.Image.Exif()
    exif[0x0112] = 6  # to be turned a quarter
    see_through.save(folder / "style.png", exif=exif)
    config, pictures = configure(folder)
    start_or_resume(storage, "waves", config=config, pictures=pictures, **JUDGE)
    shown = read_style_picture(storage, summarise(storage, "waves"))
    assert shown.shape[0] > shown.shape[1]
    wanted = pictures.style
    assert np.abs(shown.mean(axis=(0, 1)) - wanted.mean(axis=(0, 1))).max() < 0.01
