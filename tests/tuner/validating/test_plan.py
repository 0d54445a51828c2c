"""What is to be trained longer, and bad input, which is found before a network is loaded or anything is written."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState

from measures.versions import JUDGE_VERSION
from studies.errors import StudyError
from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.storage.study_storage import StudyStorage
from tests.tuner.judged_study import OLD
from tests.tuner.tiny_study import NAME
from tuner.errors import ConfigError, ValidatingError
from tuner.rescoring.rescoring import rescore_study
from tuner.validating.plan import ValidationPlan, ValidationRequest, open_validation_pictures, plan_validation


def plan(storage: StudyStorage, **asked: Any) -> ValidationPlan:
    return plan_validation(storage, ValidationRequest(**{"name": NAME, **asked}), judge_version=JUDGE_VERSION)


def test_what_is_planned(scored: StudyStorage) -> None:
    found = plan(scored, images="5x", crop_size=48)
    assert found.rungs == (16, 32, 64, 80)
    assert [trial.number for trial in found.trials] == [0, 1, 6]
    assert (found.config.data.crop_size, found.config.training.images) == (48, 80)
    unchanged = {"data": {"crop_size"}, "training": {"images"}}
    assert found.config.model_dump(exclude=unchanged) == found.own_config.model_dump(exclude=unchanged)
    kept = found.validation
    assert (kept.conditions, kept.short_run, kept.wanted) == ((JUDGE_VERSION, 80, 48, False), 16, (0, 1, 6))
    assert (kept.winner, kept.baseline, kept.runs) == (0, None, ())


def test_trials_that_are_trained_on(scored: StudyStorage) -> None:
    """Named ones, each once, a pruned one among them, judged at the trials' own rungs too."""
    found = plan(scored, images="3x", trials=(6, 2, 6))
    assert found.rungs == (8, 16, 32, 48)
    assert [trial.number for trial in found.trials] == [6, 2]
    assert found.trials[1].state == "PRUNED"
    kept = found.validation
    assert (kept.conditions, kept.wanted, kept.winner) == ((JUDGE_VERSION, 48, 32, True), (6, 2), 0)


def test_trials_that_cannot_be_trained_on(scored: StudyStorage) -> None:
    with pytest.raises(ValidatingError, match=r"'waves' has no trial 99; its \d+ trials are counted from 0"):
        plan(scored, trials=(0, 99))
    failed = next(trial for trial in scored.read_study(NAME).trials if trial.state is TrialState.FAIL)
    with pytest.raises(
        ValidatingError, match=rf"Trial {failed.number} .* must be complete or pruned .* It is failed: "
    ):
        plan(scored, trials=(failed.number,))


def test_larger_crops_leave_the_judged_photos_as_they_are(scored: StudyStorage) -> None:
    record = StudyRecord.parse(scored.read_study(NAME).user_attrs)
    pictures, remarks = open_validation_pictures(scored, plan(scored, crop_size=64), photos=())
    assert tuple(photo.sha256 for photo in pictures.split.rung) == record.photos.rung
    assert len(pictures.split.training) == record.photos.training
    assert remarks == ()
    assert pictures.style.shape[0] == pictures.judged_style.shape[0] == 48


def test_photos_that_were_moved(scored: StudyStorage, tmp_path: Path) -> None:
    moved = (tmp_path / "photos").rename(tmp_path / "elsewhere")
    with pytest.raises(ValidatingError, match=r"photos of study 'waves' are gone.*Put them back.*--photos") as caught:
        open_validation_pictures(scored, plan(scored), photos=())
    assert "\n" not in str(caught.value)
    pictures, _ = open_validation_pictures(scored, plan(scored), photos=(moved,))
    assert len(pictures.split.training) == 12


def test_other_photos(scored: StudyStorage, tmp_path: Path) -> None:
    next((tmp_path / "photos").iterdir()).unlink()
    with pytest.raises(ValidatingError, match="are not those of study 'waves'"):
        open_validation_pictures(scored, plan(scored), photos=())


