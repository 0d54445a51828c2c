"""What reapers do after workers that were killed or interrupted in any place, staged in one process."""

import threading
from dataclasses import replace
from datetime import timedelta
from typing import Any

import optuna
import pytest
import sqlalchemy
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState

from studies.claims import claiming as claims
from studies.claims import reaping
from studies.claims.claiming import NoClaim
from studies.claims.reaping import Reaped, abandoned_trials, reap, release
from studies.claims.trial_states import UnfinishedTrial, unfinished_trials
from studies.errors import ClaimLostError
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import ClaimRow
from tests.studies.claims.staging import (
    FOREIGN,
    ME,
    claim,
    dead_worker,
    finish,
    granted,
    new_trial,
    num_by_state,
    start_waiting,
)
from tests.studies.many_trials import add_trials, counted_statements
from tests.studies.waves import WAVES


def test_reaping_a_quiet_study_does_nothing(storage: StudyStorage, study: optuna.Study) -> None:
    finish(study, new_trial(storage))
    assert reap(storage, WAVES) == Reaped(failed=(), retried=(), num_claims=0)


def test_live_trial_is_left_alone(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage)
    number = new_trial(storage)
    assert reap(storage, WAVES).failed == (), "its claim waits for it"
    claims.attach(storage, held, trial_number=number)
    assert reap(storage, WAVES).failed == ()
    assert num_by_state(study) == {"RUNNING": 1}


def test_dead_workers_trial_fails_and_is_enqueued_once_more(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage, worker=dead_worker())
    number = new_trial(storage)
    claims.attach(storage, held, trial_number=number)
    assert reap(storage, WAVES) == Reaped(failed=(0,), retried=(0,), num_claims=1)
    failed, retry = study.trials
    assert (failed.state, failed.user_attrs["failure"]) == (TrialState.FAIL, "its worker died")
    assert (retry.state, retry.user_attrs["retry_of"]) == (TrialState.WAITING, 0)
    assert claims.open_claims(storage, WAVES) == []
    assert reap(storage, WAVES).failed == ()
    granted(storage)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert study.trials[1].params == failed.params
    assert study.trials[1].state == TrialState.COMPLETE


def test_what_a_worker_sampled_between_a_look_and_its_death_is_run_again(
    storage: StudyStorage, study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    held = granted(storage, worker=dead_worker())
    trial_id = storage.optuna.create_new_trial(study_id_of(study))
    claims.attach(storage, held, trial_number=0)
    looks: list[int] = []

    def look(*arguments: Any, **options: Any) -> list[UnfinishedTrial]:
        found = unfinished_trials(*arguments, **options)
        looks.append(len(found))
        if len(looks) == 2:  # the one that nobody else acts beside
            storage.optuna.set_trial_param(trial_id, "x", 0.5, FloatDistribution(0, 1))
        return found

    monkeypatch.setattr(reaping, "unfinished_trials", look)
    assert reap(storage, WAVES) == Reaped(failed=(0,), retried=(0,), num_claims=1)


def test_later_process_with_the_same_number_is_another_worker(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage, worker=replace(ME, started=ME.started - 100))
    claims.attach(storage, held, trial_number=new_trial(storage))
    assert reap(storage, WAVES).failed == (0,)
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}


def kill(storage: StudyStorage, number: int, *, total: int) -> Reaped:
    """Have a worker run a waiting trial and die."""
    held = granted(storage, total=total, worker=dead_worker())
    start_waiting(storage, number)
    claims.attach(storage, held, trial_number=number)
    return reap(storage, WAVES, total=total)


def test_a_trial_killed_twice_is_run_again_when_only_it_is_missing(storage: StudyStorage, study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.5}, user_attrs={"baseline": True})
    assert kill(storage, 0, total=3).retried == (0,)
    assert kill(storage, 1, total=3).retried == ()
    finish(study, new_trial(storage))
    assert reap(storage, WAVES, total=3) == Reaped(), "another trial is missing"
    held = granted(storage, total=3)
    finish_claimed = new_trial(storage)
    claims.attach(storage, held, trial_number=finish_claimed)
    assert reap(storage, WAVES, total=3).retried == (1,), "the other one runs"
    assert reap(storage, WAVES, total=3) == Reaped()
    retry = study.trials[-1]
    assert retry.user_attrs == {"retry_of": 1, "num_retries": 2, "baseline": True}
    assert retry.system_attrs["fixed_params"] == {"x": 0.5}
    claims.close(storage, held)
    finish(study, finish_claimed)
    assert kill(storage, retry.number, total=3) == Reaped(failed=(retry.number,), num_claims=1), "killed three times"
    assert reap(storage, WAVES, total=3) == Reaped()
    granted(storage, total=3)


