"""The heart of resuming: claims under real processes, killed and interrupted in every place."""

import os
import signal
import subprocess
import sys
import threading
from collections import Counter
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from optuna.trial import TrialState

from studies.claims import claiming as claims
from studies.claims.claiming import Claim, NoClaim
from studies.claims.processes import WorkerIdentity, this_host
from studies.errors import ClaimLostError, StudyError
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import ClaimRow
from tests.studies.waves import WAVES

ROOT = Path(__file__).parents[3]
ME = WorkerIdentity.current()
FOREIGN = WorkerIdentity("another-host", 1, 1e9)


def dead_worker() -> WorkerIdentity:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return WorkerIdentity(this_host(), process.pid, 1.0)


def start_worker(address: str, *, total: int, seed: int, accident: str = "") -> subprocess.Popen[str]:
    script = str(Path(__file__).with_name("claiming_process.py"))
    command = [sys.executable, "-W", "error", script, address, str(total), str(seed), accident]
    environment = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)


def end(worker: subprocess.Popen[str]) -> int:
    worker.communicate(timeout=120)
    return worker.returncode


def hang_and_kill(address: str, *, accident: str) -> None:
    worker = start_worker(address, total=4, seed=99, accident=accident)
    assert worker.stdout is not None
    assert worker.stdout.readline() == "hanging\n"
    worker.kill()
    worker.communicate()


def claim(storage: StudyStorage, *, total: int = 1, worker: WorkerIdentity = ME) -> Claim | NoClaim:
    return claims.claim(storage, WAVES, total=total, worker=worker)


def granted(storage: StudyStorage, *, total: int = 1, worker: WorkerIdentity = ME) -> Claim:
    held = claim(storage, total=total, worker=worker)
    assert isinstance(held, Claim)
    return held


def new_trial(storage: StudyStorage, **attributes: object) -> int:
    """A running trial, as Optuna leaves it when its process dies."""
    trial_id = storage.optuna.create_new_trial(storage.optuna.get_study_id_from_name("waves"))
    distribution = optuna.distributions.FloatDistribution(0, 1)
    number = storage.optuna.get_trial(trial_id).number
    storage.optuna.set_trial_param(trial_id, "x", number / 8, distribution)
    for name, value in attributes.items():
        storage.optuna.set_trial_user_attr(trial_id, name, value)
    return number


def start_waiting(storage: StudyStorage, number: int) -> None:
    """Start an enqueued trial, as Optuna does before it calls the objective."""
    study_id = storage.optuna.get_study_id_from_name("waves")
    trial_id = storage.optuna.get_trial_id_from_study_id_trial_number(study_id, number)
    storage.optuna.set_trial_state_values(trial_id, TrialState.RUNNING)


def finish(study: optuna.Study, number: int) -> None:
    study.tell(number, 0.5)


def num_by_state(study: optuna.Study) -> dict[str, int]:
    return Counter(trial.state.name for trial in study.trials)


def test_claims_are_granted_up_to_the_total(storage: StudyStorage, study: optuna.Study) -> None:
    first = granted(storage, total=2)
    second = granted(storage, total=2, worker=FOREIGN)
    assert first.token != second.token
    assert claim(storage, total=2, worker=replace(FOREIGN, pid=2)) is NoClaim.FULL
    numbers = [new_trial(storage), new_trial(storage)]
    for held, number in zip((first, second), numbers, strict=True):
        claims.attach(storage, held, trial_number=number)
    assert claim(storage, total=2, worker=replace(FOREIGN, pid=2)) is NoClaim.FULL
    for held, number in zip((first, second), numbers, strict=True):
        finish(study, number)
        claims.close(storage, held)
    assert claim(storage, total=2) is NoClaim.DONE
    assert claims.open_claims(storage, WAVES) == []
    granted(storage, total=3)


def test_failed_and_waiting_trials_are_not_in_use(storage: StudyStorage, study: optuna.Study) -> None:
    study.tell(new_trial(storage), state=TrialState.FAIL)
    study.enqueue_trial({"x": 0.5})
    granted(storage, total=1)


