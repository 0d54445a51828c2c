"""A final in words, and in what a study says of itself."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import optuna
import pytest
from optuna.trial import create_trial

from dashboards.notes import study_note
from studies.records.exported_config import read_exported
from studies.records.exports import write_exports
from studies.records.final import StudyFinal
from studies.records.final_words import final_in_words, final_mark, final_table, ties_or_final_in_words
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.studies.records.finals import FINAL, JUDGE, run_of
from tuner.command_line.study.show import headline

WEIGHTS = {"content": 0.6, "style": 0.3, "total_variation": 0.1}


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as created:
        yield created


@pytest.fixture
def finished(storage: StudyStorage, study: optuna.Study) -> optuna.Study:
    """Complete trials of quality .4, .6, .5 and .1."""
    study.set_user_attr("judge_version", JUDGE)
    study.set_user_attr("configuration", {"seed": 0})
    study.set_user_attr("style_image", storage.artifacts.upload_bytes(b"a painting", study, file_name="waves.jpg"))
    for quality in (0.4, 0.6, 0.5, 0.1):
        attributes = {"weights": WEIGHTS, "images_seen": 800}
        study.add_trial(create_trial(value=quality, user_attrs=attributes))
    return study


def keep(study: optuna.Study, final: StudyFinal = FINAL) -> None:
    study.set_user_attr("final", final.to_attribute())


def test_the_winner_is_the_studys_best_everywhere(
    storage: StudyStorage, finished: optuna.Study, tmp_path: Path
) -> None:
    before = summarise(storage, "waves")
    assert before.best is not None
    assert (before.best.number, before.final, before.as_dict()["final"]) == (1, None, None)
    keep(finished)
    summary = summarise(storage, "waves")
    assert summary.best is not None
    assert (summary.best.number, summary.tied_with_best) == (2, (1,))
    assert [trial.number for trial in summary.ranked()] == [2, 1, 0, 3]
    assert [trial.number for trial in summary.candidates()] == [2, 1, 0, 3]
    said = summary.as_dict()["final"]
    assert (said["winner"], said["decides"], said["tied"]) == (2, True, [1])
    assert "Best: trial 2, quality 0.500" in headline(summary)
    assert "Final: trial 2 leads in the final with 0.500" in headline(summary)
    note = study_note(summary)
    assert "**Best: trial 2" in note
    assert "Final: trial 2" in note
    (path,) = write_exports(storage, "waves", tmp_path / "best.yaml")
    exported = read_exported(path)
    assert (exported.trial, exported.final) == (2, FINAL.as_dict())
    second = write_exports(storage, "waves", tmp_path / "two.yaml", top=2)[1]
    assert read_exported(second).trial == 1
    (named,) = write_exports(storage, "waves", tmp_path / "named.yaml", trial=3)
    assert read_exported(named).trial == 3


def test_ties_are_told_as_ties(storage: StudyStorage, finished: optuna.Study) -> None:
    keep(finished)
    summary = summarise(storage, "waves")
    assert ties_or_final_in_words(summary) == (
        "Final: trial 2 leads in the final with 0.500 ± 0.014 on the report photos; cannot be told from trial 1 "
        "with 0.475; trial 0 has 0.200"
    )
    assert final_mark(summary, 2) == "0.500 in the final, leads"
    assert final_mark(summary, 1) == "0.475 in the final, tied with the best"
    assert final_mark(summary, 0) == "0.200 in the final"
    assert final_mark(summary, 3) == ""
    lines = final_table(summary)
    assert lines[0] == "Final: 2 further seeds each, judged on 2 report photos"
    assert [line.split()[:5] for line in lines[2:5]] == [
        ["2", "0.500", "0.500", "0.500", "0.500"],
        ["1", "0.600", "0.450", "0.500", "0.475"],
        ["0", "0.400", "0.200", "0.200", "0.200"],
    ]
    assert "± 0.014" in lines[5]
    assert "3 degrees of freedom" in lines[5]


def test_a_clear_winner_wins() -> None:
    runs = tuple(run_of(trial, seed, base, base) for trial, base in ((0, 0.3), (1, 0.6)) for seed in (1, 2))
    outcome = replace(FINAL, wanted=(0, 1), runs=runs).outcome()
    assert outcome is not None
    assert final_in_words(outcome) == (
        "Final: trial 1 wins the final with 0.600 ± 0.000 on the report photos; trial 0 has 0.300"
    )


def test_a_final_on_its_way_says_how_far_it_is(storage: StudyStorage, finished: optuna.Study, tmp_path: Path) -> None:
    keep(finished, replace(FINAL, runs=FINAL.runs[:3]))
    summary = summarise(storage, "waves")
    assert summary.best is not None
    assert (summary.best.number, summary.final) == (1, None)
    to_go = "Final: 3 of 6 runs to go. Run the study again to go on, or with --finalists 1 to leave it at that."
    assert final_table(summary) == [to_go]
    (path,) = write_exports(storage, "waves", tmp_path / "begun.yaml")
    assert "final:" not in path.read_text(encoding="utf-8")


def test_those_that_are_done_are_told_meanwhile(storage: StudyStorage, finished: optuna.Study) -> None:
    """Trial 1, the best by its own run, and trial 0 have their runs."""
    keep(finished, replace(FINAL, runs=FINAL.runs[:-1]))
    summary = summarise(storage, "waves")
    assert ties_or_final_in_words(summary).startswith("Final: trial 1 leads in the final with 0.475")
    assert ties_or_final_in_words(summary).endswith("; 1 run to go")
    assert final_table(summary)[-1].startswith("Final: 1 of 6 runs to go.")
    keep(finished, replace(FINAL, runs=FINAL.runs[:-1]).without_missing())
    assert "wins the final" in ties_or_final_in_words(summarise(storage, "waves"))


def test_a_final_whose_finalists_all_diverged_decides_nothing(storage: StudyStorage, finished: optuna.Study) -> None:
    runs = [run_of(trial, 1, 0.9, 0.9) for trial in FINAL.wanted]
    runs += [run_of(trial, 2, diverged="diverged") for trial in FINAL.wanted]
    keep(finished, replace(FINAL, runs=tuple(runs)))
    summary = summarise(storage, "waves")
    assert summary.best is not None
    assert (summary.best.number, summary.final) == (1, None)
    assert final_table(summary)[-1] == "A run of each finalist diverged: the final decides nothing"


def test_a_better_trial_that_was_not_in_it_is_the_best(storage: StudyStorage, finished: optuna.Study) -> None:
    keep(finished)
    finished.add_trial(create_trial(value=0.9, user_attrs={"weights": WEIGHTS}))
    summary = summarise(storage, "waves")
    assert summary.best is not None
    assert (summary.best.number, summary.final) == (4, None)
    assert final_table(summary)[-1].startswith("Trial 4, the best by now, is not in it.")
    assert summary.as_dict()["final"]["decides"] is False


def test_another_judges_final_says_nothing(storage: StudyStorage, finished: optuna.Study) -> None:
    keep(finished, replace(FINAL, judge_version="3"))
    summary = summarise(storage, "waves")
    assert (summary.final, final_table(summary)) == (None, [])
