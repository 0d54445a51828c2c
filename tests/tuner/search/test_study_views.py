"""Studies shown otherwise: what a pruner sees of them, and that what it writes is written."""

import copy

import optuna
import pytest
from optuna.trial import FrozenTrial, TrialState

from studies.storage.optuna_internals import storage_of, trial_id_of
from tuner.search.study_views import view


@pytest.fixture
def study() -> optuna.Study:
    """Two goals, and trials of the values (0, 9), (1, 8) and (2, 7), of which the last failed."""
    study = optuna.create_study(study_name="waves", directions=["minimize", "minimize"])
    for number in range(3):
        study.tell(study.ask(), (number, 9 - number))
    study.tell(study.ask(), state=TrialState.FAIL)
    return study


def first_goal(trial: FrozenTrial) -> FrozenTrial | None:
    if trial.state is TrialState.FAIL:
        return None
    shown = copy.copy(trial)
    shown.values = None if trial.values is None else [trial.values[0]]
    return shown


def test_it_shows_trials_as_it_is_told_and_maximises(study: optuna.Study) -> None:
    seen = view(study, first_goal)
    assert [trial.values for trial in seen.trials] == [[0.0], [1.0], [2.0]]
    assert seen.direction is optuna.study.StudyDirection.MAXIMIZE
    assert seen.best_trial.number == 2
    assert seen.best_value == 2


def test_the_study_itself_is_as_it_was(study: optuna.Study) -> None:
    before = study.trials
    assert view(study, first_goal).trials
    assert study.trials == before


def test_a_view_has_the_name_it_is_given_and_the_study_s_otherwise(study: optuna.Study) -> None:
    assert view(study, first_goal).study_name == "waves"
    named = view(study, first_goal, name="other")
    assert named.study_name == "other"
    assert len(named.trials) == 3


def test_a_view_of_a_view_shows_what_both_do(study: optuna.Study) -> None:
    def even(trial: FrozenTrial) -> FrozenTrial | None:
        return None if trial.number % 2 else trial

    assert [trial.values for trial in view(view(study, first_goal), even).trials] == [[0.0], [2.0]]


def test_notes_are_written_to_the_study(study: optuna.Study) -> None:
    trial = study.ask()
    storage_of(view(study, first_goal)).set_trial_system_attr(trial_id_of(trial), "rung", 0.5)
    assert study.trials[trial.number].system_attrs == {"rung": 0.5}


def test_a_trial_that_is_not_shown_can_be_asked_for_all_the_same(study: optuna.Study) -> None:
    failed = study.trials[3]
    assert storage_of(view(study, first_goal)).get_trial(trial_id_of(failed)) == failed
