"""What is asked of Optuna's tables, against what Optuna itself says of the same trials."""

from collections import Counter

import optuna
import pytest
from optuna.trial import TrialState

from studies.claims.processes import WorkerIdentity
from studies.claims.trial_states import count_by_state, ended_among, unfinished_trials
from studies.storage.study_storage import StudyStorage
from tests.studies.claims.staging import ME, finish, new_trial
from tests.studies.many_trials import add_trials, counted_statements


@pytest.fixture
def mixed(storage: StudyStorage, study: optuna.Study) -> optuna.Study:
    """Trials of every kind: 0 complete, 1 pruned, 2 to 4 failed, 5 running, 6 waiting; and another study beside."""
    finish(study, new_trial(storage))
    study.tell(new_trial(storage), state=TrialState.PRUNED)
    study.tell(new_trial(storage, failure="ValueError: no"), state=TrialState.FAIL)
    study.tell(new_trial(storage, failure="Ctrl-C", abandoned="interrupted", num_retries=1), state=TrialState.FAIL)
    study.tell(new_trial(storage), state=TrialState.FAIL)
    new_trial(storage, worker=ME.as_attribute())
    study.enqueue_trial({"x": 0.5}, user_attrs={"retry_of": 3})
    optuna.create_study(study_name="others", storage=storage.optuna).enqueue_trial({"x": 0.5})
    return study


def test_states_are_counted(storage: StudyStorage, mixed: optuna.Study) -> None:
    with storage.read_engine.begin() as connection:
        counted = count_by_state(connection, mixed._study_id)
    assert counted == {**dict.fromkeys(TrialState, 0), **Counter(trial.state for trial in mixed.trials)}


def test_what_runs_or_failed_without_a_fault_is_found(storage: StudyStorage, mixed: optuna.Study) -> None:
    with storage.read_engine.begin() as connection:
        interrupted, unknown, running = unfinished_trials(connection, mixed._study_id, grace_seconds=30)
    assert [trial.number for trial in (interrupted, unknown, running)] == [3, 4, 5]
    assert [trial.id for trial in (interrupted, unknown, running)] == [mixed.trials[n]._trial_id for n in (3, 4, 5)]
    assert (interrupted.cause, interrupted.failure, interrupted.num_kills) == ("interrupted", "Ctrl-C", 1)
    assert (interrupted.has_retry, unknown.has_retry, running.has_retry) == (True, False, False)
    assert (unknown.worker, unknown.cause, unknown.failure) == (None, None, None)
    assert (unknown.is_running, running.is_running, running.is_silent) == (False, True, False)
    assert running.worker == WorkerIdentity.current()
    assert running.has_parameters


def test_parameters_are_sampled_or_enqueued_or_missing(storage: StudyStorage, study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.5})
    storage.optuna.set_trial_state_values(study.trials[0]._trial_id, TrialState.RUNNING)
    storage.optuna.create_new_trial(study._study_id)
    new_trial(storage)
    with storage.read_engine.begin() as connection:
        trials = unfinished_trials(connection, study._study_id, grace_seconds=30)
    assert [trial.has_parameters for trial in trials] == [True, False, True]


def test_ended_trials_are_told(storage: StudyStorage, mixed: optuna.Study) -> None:
    with storage.read_engine.begin() as connection:
        assert ended_among(connection, mixed._study_id, [0, 1, 2, 5, 6, 99]) == {0, 1, 2}
        assert ended_among(connection, mixed._study_id, []) == set()


@pytest.mark.parametrize("num_trials", [1, 1000])
def test_statements_do_not_grow_with_the_study(storage: StudyStorage, study: optuna.Study, num_trials: int) -> None:
    add_trials(storage, study, num_trials, worker=ME.as_attribute(), retry_of=0)
    with counted_statements(storage.read_engine) as statements, storage.read_engine.begin() as connection:
        counted = count_by_state(connection, study._study_id)
        unfinished_trials(connection, study._study_id, grace_seconds=30)
    assert counted[TrialState.COMPLETE] == num_trials == len(study.trials)
    assert sum(statement.startswith("SELECT") for statement in statements) == 4