def test_a_trial_killed_twice_keeps_its_place_among_those_missing(storage: StudyStorage, study: optuna.Study) -> None:
    """Enqueued in the same step that fails it: no other worker can take the last place in between."""
    study.enqueue_trial({"x": 0.5}, user_attrs={"retry_of": 9, "num_retries": 1})
    assert kill(storage, 0, total=1) == Reaped(failed=(0,), retried=(0,), num_claims=1)


def test_without_a_total_a_trial_killed_twice_waits(storage: StudyStorage, study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.5}, user_attrs={"retry_of": 9, "num_retries": 1})
    kill(storage, 0, total=2)
    assert reap(storage, WAVES) == Reaped()
    assert reap(storage, WAVES, total=1).retried == (0,)


def test_killed_before_the_trial_existed(storage: StudyStorage, study: optuna.Study) -> None:
    granted(storage, worker=dead_worker())
    assert claim(storage) is NoClaim.FULL
    assert reap(storage, WAVES) == Reaped(failed=(), retried=(), num_claims=1)
    granted(storage)
    assert study.trials == []


def test_killed_between_trial_and_attach(storage: StudyStorage, study: optuna.Study) -> None:
    granted(storage, worker=dead_worker())
    new_trial(storage)
    assert claim(storage) is NoClaim.FULL
    assert reap(storage, WAVES) == Reaped(failed=(0,), retried=(0,), num_claims=1)
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}


def test_trial_without_claim_may_belong_to_a_live_claim(storage: StudyStorage, study: optuna.Study) -> None:
    granted(storage, total=3, worker=dead_worker())
    held = granted(storage, total=3)
    new_trial(storage)
    new_trial(storage)
    assert reap(storage, WAVES).failed == (), "either may be ours"
    claims.attach(storage, held, trial_number=1)
    assert reap(storage, WAVES).failed == (0,)
    assert num_by_state(study) == {"FAIL": 1, "RUNNING": 1, "WAITING": 1}


def test_trial_that_its_live_worker_left_behind(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage, total=2)
    claims.attach(storage, held, trial_number=new_trial(storage, worker=ME.as_attribute()))
    held = granted(storage, total=3)
    assert reap(storage, WAVES).failed == (), "the claim has no trial yet"
    claims.attach(storage, held, trial_number=new_trial(storage, worker=ME.as_attribute()))
    assert reap(storage, WAVES).failed == (0,)
    assert num_by_state(study) == {"FAIL": 1, "RUNNING": 1, "WAITING": 1}


def test_enqueued_trial_killed_before_its_parameters(storage: StudyStorage, study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.25})
    held = granted(storage, worker=dead_worker())
    start_waiting(storage, 0)
    claims.attach(storage, held, trial_number=0)
    reap(storage, WAVES)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert study.trials[1].params == {"x": 0.25}


def test_other_machines_are_left_to_their_heartbeats(storage: StudyStorage, study: optuna.Study) -> None:
    """A container of the same host name is another machine, in which the number is that of another process."""
    elsewhere = replace(dead_worker(), machine="another")
    held = granted(storage, worker=elsewhere)
    claims.attach(storage, held, trial_number=new_trial(storage, worker=elsewhere.as_attribute()))
    assert reap(storage, WAVES).failed == ()
    assert num_by_state(study) == {"RUNNING": 1}
    assert claims.live_workers(storage, WAVES) == [elsewhere]


def test_a_host_may_change_its_name(storage: StudyStorage, study: optuna.Study) -> None:
    renamed = replace(dead_worker(), host="another-name")
    claims.attach(storage, granted(storage, worker=renamed), trial_number=new_trial(storage))
    assert reap(storage, WAVES).failed == (0,)
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}


def test_a_trial_of_an_earlier_version_is_left_to_its_heartbeat(storage: StudyStorage, study: optuna.Study) -> None:
    """Which machine its host was, nobody knows."""
    worker = dead_worker().as_attribute()
    del worker["machine"]
    new_trial(storage, worker=worker)
    assert reap(storage, WAVES).failed == ()
    assert num_by_state(study) == {"RUNNING": 1}