def test_pruned_trials_count(storage: StudyStorage, study: optuna.Study) -> None:
    study.tell(new_trial(storage), state=TrialState.PRUNED)
    assert claim(storage, total=1) is NoClaim.DONE


@pytest.mark.usefixtures("study")
def test_a_closed_claim_is_free_again(storage: StudyStorage) -> None:
    held = granted(storage)
    claims.close(storage, held)
    claims.close(storage, held)
    granted(storage)


@pytest.mark.usefixtures("study")
def test_a_worker_holds_one_claim(storage: StudyStorage) -> None:
    granted(storage)
    second = granted(storage)
    assert [held.token for held in claims.open_claims(storage, WAVES)] == [second.token]


@pytest.mark.usefixtures("study")
def test_a_taken_claim_cannot_be_attached(storage: StudyStorage) -> None:
    held = granted(storage)
    claims.close(storage, held)
    with pytest.raises(ClaimLostError, match=r"Trial 0 lost its claim"):
        claims.attach(storage, held, trial_number=0)


def test_claiming_in_an_unknown_study(storage: StudyStorage) -> None:
    with pytest.raises(StudyError, match=f"was deleted.*{WAVES}"):
        claim(storage)


@pytest.mark.usefixtures("study")
def test_claims_tell_their_worker_and_age(storage: StudyStorage) -> None:
    held = granted(storage)
    (found,) = claims.open_claims(storage, WAVES)
    assert found == replace(held, age=found.age)
    assert timedelta(0) <= found.age < timedelta(seconds=30)


def test_live_workers_are_listed(storage: StudyStorage, study: optuna.Study) -> None:
    del study
    granted(storage, total=3)
    granted(storage, total=3, worker=dead_worker())
    granted(storage, total=3, worker=FOREIGN)
    assert set(claims.live_workers(storage, WAVES)) == {ME, FOREIGN}


def test_reaping_a_quiet_study_does_nothing(storage: StudyStorage, study: optuna.Study) -> None:
    finish(study, new_trial(storage))
    assert claims.reap(storage, WAVES) == claims.Reaped(failed=(), retried=(), num_claims=0)


def test_live_trial_is_left_alone(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage)
    number = new_trial(storage)
    assert claims.reap(storage, WAVES).failed == (), "its claim waits for it"
    claims.attach(storage, held, trial_number=number)
    assert claims.reap(storage, WAVES).failed == ()
    assert num_by_state(study) == {"RUNNING": 1}


def test_dead_workers_trial_fails_and_is_enqueued_once_more(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage, worker=dead_worker())
    number = new_trial(storage)
    claims.attach(storage, held, trial_number=number)
    assert claims.reap(storage, WAVES) == claims.Reaped(failed=(0,), retried=(0,), num_claims=1)
    failed, retry = study.trials
    assert (failed.state, failed.user_attrs["failure"]) == (TrialState.FAIL, "its worker died")
    assert (retry.state, retry.user_attrs["retry_of"]) == (TrialState.WAITING, 0)
    assert claims.open_claims(storage, WAVES) == []
    assert claims.reap(storage, WAVES).failed == ()
    granted(storage)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert study.trials[1].params == failed.params
    assert study.trials[1].state == TrialState.COMPLETE


def test_later_process_with_the_same_number_is_another_worker(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage, worker=replace(ME, started=ME.started - 100))
    claims.attach(storage, held, trial_number=new_trial(storage))
    assert claims.reap(storage, WAVES).failed == (0,)
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}


def test_killed_retry_is_not_retried_again(storage: StudyStorage, study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.5})
    for number in range(2):
        held = granted(storage, worker=dead_worker())
        start_waiting(storage, number)
        claims.attach(storage, held, trial_number=number)
        claims.reap(storage, WAVES)
    assert num_by_state(study) == {"FAIL": 2}


def test_killed_before_the_trial_existed(storage: StudyStorage, study: optuna.Study) -> None:
    granted(storage, worker=dead_worker())
    assert claim(storage) is NoClaim.FULL
    assert claims.reap(storage, WAVES) == claims.Reaped(failed=(), retried=(), num_claims=1)
    granted(storage)
    assert study.trials == []


