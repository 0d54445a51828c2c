"""Runs of a final are trained by one process each, whoever asks; on both databases."""

import subprocess
import sys
from dataclasses import replace

import optuna
import psutil

from studies.claims import final_claims
from studies.claims.final_claims import LEASE_SECONDS, FinalClaims, live_finalist_trainers
from studies.claims.processes import WorkerIdentity
from studies.storage.study_storage import StudyStorage
from tests.studies.records.finals import FINAL, run_of
from tests.studies.waves import WAVES

KEYS = ((1, 1), (2, 1), (0, 1), (1, 2), (2, 2), (0, 2))


def begin(study: optuna.Study) -> None:
    study.set_user_attr("final", replace(FINAL, runs=()).to_attribute())


def claim_as(study: optuna.Study, owner: WorkerIdentity, name: str, *, renewed: float) -> None:
    study.set_user_attr("final_claims", {name: {**owner.as_attribute(), "renewed": renewed}})


def own_time(seconds: float) -> float:
    return final_claims.time.time() - seconds


def test_one_after_another_and_never_one_that_is_done(storage: StudyStorage, study: optuna.Study) -> None:
    assert FinalClaims(storage, WAVES).take() is None, "there is no final"
    begin(study)
    claims = FinalClaims(storage, WAVES)
    assert claims.take() == KEYS[0]
    study.set_user_attr("final", replace(FINAL, runs=(run_of(1, 1, 0.5, 0.5),)).to_attribute())
    claims.release(KEYS[0])
    assert claims.take() == KEYS[1]
    study.set_user_attr("final", FINAL.to_attribute())
    assert claims.take() is None


def test_a_living_process_keeps_its_run_a_dead_one_does_not(storage: StudyStorage, study: optuna.Study) -> None:
    begin(study)
    me = WorkerIdentity.current()
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as other:
        alive = replace(me, pid=other.pid, started=_started(other.pid))
        claim_as(study, alive, "1/1", renewed=own_time(0))
        assert FinalClaims(storage, WAVES).take() == KEYS[1]
        claim_as(study, alive, "1/1", renewed=own_time(LEASE_SECONDS + 1))
        assert FinalClaims(storage, WAVES).take() == KEYS[1], "it lives, however long a step takes"
        assert live_finalist_trainers(storage, WAVES)[0] == alive
        other.kill()
        other.wait()
        assert FinalClaims(storage, WAVES).take() == KEYS[0]


def test_another_machines_process_keeps_its_run_until_it_has_been_silent(
    storage: StudyStorage, study: optuna.Study
) -> None:
    begin(study)
    foreign = replace(WorkerIdentity.current(), machine="elsewhere")
    claim_as(study, foreign, "1/1", renewed=own_time(LEASE_SECONDS / 2))
    assert FinalClaims(storage, WAVES).take() == KEYS[1]
    claim_as(study, foreign, "1/1", renewed=own_time(LEASE_SECONDS + 1))
    assert FinalClaims(storage, WAVES).take() == KEYS[0]


def test_only_an_own_claim_is_renewed_or_released(storage: StudyStorage, study: optuna.Study) -> None:
    begin(study)
    claims = FinalClaims(storage, WAVES)
    assert claims.take() == KEYS[0]
    claims.renew(KEYS[0])
    foreign = replace(WorkerIdentity.current(), machine="elsewhere")
    claim_as(study, foreign, "1/1", renewed=own_time(1))
    before = storage.read_study("waves").user_attrs["final_claims"]
    claims.renew(KEYS[0])
    claims.release(KEYS[0])
    assert storage.read_study("waves").user_attrs["final_claims"] == before


def _started(pid: int) -> float:
    return round(psutil.Process(pid).create_time() - psutil.boot_time(), 2)
