import hashlib
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from groundwork.errors import OutputError
from studies.errors import ExportError, StudyError
from studies.records.exported_config import read_exported
from studies.records.exports import export_config, write_exports
from studies.storage.study_identity import STUDY_UUID
from studies.storage.study_storage import StudyStorage
from tests.studies.records.long_runs import VALIDATION

pytestmark = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)

STYLE = b"a painting"
CONFIGURATION = {"seed": 0, "network": {"width": 16}, "training": {"learning_rate": 1e-05}}


@pytest.fixture
def finished(storage: StudyStorage, study: optuna.Study) -> optuna.Study:
    """Complete trials of quality .4, .6 and .5, a pruned and a failed one."""
    study.set_user_attr("configuration", CONFIGURATION)
    study.set_user_attr("identity", {"style_sha256": hashlib.sha256(STYLE).hexdigest()})
    study.set_user_attr("references", {"content": 0.25, "style": {"relu1_1": 0.01}})
    study.set_user_attr("versions", {"keras": "3.15.0"})
    study.set_user_attr("judge_version", "1")
    study.set_user_attr("style_image", storage.artifacts.upload_bytes(STYLE, study, file_name="Stürme.jpg"))
    for quality in (0.4, 0.6, 0.5):
        weights = {"content": quality, "style": 0.4, "total_variation": 1e-05}
        attributes = {"weights": weights, "parts": {"style_match": 0.5}, "images_seen": 800}
        study.add_trial(create_trial(value=quality, user_attrs=attributes))
    for state in (TrialState.PRUNED, TrialState.FAIL):
        study.add_trial(create_trial(state=state, intermediate_values={320: 0.3}, user_attrs={"weights": weights}))
    return study


@pytest.fixture
def exported(storage: StudyStorage, finished: optuna.Study, tmp_path: Path) -> Path:
    (path,) = write_exports(storage, finished.study_name, tmp_path / "out" / "best.yaml")
    return path


def test_best_trial_is_read_back(exported: Path) -> None:
    config = read_exported(exported)
    assert (config.study, config.trial, config.state, config.quality) == ("waves", 1, "COMPLETE", 0.6)
    assert config.weights.model_dump() == {"content": 0.6, "style": 0.4, "total_variation": 1e-05}
    assert config.configuration == CONFIGURATION
    assert config.references == {"content": 0.25, "style": {"relu1_1": 0.01}}
    assert (config.versions, config.judge_version, config.images_seen) == ({"keras": "3.15.0"}, "1", 800)
    assert config.style_path == exported.with_name("best_style.jpg")
    assert config.style_path.read_bytes() == STYLE
    assert config.style_image.sha256 == config.identity["style_sha256"]


def test_a_study_keeps_its_uuid_in_its_exports(storage: StudyStorage, finished: optuna.Study, tmp_path: Path) -> None:
    finished.set_user_attr(STUDY_UUID, "a-study")
    (path,) = write_exports(storage, finished.study_name, tmp_path / "again.yaml")
    assert read_exported(path).study_uuid == "a-study"


def test_what_longer_runs_say_is_exported_when_all_are_done(
    storage: StudyStorage, finished: optuna.Study, tmp_path: Path
) -> None:
    validation = replace(VALIDATION, judge_version="1")
    finished.set_user_attr("validations", [replace(validation, wanted=(0, 7)).to_attribute()])
    (path,) = write_exports(storage, finished.study_name, tmp_path / "begun.yaml")
    assert "validation" not in path.read_text(encoding="utf-8")
    assert read_exported(path).validation == {}
    finished.set_user_attr("validations", [validation.to_attribute()])
    (path,) = write_exports(storage, finished.study_name, tmp_path / "done.yaml")
    assert read_exported(path).validation == validation.as_dict()


def test_a_study_of_another_tool_is_told_as_one(storage: StudyStorage, study: optuna.Study) -> None:
    study.add_trial(create_trial(value=0.5))
    for trial in (None, 0):
        with pytest.raises(ExportError, match="'waves' was not made by `styletuner study run`"):
            export_config(storage, "waves", trial=trial)


