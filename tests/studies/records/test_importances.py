"""Importances: what decides the quality is found, what does not is told from it, and few trials say nothing."""

import json
import math

import numpy as np
import optuna
import pytest

from studies.records import attributes, importances
from studies.records.importances import FEWEST_TRIALS, find_importances


def study_of(num_trials: int, *, weight: float) -> optuna.Study:
    """A study whose quality is `weight` times the size's effect plus what nothing explains."""
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), direction="maximize")
    noise = np.random.default_rng(1)

    def objective(trial: optuna.Trial) -> float:
        size = trial.suggest_categorical("style_size", (96, 192, 384))
        trial.suggest_float("style_to_content", 0.01, 10, log=True)
        trial.suggest_float("style_tilt", -2, 2)
        return weight * math.log2(size / 96) / 2 + (1 - weight) * float(noise.random())

    study.optimize(objective, n_trials=num_trials)
    return study


def test_what_decides_the_quality_is_found_beyond_chance() -> None:
    found = find_importances(study_of(60, weight=0.9))
    assert found is not None
    assert next(iter(found.shares)) == "style_size"
    assert found.as_much_by_chance["style_size"] == 0
    assert sum(found.shares.values()) == pytest.approx(1)
    assert (found.num_trials, found.num_best) == (60, 15)
    words = found.in_words()
    assert f"best 15 of 60 complete trials (PED-ANOVA): style size {found.shares['style_size']:.0%}, " in words
    assert "may miss" not in words
    assert json.loads(json.dumps(found.as_dict()))["num_trials"] == 60


def test_where_nothing_matters_shares_are_no_more_than_chance() -> None:
    found = find_importances(study_of(30, weight=0.0))
    assert found is not None
    assert sum(found.shares.values()) == pytest.approx(1)
    assert "(no more than chance)" in found.in_words()
    assert found.in_words().endswith("So few trials may miss what matters")


def test_few_trials_say_nothing() -> None:
    assert find_importances(study_of(FEWEST_TRIALS - 1, weight=1.0)) is None
    assert find_importances(study_of(FEWEST_TRIALS, weight=1.0)) is not None


def test_of_a_long_study_some_trials_are_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importances, "MOST_TRIALS", 20)
    found = find_importances(study_of(50, weight=0.9))
    assert found is not None
    assert next(iter(found.shares)) == "style_size"
    assert "best 5 of 20 out of 50 complete trials" in found.in_words()


def test_the_same_study_gives_the_same_numbers() -> None:
    study = study_of(12, weight=0.5)
    assert find_importances(study) == find_importances(study)


def test_equal_qualities_are_no_evidence_for_anything() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), direction="maximize")
    study.optimize(lambda trial: 0.5 + 0.0 * trial.suggest_float("style_to_content", 0.01, 10, log=True), n_trials=12)
    found = find_importances(study)
    assert found is not None
    assert "style : content 100% (no more than chance)" in found.in_words()


def test_a_study_of_several_objectives_by_the_quality_that_prunes() -> None:
    study = optuna.create_study(sampler=optuna.samplers.RandomSampler(seed=0), directions=["maximize", "maximize"])
    for _ in range(24):
        trial = study.ask()
        size = trial.suggest_categorical("style_size", (96, 192))
        trial.suggest_float("style_to_content", 0.01, 10, log=True)
        trial.set_user_attr(attributes.RUNG_QUALITIES, {"100": size / 192})
        study.tell(trial, [0.5, 0.5])
    found = find_importances(study)
    assert found is not None
    assert found.as_much_by_chance["style_size"] == 0
    assert found.shares["style_size"] > found.shares["style_to_content"]


def test_trials_that_did_not_end_whole_do_not_count() -> None:
    study = study_of(FEWEST_TRIALS - 1, weight=1.0)
    trial = study.ask()
    trial.report(0.9, 1)
    study.tell(trial, state=optuna.trial.TrialState.PRUNED)
    assert find_importances(study) is None


@pytest.mark.filterwarnings("ignore:Fixed parameter:UserWarning")
def test_a_trial_that_was_enqueued_beyond_a_range_is_left_out() -> None:
    study = study_of(FEWEST_TRIALS, weight=1.0)
    study.enqueue_trial({"style_size": 96, "style_to_content": 40.0, "style_tilt": 0.0})
    study.optimize(lambda trial: trial.suggest_float("style_to_content", 0.01, 10, log=True), n_trials=1)
    assert study.trials[-1].params["style_to_content"] == 40.0
    found = find_importances(study)
    assert found is not None
    assert found.num_trials == FEWEST_TRIALS
