import optuna
import pytest
from optuna.trial import TrialState, create_trial

from studies.claims.retries import enqueue_missing_retries, enqueue_retry, mark_interrupted

pytestmark = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
DISTRIBUTIONS: dict[str, optuna.distributions.BaseDistribution] = {"x": optuna.distributions.FloatDistribution(0, 1)}


def add_failed(study: optuna.Study, **attributes: object) -> optuna.trial.FrozenTrial:
    trial = create_trial(
        state=TrialState.FAIL, params={"x": 0.5}, distributions=DISTRIBUTIONS, user_attrs=dict(attributes)
    )
    study.add_trial(trial)
    return study.trials[-1]


def test_a_trial_is_retried_once(study: optuna.Study) -> None:
    trial = add_failed(study)
    assert enqueue_retry(study, trial, cause="killed")
    assert not enqueue_retry(study, trial, cause="killed")
    assert study.trials[1].user_attrs == {"retry_of": 0, "num_retries": 1}
    assert study.trials[1].system_attrs["fixed_params"] == {"x": 0.5}


def test_a_killed_retry_is_the_last_but_an_interrupted_one_is_not(study: optuna.Study) -> None:
    retry = add_failed(study, retry_of=9, num_retries=1)
    assert not enqueue_retry(study, retry, cause="killed")
    assert enqueue_retry(study, retry, cause="interrupted")
    assert study.trials[1].user_attrs == {"retry_of": 0, "num_retries": 1}


def test_a_trial_without_parameters_is_not_retried(study: optuna.Study) -> None:
    study.add_trial(create_trial(state=TrialState.FAIL))
    assert not enqueue_retry(study, study.trials[0], cause="killed")


def test_marked_trials_are_found_later(study: optuna.Study) -> None:
    def objective(trial: optuna.Trial) -> float:
        trial.suggest_float("x", 0, 1)
        mark_interrupted(trial, "Ctrl-C")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.optimize(objective, n_trials=1)
    add_failed(study, failure="a bug of ours")
    assert enqueue_missing_retries(study) == [0]
    assert enqueue_missing_retries(study) == []
    assert study.trials[0].user_attrs["failure"] == "Ctrl-C"
    assert study.trials[2].state == TrialState.WAITING
