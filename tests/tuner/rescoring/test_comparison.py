"""Ranks before and after, and how alike the orders are, on studies with made-up qualities."""

from pathlib import Path

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from studies.records import attributes
from studies.records.summaries import StudySummary, summarise
from studies.storage.study_storage import StudyStorage
from tuner.rescoring.comparison import compare


def summary(folder: Path, name: str, qualities: list[float | None], *, pruned: int | None = None) -> StudySummary:
    """Complete trials of these qualities; failed ones where there is none."""
    with StudyStorage.create(str(folder / "studies.db")) as storage:
        study = optuna.create_study(study_name=name, storage=storage.optuna, direction="maximize")
        for number, quality in enumerate(qualities):
            ended = TrialState.PRUNED if number == pruned else TrialState.COMPLETE
            known = {} if quality is None else {8: quality}
            study.add_trial(
                create_trial(
                    state=TrialState.FAIL if quality is None else ended,
                    value=quality,
                    intermediate_values=known,
                    user_attrs={attributes.FAILURE: "not re-scored: its outputs are gone"} if quality is None else {},
                )
            )
        return summarise(storage, name)


def test_ranks_and_kendalls_tau(tmp_path: Path) -> None:
    old = summary(tmp_path, "old", [0.9, 0.8, 0.7, 0.6])
    new = summary(tmp_path, "new", [0.3, 0.4, 0.1, 0.2])
    compared = compare(old, new)
    assert [(trial.number, trial.old_rank, trial.new_rank) for trial in compared.trials] == [
        (1, 2, 1),
        (0, 1, 2),
        (3, 4, 3),
        (2, 3, 4),
    ]
    # Of six pairs two have changed places: (4 - 2) / 6.
    assert compared.kendall_tau == pytest.approx(1 / 3)
    assert (compared.num_correlated, compared.left_out) == (4, {})


def test_a_trial_that_could_not_be_scored_again_comes_last_and_says_why(tmp_path: Path) -> None:
    old = summary(tmp_path, "old", [0.9, 0.8, 0.7], pruned=2)
    new = summary(tmp_path, "new", [None, 0.1, 0.4], pruned=2)
    compared = compare(old, new)
    assert [(trial.number, trial.state, trial.new_rank) for trial in compared.trials] == [
        (1, "COMPLETE", 1),
        (2, "PRUNED", 2),
        (0, "COMPLETE", None),
    ]
    assert compared.left_out == {"not re-scored: its outputs are gone": [0]}
    assert compared.kendall_tau is None, "one complete trial has no order"
    assert compared.as_dict()["trials"][2]["old_quality"] == 0.9


def test_a_judge_that_finds_all_alike_has_no_order(tmp_path: Path) -> None:
    old, new = summary(tmp_path, "old", [0.9, 0.8]), summary(tmp_path, "new", [0.5, 0.5])
    assert compare(old, new).kendall_tau is None


def test_failed_trials_are_not_compared(tmp_path: Path) -> None:
    old, new = summary(tmp_path, "old", [0.9, None]), summary(tmp_path, "new", [0.5, None])
    assert [trial.number for trial in compare(old, new).trials] == [0]
