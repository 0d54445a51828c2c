"""A finished trial whose value is NULL in the database: was "AssertionError" in every command that reads the study."""

from pathlib import Path

import optuna
import pytest
import sqlalchemy
from optuna.trial import create_trial

from studies.records.summaries import list_studies, summarise
from studies.storage.study_storage import StudyStorage


@pytest.fixture
def damaged(storage: StudyStorage, study: optuna.Study) -> StudyStorage:
    """Three complete trials, of which the best lost its value and the second its value at a rung."""
    for value in (0.9, 0.5, 0.3):
        study.add_trial(create_trial(value=value, intermediate_values={320: 0.1, 640: value}))
    with storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("UPDATE trial_values SET value = NULL WHERE value > 0.8"))
        connection.execute(
            sqlalchemy.text("UPDATE trial_intermediate_values SET intermediate_value = NULL WHERE trial_id = 2")
        )
    return storage


def test_a_trial_that_lost_its_value_has_no_quality(damaged: StudyStorage) -> None:
    summary = summarise(damaged, "waves")
    assert [trial.quality for trial in summary.trials] == [None, 0.5, 0.3]
    assert summary.trials[1].qualities == {}
    assert summary.best is not None
    assert (summary.best.number, [trial.number for trial in summary.ranked()]) == (1, [1, 2])
    assert [study.num_finished for study in list_studies(damaged)] == [3]


def test_reading_repairs_nothing(damaged: StudyStorage) -> None:
    summarise(damaged, "waves")
    damaged.load_study("waves").set_user_attr("seen", True)
    with damaged.engine.begin() as connection:
        lost = connection.execute(sqlalchemy.text("SELECT count(*) FROM trial_values WHERE value IS NULL"))
        assert lost.scalar_one() == 1


def test_several_objectives_lose_the_trial_on_the_front(tmp_path: Path) -> None:
    with StudyStorage.create(str(tmp_path / "studies.db")) as storage:
        study = optuna.create_study(study_name="two", storage=storage.optuna, directions=["maximize", "maximize"])
        for values in ([0.9, 0.8], [0.5, 0.5]):
            study.add_trial(create_trial(values=values, user_attrs={"rung_qualities": {"640": values[0]}}))
        with storage.engine.begin() as connection:
            connection.execute(sqlalchemy.text("UPDATE trial_values SET value = NULL WHERE value = 0.8"))
        summary = summarise(storage, "two")
        assert [trial.number for trial in summary.front()] == [1]
        assert [trial.quality for trial in summary.trials] == [None, 0.5]


def test_infinities_stay_what_they_are(storage: StudyStorage, study: optuna.Study) -> None:
    study.add_trial(create_trial(value=float("inf"), intermediate_values={1: float("-inf"), 2: float("nan")}))
    (trial,) = storage.read_study("waves").trials
    assert (trial.value, trial.intermediate_values[1]) == (float("inf"), float("-inf"))