def test_other_machines_claim_without_trial_grows_old(storage: StudyStorage, study: optuna.Study) -> None:
    del study
    held = granted(storage, worker=FOREIGN)
    assert reap(storage, WAVES).num_claims == 0
    with storage.engine.begin() as connection:
        (found,) = connection.execute(sqlalchemy.select(ClaimRow.claimed_at)).scalars()
        older = found - timedelta(seconds=claims.UNATTACHED_SECONDS + 60)
        connection.execute(sqlalchemy.update(ClaimRow).values(claimed_at=older))
    assert reap(storage, WAVES).num_claims == 1
    with pytest.raises(ClaimLostError):
        claims.attach(storage, held, trial_number=0)


def test_other_machines_claim_goes_once_its_trial_has_ended(storage: StudyStorage, study: optuna.Study) -> None:
    number = new_trial(storage)
    claims.attach(storage, granted(storage, total=2, worker=FOREIGN), trial_number=number)
    finish(study, number)
    assert reap(storage, WAVES).num_claims == 1


def silence(storage: StudyStorage, number: int) -> None:
    """Have a trial's process be heard of for the last time an hour ago."""
    study_id = storage.optuna.get_study_id_from_name("waves")
    storage.optuna.record_heartbeat(storage.optuna.get_trial_id_from_study_id_trial_number(study_id, number))
    hour_ago = {"sqlite": "datetime('now', '-1 hour')", "postgresql": "now() - interval '1 hour'"}
    with storage.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE trial_heartbeats SET heartbeat = {hour_ago[connection.dialect.name]}")


def test_stale_heartbeat_is_retried_too(storage: StudyStorage, study: optuna.Study) -> None:
    claims.attach(storage, granted(storage, worker=FOREIGN), trial_number=new_trial(storage))
    storage.optuna.record_heartbeat(storage.optuna.get_trial_id_from_study_id_trial_number(1, 0))
    assert reap(storage, WAVES) == Reaped(), "it was heard of just now"
    silence(storage, 0)
    assert reap(storage, WAVES).failed == (0,)
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}
    assert study.trials[1].user_attrs["retry_of"] == 0
    assert reap(storage, WAVES) == Reaped(num_claims=1)
    assert reap(storage, WAVES) == Reaped()


@pytest.mark.parametrize("is_noted", [True, False])
@pytest.mark.filterwarnings("ignore::optuna.exceptions.ExperimentalWarning")
def test_a_trial_that_optuna_failed_as_stale_is_retried(
    storage: StudyStorage, study: optuna.Study, is_noted: bool
) -> None:
    """By a process that then died: nothing but the trial says that it was a worker of ours that fell silent."""
    attributes = {"worker": FOREIGN.as_attribute()} if is_noted else {}
    held = granted(storage, worker=FOREIGN)
    claims.attach(storage, held, trial_number=new_trial(storage, **attributes))
    silence(storage, 0)
    optuna.storages.fail_stale_trials(study)
    if is_noted:
        claims.close(storage, held)
    assert num_by_state(study) == {"FAIL": 1}
    assert reap(storage, WAVES) == Reaped(retried=(0,), num_claims=int(not is_noted))
    assert study.trials[1].user_attrs == {"retry_of": 0, "num_retries": 1}
    assert reap(storage, WAVES) == Reaped()


def test_failures_of_their_own_and_of_others_are_not_retried(storage: StudyStorage, study: optuna.Study) -> None:
    for attributes in ({"worker": ME.as_attribute(), "failure": "ValueError: no"}, {}):
        study.tell(new_trial(storage, **attributes), state=TrialState.FAIL)
    assert reap(storage, WAVES) == Reaped()
    assert num_by_state(study) == {"FAIL": 2}


