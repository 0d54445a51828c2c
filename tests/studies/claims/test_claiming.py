"""Claims: no more than the total, one a worker, in a fixed number of statements."""

from dataclasses import replace
from datetime import timedelta

import optuna
import pytest
from optuna.trial import TrialState

from studies.claims import claiming as claims
from studies.claims.claiming import NoClaim
from studies.errors import ClaimLostError, StudyError
from studies.storage.study_storage import StudyStorage
from tests.studies.claims.staging import FOREIGN, ME, claim, dead_worker, finish, granted, new_trial
from tests.studies.many_trials import add_trials, counted_statements
from tests.studies.waves import WAVES


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
    with pytest.raises(ClaimLostError, match="Trial 0 lost its claim"):
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


@pytest.mark.parametrize("num_trials", [10, 1000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_a_claim_takes_as_many_statements_in_a_large_study(
    storage: StudyStorage, study: optuna.Study, num_trials: int
) -> None:
    add_trials(storage, study, num_trials)
    with counted_statements(storage.engine, storage.read_engine) as statements:
        granted(storage, total=num_trials + 1)
    assert len(statements) <= 20
    assert claim(storage, total=num_trials) is NoClaim.DONE
