"""How far a study is, as its storage says."""

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from tuner.running.standing import Standing


def study_of(*trials: tuple[TrialState, float | None]) -> optuna.Study:
    study = optuna.create_study(direction="maximize")
    for state, value in trials:
        study.add_trial(create_trial(state=state, value=value))
    return study


def test_study_without_trials() -> None:
    assert Standing.of(study_of(), total=3) == Standing(num_finished=0, total=3, best=None)


def test_complete_and_pruned_trials_are_counted_and_the_best_is_complete() -> None:
    trials = [
        (TrialState.COMPLETE, 0.2),
        (TrialState.COMPLETE, 0.4),
        (TrialState.PRUNED, 0.9),
        (TrialState.FAIL, None),
        (TrialState.WAITING, None),
    ]
    standing = Standing.of(study_of(*trials), total=4)
    assert standing == Standing(num_finished=3, total=4, best=(1, 0.4))
    assert not standing.is_done


@pytest.mark.parametrize(("total", "done"), [(1, True), (2, True), (3, False)])
def test_study_is_done_at_its_total(total: int, done: bool) -> None:
    study = study_of((TrialState.COMPLETE, 0.2), (TrialState.COMPLETE, 0.4))
    assert Standing.of(study, total=total).is_done is done