def test_two_reapers_enqueue_one_retry(storage: StudyStorage, storage_url: str, study: optuna.Study) -> None:
    for _ in range(3):
        claims.attach(storage, granted(storage, total=9, worker=dead_worker()), trial_number=new_trial(storage))

    def reap_too() -> None:
        with StudyStorage.open(storage_url) as own:
            reap(own, WAVES)

    threads = [threading.Thread(target=reap_too) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert num_by_state(study) == {"FAIL": 3, "WAITING": 3}
    assert sorted(trial.user_attrs["retry_of"] for trial in study.trials[3:]) == [0, 1, 2]


def test_reaper_killed_halfway_is_followed_by_another(
    storage: StudyStorage, study: optuna.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    claims.attach(storage, granted(storage, worker=dead_worker()), trial_number=new_trial(storage))
    monkeypatch.setattr(storage.optuna, "set_trial_state_values", _interrupt)
    with pytest.raises(KeyboardInterrupt):
        reap(storage, WAVES)
    monkeypatch.undo()
    assert num_by_state(study) == {"RUNNING": 1, "WAITING": 1}
    reap(storage, WAVES)
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_interrupted_trial_is_always_enqueued_again(storage: StudyStorage, study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.25}, user_attrs={"retry_of": 99, "num_retries": 1})
    for number in range(2):
        held = granted(storage)
        start_waiting(storage, number)
        claims.attach(storage, held, trial_number=number)
        assert release(storage, held, trial_number=number, reason="Ctrl-C")
    assert num_by_state(study) == {"FAIL": 2, "WAITING": 1}
    assert study.trials[0].user_attrs["failure"] == "Ctrl-C"
    assert study.trials[2].user_attrs == {"retry_of": 1, "num_retries": 1}
    assert claims.open_claims(storage, WAVES) == []


def test_release_without_trial_gives_the_claim_back(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage)
    assert not release(storage, held, trial_number=None, reason="Ctrl-C")
    assert claims.open_claims(storage, WAVES) == []
    assert study.trials == []


def test_release_keeps_a_finished_trial(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage)
    number = new_trial(storage)
    finish(study, number)
    assert not release(storage, held, trial_number=number, reason="Ctrl-C")
    assert num_by_state(study) == {"COMPLETE": 1}


def test_trials_whose_worker_is_dead_are_told_apart_without_a_change(
    storage: StudyStorage, study: optuna.Study
) -> None:
    workers = [ME, dead_worker(), replace(dead_worker(), machine="another")]
    for worker in workers:
        held = granted(storage, total=9, worker=worker)
        claims.attach(storage, held, trial_number=new_trial(storage, worker=worker.as_attribute()))
    new_trial(storage)
    finish(study, new_trial(storage))
    assert abandoned_trials(storage, WAVES) == {1}, "nobody of us says that he runs trial 3"
    assert num_by_state(study) == {"RUNNING": 4, "COMPLETE": 1}


def test_a_silent_trial_is_told_apart_too(storage: StudyStorage, study: optuna.Study) -> None:
    del study
    new_trial(storage, worker=FOREIGN.as_attribute())
    assert abandoned_trials(storage, WAVES) == set()
    silence(storage, 0)
    assert abandoned_trials(storage, WAVES) == {0}


NUM_TRIALS = [10, 1000, pytest.param(10_000, marks=pytest.mark.slow)]


@pytest.mark.parametrize("num_trials", NUM_TRIALS)
def test_an_idle_reaper_takes_no_lock_and_few_statements(
    storage: StudyStorage, study: optuna.Study, num_trials: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It looks every second in every worker; once it sent 286 statements for 660 trials, most of them locked."""
    add_trials(storage, study, num_trials, worker=ME.as_attribute())
    for attributes in ({"retry_of": 0}, {"failure": "ValueError: no"}):
        study.tell(new_trial(storage, **attributes), state=TrialState.FAIL)
    claims.attach(storage, granted(storage, total=10**6), trial_number=new_trial(storage))
    monkeypatch.setattr(StudyStorage, "exclusive", _interrupt)
    with counted_statements(storage.engine) as writing, counted_statements(storage.read_engine) as reading:
        assert reap(storage, WAVES, total=10**6) == Reaped()
    assert writing == []
    assert len(reading) <= 12


@pytest.mark.parametrize("num_trials", NUM_TRIALS)
def test_a_reaper_with_work_takes_as_many_statements_in_a_large_study(
    storage: StudyStorage, study: optuna.Study, num_trials: int
) -> None:
    add_trials(storage, study, num_trials, worker=ME.as_attribute())
    claims.attach(storage, granted(storage, total=10**6, worker=dead_worker()), trial_number=new_trial(storage))
    with counted_statements(storage.engine, storage.read_engine) as statements:
        assert len(reap(storage, WAVES, total=10**6).retried) == 1
    assert len(statements) <= 90