def test_killed_between_trial_and_attach(storage: StudyStorage, study: optuna.Study) -> None:
    granted(storage, worker=dead_worker())
    new_trial(storage)
    assert claim(storage) is NoClaim.FULL
    assert claims.reap(storage, WAVES) == claims.Reaped(failed=(0,), retried=(0,), num_claims=1)
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}


def test_trial_without_claim_may_belong_to_a_live_claim(storage: StudyStorage, study: optuna.Study) -> None:
    granted(storage, total=3, worker=dead_worker())
    held = granted(storage, total=3)
    new_trial(storage)
    new_trial(storage)
    assert claims.reap(storage, WAVES).failed == (), "either may be ours"
    claims.attach(storage, held, trial_number=1)
    assert claims.reap(storage, WAVES).failed == (0,)
    assert num_by_state(study) == {"FAIL": 1, "RUNNING": 1, "WAITING": 1}


def test_trial_that_its_live_worker_left_behind(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage, total=2)
    claims.attach(storage, held, trial_number=new_trial(storage, worker=ME.as_attribute()))
    held = granted(storage, total=3)
    assert claims.reap(storage, WAVES).failed == (), "the claim has no trial yet"
    claims.attach(storage, held, trial_number=new_trial(storage, worker=ME.as_attribute()))
    assert claims.reap(storage, WAVES).failed == (0,)
    assert num_by_state(study) == {"FAIL": 1, "RUNNING": 1, "WAITING": 1}


def test_enqueued_trial_killed_before_its_parameters(storage: StudyStorage, study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.25})
    held = granted(storage, worker=dead_worker())
    start_waiting(storage, 0)
    claims.attach(storage, held, trial_number=0)
    claims.reap(storage, WAVES)
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert study.trials[1].params == {"x": 0.25}


def test_other_hosts_are_left_to_their_heartbeats(storage: StudyStorage, study: optuna.Study) -> None:
    claims.attach(storage, granted(storage, worker=FOREIGN), trial_number=new_trial(storage))
    assert claims.reap(storage, WAVES).failed == ()
    assert num_by_state(study) == {"RUNNING": 1}
    assert claims.reap(storage, WAVES, hosts=["another-host"]).failed == (0,)


def test_other_hosts_claim_without_trial_grows_old(storage: StudyStorage, study: optuna.Study) -> None:
    del study
    held = granted(storage, worker=FOREIGN)
    assert claims.reap(storage, WAVES).num_claims == 0
    with storage.engine.begin() as connection:
        (found,) = connection.execute(sqlalchemy.select(ClaimRow.claimed_at)).scalars()
        older = found - timedelta(seconds=claims.UNATTACHED_SECONDS + 60)
        connection.execute(sqlalchemy.update(ClaimRow).values(claimed_at=older))
    assert claims.reap(storage, WAVES).num_claims == 1
    with pytest.raises(ClaimLostError):
        claims.attach(storage, held, trial_number=0)


def test_other_hosts_claim_goes_once_its_trial_has_ended(storage: StudyStorage, study: optuna.Study) -> None:
    number = new_trial(storage)
    claims.attach(storage, granted(storage, total=2, worker=FOREIGN), trial_number=number)
    finish(study, number)
    assert claims.reap(storage, WAVES).num_claims == 1


def test_stale_heartbeat_is_retried_too(storage: StudyStorage, study: optuna.Study) -> None:
    claims.attach(storage, granted(storage, worker=FOREIGN), trial_number=new_trial(storage))
    trial_id = storage.optuna.get_trial_id_from_study_id_trial_number(1, 0)
    storage.optuna.record_heartbeat(trial_id)
    hour_ago = {"sqlite": "datetime('now', '-1 hour')", "postgresql": "now() - interval '1 hour'"}
    with storage.engine.begin() as connection:
        connection.exec_driver_sql(f"UPDATE trial_heartbeats SET heartbeat = {hour_ago[connection.dialect.name]}")
    assert claims.reap(storage, WAVES).num_claims == 1
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}
    assert study.trials[1].user_attrs["retry_of"] == 0