def test_a_trial_at_an_end_of_what_was_searched_says_so_in_its_file(
    storage: StudyStorage, finished: optuna.Study, tmp_path: Path
) -> None:
    finished.set_user_attr("configuration", {**CONFIGURATION, "search": {"style_to_content": [0.05, 10]}})
    ranges = {"style_to_content": FloatDistribution(0.05, 10, log=True)}
    weights = {"content": 0.1, "style": 0.9, "total_variation": 0.0}
    for quality, ratio in ((0.9, 9.0), (0.8, 1.0)):
        parameters = {"params": {"style_to_content": ratio}, "distributions": ranges}
        finished.add_trial(create_trial(value=quality, user_attrs={"weights": weights}, **parameters))
    first, second = write_exports(storage, "waves", tmp_path / "best.yaml", top=2)
    remark = "# Near an end of what was searched: style_to_content 9 of 0.05 to 10. A better one may lie beyond."
    assert first.read_text(encoding="utf-8").splitlines()[1] == remark
    assert read_exported(first).params == {"style_to_content": 9.0}
    assert "an end" not in second.read_text(encoding="utf-8")


def test_folder_can_be_moved(exported: Path, tmp_path: Path) -> None:
    moved = exported.parent.rename(tmp_path / "elsewhere")
    assert read_exported(moved / "best.yaml").style_path.read_bytes() == STYLE


@pytest.mark.usefixtures("finished")
def test_top_writes_numbered_files_best_first(storage: StudyStorage, tmp_path: Path) -> None:
    paths = write_exports(storage, "waves", tmp_path / "best.yaml", top=2)
    assert [path.name for path in paths] == ["best-1.yaml", "best-2.yaml"]
    assert [read_exported(path).trial for path in paths] == [1, 2]


@pytest.mark.usefixtures("finished")
def test_more_than_there_are_gives_what_there_is(storage: StudyStorage) -> None:
    assert [content["trial"] for content in export_config(storage, "waves", top=9)] == [1, 2, 0]


@pytest.mark.usefixtures("finished")
def test_chosen_trial_may_be_pruned(storage: StudyStorage) -> None:
    (content,) = export_config(storage, "waves", trial=3)
    assert (content["trial"], content["state"], content["quality"]) == (3, "PRUNED", 0.3)


@pytest.mark.usefixtures("finished")
@pytest.mark.parametrize(("number", "what"), [(4, "is fail"), (17, "does not exist")])
def test_trial_without_result(storage: StudyStorage, number: int, what: str) -> None:
    with pytest.raises(ExportError, match=f"Trial {number} of 'waves' {what}.*0, 1, 2, 3"):
        export_config(storage, "waves", trial=number)


def test_nothing_has_finished(storage: StudyStorage, study: optuna.Study) -> None:
    study.set_user_attr("configuration", CONFIGURATION)
    with pytest.raises(ExportError, match="No trial of 'waves' has finished"):
        export_config(storage, "waves")


@pytest.mark.usefixtures("finished")
def test_bad_top_and_unknown_study(storage: StudyStorage) -> None:
    with pytest.raises(ExportError, match=r"`top` must be at least 1\. Received 0"):
        export_config(storage, "waves", top=0)
    with pytest.raises(StudyError, match="Did you mean 'waves'"):
        export_config(storage, "wave")


@pytest.mark.usefixtures("finished")
def test_place_that_cannot_be_written(storage: StudyStorage, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot be written"):
        write_exports(storage, "waves", tmp_path / "file" / "best.yaml")


def test_writing_again_leaves_no_other_files(exported: Path, storage: StudyStorage) -> None:
    write_exports(storage, "waves", exported)
    assert sorted(path.name for path in exported.parent.iterdir()) == ["best.yaml", "best_style.jpg"]
