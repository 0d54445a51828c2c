"""`study list` and `show` of studies that are damaged, edited by hand, long, or made by others."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from click.testing import CliRunner
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from studies.claims.claiming import Claim, attach, claim
from studies.claims.processes import WorkerIdentity
from studies.errors import StorageError
from studies.records import attributes
from studies.records.validation_words import loss_in_words, validated_drift_in_words, validation_in_words
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tests.studies.records.long_runs import VALIDATION
from tuner.command_line.main import styletuner
from tuner.command_line.study.export import export
from tuner.command_line.study.show import list_studies, show

WEIGHTS = {"content": 0.7, "style": 0.28, "total_variation": 0.02}


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        yield opened


@pytest.fixture
def study(storage: StudyStorage) -> optuna.Study:
    return optuna.create_study(storage=storage.optuna, study_name="waves", direction="maximize")


def printed(storage: StudyStorage, *arguments: str) -> str:
    """What `show` prints about the study."""
    outcome = CliRunner().invoke(show, ["waves", "--storage", storage.name, *arguments], catch_exceptions=False)
    assert outcome.exit_code == 0
    return outcome.stdout


def listed(storage: StudyStorage) -> str:
    outcome = CliRunner().invoke(list_studies, ["--storage", storage.name], catch_exceptions=False)
    assert outcome.exit_code == 0
    return outcome.stdout


def test_a_trial_whose_value_is_lost_is_no_result(storage: StudyStorage, study: optuna.Study) -> None:
    for value in (0.9, 0.5):
        study.add_trial(create_trial(value=value))
    with storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE trial_values SET value = NULL WHERE value = 0.9"))
    assert "Best: trial 1, quality 0.500" in printed(storage)
    assert "Best: trial 1, quality 0.500" in listed(storage)
    assert json.loads(printed(storage, "--json"))["trials"][0]["quality"] is None


@pytest.mark.parametrize(
    ("parts", "told"),
    [
        ({"standard_error": 0.03}, "quality 0.500 ± 0.030 (spread over photos 0.060), weights"),
        ({"standard_error": 0.03, "spread": "wide"}, "quality 0.500 ± 0.030 (spread over photos 0.060), weights"),
        ({"spread": None}, "quality 0.500, weights"),
        ({}, "quality 0.500, weights"),
    ],
)
def test_the_spread_over_photos_stands_beside_the_standard_error(
    storage: StudyStorage, study: optuna.Study, parts: dict[str, object], told: str
) -> None:
    """Also of trials that ran before it was noted."""
    study.set_user_attr(attributes.PHOTOS, {"rung": ["a", "b", "c", "d"]})
    study.add_trial(create_trial(value=0.5, user_attrs={attributes.PARTS: parts}))
    assert told in printed(storage)
    assert told in listed(storage)
    assert json.loads(printed(storage, "--json"))["best"]["parts"].get("spread") == (0.06 if "0.060" in told else None)


def test_no_trial_is_dropped_without_a_word(storage: StudyStorage, study: optuna.Study) -> None:
    for value in (0.9, 0.5):
        study.add_trial(create_trial(value=value))
    for state in (TrialState.FAIL, TrialState.FAIL, TrialState.WAITING):
        study.add_trial(create_trial(state=state))
    with storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE trial_values SET value = NULL WHERE value = 0.9"))
    *_, first, lost, rest = printed(storage).splitlines()
    assert first.split()[:3] == ["1", "complete", "0.500"]
    assert lost.split()[:3] == ["0", "complete", "-"]
    assert rest == "Not listed: 2 failed, 1 waiting"


@pytest.mark.parametrize("table", ["study_user_attributes", "trial_user_attributes", "trial_system_attributes"])
@pytest.mark.parametrize("command", ["list", "show", "export", "delete"])
def test_an_attribute_that_is_no_json_names_the_database_and_the_fix(
    storage: StudyStorage, table: str, command: str, tmp_path: Path
) -> None:
    study = create_study(storage.optuna, "waves")
    study.add_trial(create_trial(value=0.5, user_attrs={"a": 1}, system_attrs={"b": 2}))
    with storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text(f"UPDATE {table} SET value_json = '{{broken'"))
    arguments = {
        "list": [],
        "show": ["waves"],
        "delete": ["waves", "--yes"],
        "export": ["waves", "--output", str(tmp_path / "best.yaml")],
    }[command]
    outcome = CliRunner().invoke(styletuner, ["study", command, *arguments, "--storage", storage.name])
    assert isinstance(outcome.exception, StorageError)
    told, fix = str(outcome.exception).splitlines()
    assert f"{storage.name}: an attribute in its tables is no JSON. Received '{{broken'." in told
    assert "Restore a copy of the database" in fix


@pytest.mark.parametrize("wrong", [None, "text", 7, ["a"], {"content": "much"}, {"rung": 3}])
def test_attributes_edited_by_hand_count_as_missing(storage: StudyStorage, study: optuna.Study, wrong: object) -> None:
    names = [value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)]
    for name in names:
        study.set_user_attr(name, wrong)
    study.add_trial(create_trial(value=0.5, user_attrs=dict.fromkeys(names, wrong)))
    assert "Best: trial 0, quality 0.500, weights -" in printed(storage)
    assert "1 complete" in listed(storage)


def test_what_longer_runs_say_is_shown(storage: StudyStorage, study: optuna.Study) -> None:
    study.set_user_attr(attributes.JUDGE_VERSION, VALIDATION.judge_version)
    for value in (0.5, 0.4, 0.3):
        study.add_trial(create_trial(value=value))
    assert json.loads(printed(storage, "--json"))["validation"] is None
    assert "Validat" not in printed(storage)
    study.set_user_attr(attributes.VALIDATIONS, [VALIDATION.to_attribute()])
    assert printed(storage).splitlines()[-3:] == validation_in_words(VALIDATION, best=0)
    assert json.loads(printed(storage, "--json"))["validation"] == VALIDATION.as_dict()
    study.set_user_attr(attributes.VALIDATIONS, [replace(VALIDATION, wanted=(0, 7)).to_attribute()])
    assert printed(storage).splitlines()[-1].startswith("Validation over 400 images, crops of 32 px: 1 of 2")


def test_export_warns_of_a_winner_that_loses(storage: StudyStorage, study: optuna.Study, tmp_path: Path) -> None:
    study.set_user_attr(attributes.CONFIGURATION, {"seed": 0})
    study.set_user_attr(attributes.JUDGE_VERSION, VALIDATION.judge_version)
    study.set_user_attr(attributes.STYLE_IMAGE, storage.artifacts.upload_bytes(b"x", study, file_name="style.png"))
    study.set_user_attr(attributes.VALIDATIONS, [VALIDATION.to_attribute()])
    for value in (0.5, 0.4, 0.3):
        study.add_trial(create_trial(value=value, user_attrs={attributes.WEIGHTS: WEIGHTS}))
    command = ["waves", "--storage", storage.name, "--output", str(tmp_path / "best.yaml")]
    drift = f"{validated_drift_in_words(VALIDATION)}\n"
    for chosen, warning in ([], f"{loss_in_words(VALIDATION)}\n"), (["--trial", "2"], ""):
        outcome = CliRunner().invoke(export, [*command, *chosen], catch_exceptions=False)
        assert (outcome.exit_code, outcome.stderr) == (0, warning + drift)


def test_states_are_told_in_the_same_words(storage: StudyStorage, study: optuna.Study) -> None:
    study.add_trial(create_trial(value=0.5, user_attrs={attributes.WEIGHTS: WEIGHTS}))
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values={8: 0.2}))
    study.add_trial(create_trial(state=TrialState.FAIL))
    assert printed(storage).startswith("waves: 1 complete, 1 pruned, 1 failed\n")
    assert listed(storage).startswith("waves: 1 complete, 1 pruned, 1 failed\n")


def test_a_trial_whose_worker_was_killed_is_not_running(storage: StudyStorage) -> None:
    study = create_study(storage.optuna, "waves")
    study.add_trial(create_trial(value=0.5))
    alive = WorkerIdentity.current()
    for worker in (alive, replace(alive, pid=2**22 + 1)):
        trial_id = storage.optuna.create_new_trial(study._study_id)
        storage.optuna.set_trial_user_attr(trial_id, attributes.WORKER, worker.as_attribute())
        held = claim(storage, uuid_of(study), total=9, worker=worker)
        assert isinstance(held, Claim)
        attach(storage, held, trial_number=storage.optuna.get_trial(trial_id).number)
    for told in (listed(storage), printed(storage)):
        assert told.startswith("waves: 1 complete, 1 running, 1 interrupted\n")


def test_a_best_at_an_end_of_what_was_searched_is_told(storage: StudyStorage, study: optuna.Study) -> None:
    """The best alone: a worse trial may lie where it likes."""
    study.set_user_attr(attributes.CONFIGURATION, {"search": {"style_to_content": [0.05, 10], "tv_to_content": 7}})
    ranges = {"style_to_content": FloatDistribution(0.05, 10, log=True)}
    for value, ratio in ((0.5, 1.0), (0.4, 9.5)):
        study.add_trial(create_trial(value=value, params={"style_to_content": ratio}, distributions=ranges))
    for told in (printed(storage), listed(storage)):
        assert "--widen" not in told
    assert json.loads(printed(storage, "--json"))["near_ends"] == []
    study.add_trial(create_trial(value=0.6, params={"style_to_content": 6.0}, distributions=ranges))
    line = (
        "The best lies near an end of what was searched: style_to_content 6 of 0.05 to 10. A better one may lie "
        "beyond: styletuner study run ... --name waves --widen"
    )
    for told in (printed(storage), listed(storage)):
        assert line in told.splitlines()
    near = {"name": "style_to_content", "value": 6.0, "limits": [0.05, 10.0], "end": "upper"}
    assert json.loads(printed(storage, "--json"))["near_ends"] == [near]


def test_importances_stand_at_the_end_from_ten_complete_trials_on(storage: StudyStorage, study: optuna.Study) -> None:
    distributions = {name: FloatDistribution(0.01, 10, log=True) for name in ("style_to_content", "tv_to_content")}
    scattered = [0.05, 8.0, 0.3, 1.0, 0.02, 4.0, 0.1, 0.6, 2.0]
    for number, style in enumerate(scattered):
        params = {"style_to_content": style, "tv_to_content": 0.1 * (number + 1)}
        study.add_trial(create_trial(params=params, distributions=distributions, value=min(style, 1 / style)))
    assert json.loads(printed(storage, "--json"))["importances"] is None
    assert "Importance" not in printed(storage)
    params = {"style_to_content": 1.5, "tv_to_content": 0.1}
    study.add_trial(create_trial(params=params, distributions=distributions, value=0.7))
    importances = json.loads(printed(storage, "--json"))["importances"]
    assert importances["num_trials"] == 10
    assert sum(importances["shares"].values()) == pytest.approx(1)
    last = printed(storage).splitlines()[-1]
    assert last.startswith("Importance for being among the best 5 of 10 complete trials (PED-ANOVA): ")
    assert f"style : content {importances['shares']['style_to_content']:.0%}" in last
