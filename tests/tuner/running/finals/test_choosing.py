"""Who goes into a final."""

from dataclasses import replace
from pathlib import Path

import pytest
from optuna.trial import create_trial

from measures.versions import JUDGE_VERSION
from studies.records.final import StudyFinal
from studies.records.summaries import TrialSummary, summarise
from studies.storage.study_identity import create_study
from studies.storage.study_storage import StudyStorage
from tests.studies.records.finals import run_of
from tests.tuner.tiny_study import NAME
from tuner.configuration.loading import load_config
from tuner.running.finals.choosing import choose_finalists, num_missing_runs


def trial(number: int, quality: float | None, state: str = "COMPLETE", *, style: float | None = None) -> TrialSummary:
    style = float(number) if style is None else style
    return TrialSummary(
        number=number,
        state=state,
        quality=quality,
        weights={"content": 1.0},
        params={"style_to_content": style},
        parts={},
        reason="",
        images_seen=None,
        seconds=None,
        pictures={},
        qualities={},
        started=None,
        finished=None,
        retry_of=None,
        is_baseline=number == 0,
    )


TRIALS = (trial(0, 0.5), trial(1, 0.9, "PRUNED"), trial(2, 0.7), trial(3, 0.4), trial(4, None), trial(5, 0.6, "FAIL"))


@pytest.mark.parametrize(("num_finalists", "chosen"), [(2, [2, 0]), (3, [2, 0, 3]), (9, [2, 0, 3])])
def test_the_best_complete_ones_the_baseline_too_or_those_there_are(num_finalists: int, chosen: list[int]) -> None:
    assert [found.number for found in choose_finalists(TRIALS, num_finalists)] == chosen


def test_one_alone_has_no_final() -> None:
    assert choose_finalists(TRIALS[:2], 3) == ()
    assert choose_finalists((), 3) == ()


def test_of_those_with_the_same_values_the_best_alone_goes_in() -> None:
    trials = (trial(0, 0.5), trial(1, 0.9, style=4.0), trial(2, 0.8, style=4.0), trial(3, 0.4))
    assert [found.number for found in choose_finalists(trials, 3)] == [1, 0, 3]
    assert choose_finalists(trials[1:3], 2) == ()


def test_only_runs_that_are_not_there_are_missing(tmp_path: Path) -> None:
    """Of trials 1 and 2, the best two, trial 2 has a run; then each has both."""
    config = load_config("quick", overrides={"search": {"finalists": 2}})
    seeds = config.final_seeds
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as storage:
        study = create_study(storage.optuna, NAME, num_objectives=1)
        study.set_user_attr("judge_version", JUDGE_VERSION)
        for quality in (0.4, 0.6, 0.5):
            weights = {"content": quality, "style": 0.9 - quality, "total_variation": 0.1}
            study.add_trial(create_trial(value=quality, user_attrs={"weights": weights}))
        assert num_missing_runs(summarise(storage, NAME), config) == 4
        begun = StudyFinal(judge_version=JUDGE_VERSION, seeds=seeds, wanted=(1, 2), runs=(run_of(2, seeds[0], 0.5),))
        study.set_user_attr("final", begun.to_attribute())
        assert num_missing_runs(summarise(storage, NAME), config) == 3
        whole = replace(begun, runs=tuple(run_of(trial, seed, 0.5) for trial in (1, 2) for seed in seeds))
        study.set_user_attr("final", whole.to_attribute())
        assert num_missing_runs(summarise(storage, NAME), config) == 0
        assert num_missing_runs(summarise(storage, NAME), load_config("demo", overrides={})) == 0
        other = load_config("quick", overrides={"seed": 9, "search": {"finalists": 2}})
        assert num_missing_runs(summarise(storage, NAME), other) == 4
