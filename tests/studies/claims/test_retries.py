"""How often an abandoned trial is run again, and with what."""

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from studies.claims.retries import RetryTime, enqueue_retry, mark_interrupted, retry_time

pytestmark = pytest.mark.parametrize("storage_url", ["sqlite"], indirect=True)
DISTRIBUTIONS: dict[str, optuna.distributions.BaseDistribution] = {"x": optuna.distributions.FloatDistribution(0, 1)}


@pytest.mark.usefixtures("storage_url")
def test_a_trial_is_tried_again_at_once_then_last_then_never() -> None:
    times = [retry_time(num_kills) for num_kills in range(5)]
    assert times == [RetryTime.AT_ONCE, RetryTime.AT_ONCE, RetryTime.LAST, RetryTime.NEVER, RetryTime.NEVER]


def test_a_retry_has_the_trials_parameters(study: optuna.Study) -> None:
    study.add_trial(create_trial(state=TrialState.FAIL, params={"x": 0.5}, distributions=DISTRIBUTIONS))
    enqueue_retry(study, study.trials[0], num_kills=1)
    assert study.trials[1].user_attrs == {"retry_of": 0, "num_retries": 1}
    assert study.trials[1].system_attrs["fixed_params"] == {"x": 0.5}


def test_what_was_sampled_goes_over_what_was_enqueued(study: optuna.Study) -> None:
    trial = create_trial(
        state=TrialState.FAIL,
        params={"x": 0.5},
        distributions=DISTRIBUTIONS,
        system_attrs={"fixed_params": {"x": 0.25, "y": 1.0}},
    )
    study.add_trial(trial)
    enqueue_retry(study, study.trials[0], num_kills=1)
    assert study.trials[1].system_attrs["fixed_params"] == {"x": 0.5, "y": 1.0}


def test_the_baselines_retry_is_the_baseline(study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.5}, user_attrs={"baseline": True})
    enqueue_retry(study, study.trials[0], num_kills=1)
    assert study.trials[1].user_attrs == {"retry_of": 0, "num_retries": 1, "baseline": True}


def test_the_retry_of_a_suggestion_is_that_suggestion(study: optuna.Study) -> None:
    foretold = {"quality": 0.5, "standard_error": 0.01}
    study.enqueue_trial({"x": 0.5}, user_attrs={"foretold": foretold})
    enqueue_retry(study, study.trials[0], num_kills=1)
    assert study.trials[1].user_attrs == {"retry_of": 0, "num_retries": 1, "foretold": foretold}


def test_the_retry_of_another_styles_setting_says_so_too(study: optuna.Study) -> None:
    origin = {"uuid": "1-2", "study": "night", "trial": 7, "quality": 0.4}
    study.enqueue_trial({"x": 0.5}, user_attrs={"taken_from": origin})
    enqueue_retry(study, study.trials[0], num_kills=0)
    assert study.trials[1].user_attrs == {"retry_of": 0, "num_retries": 0, "taken_from": origin}


def test_an_interrupt_is_noted_on_the_trial(study: optuna.Study) -> None:
    def objective(trial: optuna.Trial) -> float:
        mark_interrupted(trial, "Ctrl-C")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        study.optimize(objective, n_trials=1)
    assert study.trials[0].user_attrs == {"failure": "Ctrl-C", "abandoned": "interrupted"}