def test_two_reapers_enqueue_one_retry(storage: StudyStorage, storage_url: str, study: optuna.Study) -> None:
    for _ in range(3):
        claims.attach(storage, granted(storage, total=9, worker=dead_worker()), trial_number=new_trial(storage))

    def reap() -> None:
        with StudyStorage.open(storage_url) as own:
            claims.reap(own, WAVES)

    threads = [threading.Thread(target=reap) for _ in range(4)]
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
        claims.reap(storage, WAVES)
    monkeypatch.undo()
    assert num_by_state(study) == {"RUNNING": 1, "WAITING": 1}
    claims.reap(storage, WAVES)
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def test_interrupted_trial_is_always_enqueued_again(storage: StudyStorage, study: optuna.Study) -> None:
    study.enqueue_trial({"x": 0.25}, user_attrs={"retry_of": 99, "num_retries": 1})
    for number in range(2):
        held = granted(storage)
        start_waiting(storage, number)
        claims.attach(storage, held, trial_number=number)
        assert claims.release(storage, held, trial_number=number, reason="Ctrl-C")
    assert num_by_state(study) == {"FAIL": 2, "WAITING": 1}
    assert study.trials[0].user_attrs["failure"] == "Ctrl-C"
    assert study.trials[2].user_attrs == {"retry_of": 1, "num_retries": 1}
    assert claims.open_claims(storage, WAVES) == []


def test_release_without_trial_gives_the_claim_back(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage)
    assert not claims.release(storage, held, trial_number=None, reason="Ctrl-C")
    assert claims.open_claims(storage, WAVES) == []
    assert study.trials == []


def test_release_keeps_a_finished_trial(storage: StudyStorage, study: optuna.Study) -> None:
    held = granted(storage)
    number = new_trial(storage)
    finish(study, number)
    assert not claims.release(storage, held, trial_number=number, reason="Ctrl-C")
    assert num_by_state(study) == {"COMPLETE": 1}


@pytest.mark.slow
def test_six_processes_race_to_exactly_the_total(storage: StudyStorage, storage_url: str, study: optuna.Study) -> None:
    del storage
    workers = [start_worker(storage_url, total=20, seed=seed) for seed in range(6)]
    assert [end(worker) for worker in workers] == [0] * 6
    assert len(study.trials) == 20
    assert set(num_by_state(study)) == {"COMPLETE", "PRUNED"}


@pytest.mark.parametrize("accident", ["hang", "hang-before-attach", "hang-before-trial"])
def test_killed_workers_study_still_ends_with_its_total(
    storage: StudyStorage, storage_url: str, study: optuna.Study, accident: str
) -> None:
    hang_and_kill(storage_url, accident=accident)
    claims.reap(storage, WAVES)
    worker = start_worker(storage_url, total=4, seed=1)
    assert end(worker) == 0
    states = num_by_state(study)
    assert states["COMPLETE"] + states["PRUNED"] == 4
    assert set(states) <= {"COMPLETE", "PRUNED", "FAIL"}
    finished = [trial.params["x"] for trial in study.trials if trial.state in claims.FINISHED_STATES]
    assert len(set(finished)) == 4
    if accident == "hang":
        assert study.trials[0].params["x"] in finished, "the killed trial was run again"


def test_running_workers_replace_a_killed_one(storage: StudyStorage, storage_url: str, study: optuna.Study) -> None:
    del storage
    hang_and_kill(storage_url, accident="hang")
    workers = [start_worker(storage_url, total=4, seed=seed) for seed in range(2)]
    assert [end(worker) for worker in workers] == [0] * 2
    assert num_by_state(study)["FAIL"] == 1
    assert sum(trial.state in claims.FINISHED_STATES for trial in study.trials) == 4
    assert len(study.trials) == 5


def test_interrupted_worker_hands_its_trial_on(storage: StudyStorage, storage_url: str, study: optuna.Study) -> None:
    worker = start_worker(storage_url, total=4, seed=1, accident="interrupt")
    assert end(worker) == -signal.SIGINT
    assert num_by_state(study) == {"FAIL": 1, "WAITING": 1}
    assert study.trials[0].user_attrs["failure"] == "interrupted by the user"
    assert claims.open_claims(storage, WAVES) == []