def test_photos_of_which_others_were_judged_on(scored: StudyStorage) -> None:
    study = scored.load_study(NAME)
    photos = study.user_attrs[attributes.PHOTOS]
    study.set_user_attr(attributes.PHOTOS, {**photos, "rung": photos["rung"][::-1]})
    with pytest.raises(ValidatingError, match="on which its trials were trained and judged"):
        open_validation_pictures(scored, plan(scored), photos=())


def test_no_photos_are_known(scored: StudyStorage) -> None:
    scored.load_study(NAME).set_user_attr(attributes.PHOTOS, {"rung": ["a"]})
    with pytest.raises(ValidatingError, match="does not say where its photos are"):
        open_validation_pictures(scored, plan(scored), photos=())


def test_a_style_image_that_is_gone(scored: StudyStorage) -> None:
    record = StudyRecord.parse(scored.read_study(NAME).user_attrs)
    scored.artifacts.path_of(str(record.style_image)).unlink()
    Path(str(record.style_path)).rename(Path(str(record.style_path)).with_name("renamed.png"))
    try:
        with pytest.raises(StudyError, match="style image of study 'waves' is not, unchanged, at"):
            open_validation_pictures(scored, plan(scored), photos=())
    finally:
        Path(str(record.style_path)).with_name("renamed.png").rename(str(record.style_path))


def test_crops_larger_than_the_photos(scored: StudyStorage) -> None:
    with pytest.raises(ValidatingError, match=r"`--crop-size` must be no larger .* 68 px or more. Received 0 of 12"):
        open_validation_pictures(scored, plan(scored, crop_size=68), photos=())


@pytest.mark.parametrize("crop_size", [0, -4, 28, 50, 8192])
def test_crops_of_no_possible_size(scored: StudyStorage, crop_size: int) -> None:
    with pytest.raises(ConfigError, match=rf"`data.crop_size` .*Received {crop_size}"):
        plan(scored, crop_size=crop_size)


def test_more_images_than_anybody_has(scored: StudyStorage) -> None:
    with pytest.raises(ConfigError, match=r"`training\.images` must be"):
        plan(scored, images="9" * 400 + "x")


def test_unknown_study(scored: StudyStorage) -> None:
    with pytest.raises(StudyError, match="Did you mean 'waves'"):
        plan(scored, name="waves ")


def test_a_study_of_another_tool(scored: StudyStorage) -> None:
    scored.load_study(NAME).set_user_attr(attributes.CONFIGURATION, {})
    with pytest.raises(StudyError, match="was not made by styletuner"):
        plan(scored)


def test_a_study_of_another_judge(scored: StudyStorage) -> None:
    scored.load_study(NAME).set_user_attr(attributes.JUDGE_VERSION, OLD)
    with pytest.raises(ValidatingError, match=f"judge version {OLD}, .*\n.*: styletuner study rescore waves"):
        plan(scored)
    rescore_study(scored, NAME, judge_version=JUDGE_VERSION, target_name="ripples", report=lambda *_: None)
    with pytest.raises(ValidatingError, match="Take ripples, which holds its trials"):
        plan(scored)
    assert [trial.number for trial in plan(scored, name="ripples").trials] == [0, 1, 6]


def test_one_complete_trial(scored: StudyStorage) -> None:
    study = scored.load_study(NAME)
    complete = [trial for trial in study.get_trials() if trial.state is TrialState.COMPLETE]
    for trial in complete[1:]:
        with scored.engine.begin() as connection:
            connection.exec_driver_sql(f"UPDATE trials SET state = 'FAIL' WHERE trial_id = {trial._trial_id}")
    scored.close()
    with StudyStorage.open(scored.name) as again, pytest.raises(ValidatingError, match="Received 1"):
        plan(again)


def test_nothing_is_written(scored: StudyStorage, tmp_path: Path) -> None:
    before = scored.read_study(NAME).user_attrs
    shutil.rmtree(tmp_path / "photos")
    with pytest.raises(ValidatingError):
        open_validation_pictures(scored, plan(scored), photos=())
    assert scored.read_study(NAME).user_attrs == before
