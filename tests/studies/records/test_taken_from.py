"""Where a setting comes from that a study of another style found best."""

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from studies.records import attributes
from studies.records.taken_from import TakenFrom, Winner, num_taken, origins_in, parse_winners, taken_marks

ORIGIN = TakenFrom(uuid="1-2", study="quick-night-1a2b3c", trial=7, quality=0.43)


def trial(state: TrialState = TrialState.COMPLETE, *, ratio: float = 0.5, **marks: object) -> FrozenTrial:
    value = 0.5 if state is TrialState.COMPLETE else None
    ranges = {"style_to_content": FloatDistribution(0.01, 10, log=True)}
    params = {} if state is TrialState.WAITING else {"style_to_content": ratio}
    waits = {"fixed_params": {"style_to_content": ratio}} if state is TrialState.WAITING else {}
    return create_trial(
        state=state,
        value=value,
        params=params,
        distributions=ranges if params else {},
        user_attrs=marks,
        system_attrs=waits,
    )


MARK = {attributes.TAKEN_FROM: ORIGIN.to_attribute()}


def test_what_is_written_is_read_again() -> None:
    assert TakenFrom.parse(ORIGIN.to_attribute()) == ORIGIN
    assert ORIGIN.in_words() == "from trial 7 of quick-night-1a2b3c"


def test_winners_are_read_again_and_others_left_out() -> None:
    winner = Winner(origin=ORIGIN, params={"style_to_content": 0.5, "layer": "relu3_1"})
    assert parse_winners([winner.to_attribute(), {}, {"origin": ORIGIN.to_attribute()}, 7]) == (winner,)
    assert parse_winners(None) == ()


@pytest.mark.parametrize("wrong", [None, 7, {}, *({**ORIGIN.to_attribute(), name: -1} for name in ("uuid", "trial"))])
def test_what_is_not_ours_is_nothing(wrong: object) -> None:
    assert TakenFrom.parse(wrong) is None


def test_origins_are_known_by_study_and_number() -> None:
    other = {attributes.TAKEN_FROM: {**MARK[attributes.TAKEN_FROM], "trial": 9}}
    assert origins_in([trial(), trial(**MARK), trial(**other)]) == {("1-2", 7), ("1-2", 9)}


def test_finished_ones_are_counted() -> None:
    states = (TrialState.COMPLETE, TrialState.PRUNED, TrialState.FAIL, TrialState.WAITING)
    assert num_taken([trial(), *(trial(state, **MARK) for state in states)]) == 2


def test_marks_of_a_setting_stay_while_it_waits_runs_and_is_run_again() -> None:
    """Else a sampler seeded by them would draw other trials after a resume."""
    before = taken_marks([trial(), trial(TrialState.WAITING, ratio=0.3, **MARK)])
    failed = [trial(TrialState.FAIL, ratio=0.3, **MARK), trial(ratio=0.3, retry_of=0, **MARK)]
    assert len(before) == 1
    assert taken_marks(failed) == before
    assert taken_marks([trial(ratio=0.4, **MARK)]) != before
    assert taken_marks([trial()]) == []


def test_a_setting_that_ran_is_the_one_that_was_enqueued() -> None:
    study = optuna.create_study()
    study.enqueue_trial({"x": 0.1234567890123456789}, user_attrs=MARK)
    before = taken_marks(study.get_trials())
    study.optimize(lambda running: running.suggest_float("x", 0.01, 10, log=True), n_trials=1)
    assert taken_marks(study.get_trials()) == before
