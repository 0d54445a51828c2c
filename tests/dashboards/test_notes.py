from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import optuna
import pytest

from dashboards.notes import END_OF_NOTE, study_note, trial_note
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.dashboards.noted_study import NAME, make_noted_study


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        yield opened


@pytest.fixture
def study(storage: StudyStorage) -> optuna.Study:
    return make_noted_study(storage)


@pytest.mark.usefixtures("study")
def test_study_note_tells_best_weights_state_export_and_configuration(storage: StudyStorage) -> None:
    note = study_note(summarise(storage, NAME), style_picture="/artifacts/1/abc")
    assert "![style image](/artifacts/1/abc)" in note
    assert "Best so far: trial 2, quality 0.500" in note
    assert "| content weight | style weight | total variation weight |" in note
    assert "| 0.7 | 0.2875 | 0.0125 |" in note
    assert "2 complete, 1 pruned" in note
    assert f"styletuner study export {NAME} -o best.yaml" in note
    assert "network:\n  width: 16\n" in note
    assert note.endswith(f"{END_OF_NOTE}\n")


def test_study_note_of_a_new_study_says_that_nothing_has_finished(storage: StudyStorage) -> None:
    optuna.create_study(storage=storage.optuna, study_name="it's new", direction="maximize")
    note = study_note(summarise(storage, "it's new"))
    assert "No trial has finished yet." in note
    assert "![" not in note
    assert "export 'it'\"'\"'s new' -o" in note


def test_study_note_of_two_objectives_lists_the_front(storage: StudyStorage) -> None:
    made = optuna.create_study(storage=storage.optuna, study_name="front", directions=["maximize", "maximize"])
    for values, quality in (([0.2, 0.9], 0.4), ([0.5, 0.45], 0.5), ([0.4, 0.4], 0.3)):
        made.add_trial(optuna.trial.create_trial(values=values, user_attrs={"rung_qualities": {"640": quality}}))
    note = study_note(summarise(storage, "front"))
    assert "Best so far: trial 1, quality 0.500" in note
    assert (
        "| trial | objective 0 | objective 1 | quality |\n| --- | --- | --- | --- |\n"
        "| 1 | 0.500 | 0.450 | 0.500 |\n| 0 | 0.200 | 0.900 | 0.400 |\n\n" in note
    )
    assert "--prefer content|style|balanced|0.0-1.0" in note


@pytest.mark.usefixtures("study")
def test_study_note_of_one_objective_has_no_front(storage: StudyStorage) -> None:
    assert "front" not in study_note(summarise(storage, NAME))


@pytest.mark.usefixtures("study")
def test_trial_note_tells_quality_parts_weights_and_reason(storage: StudyStorage) -> None:
    trials = {trial.number: trial for trial in summarise(storage, NAME).trials}
    note = trial_note(trials[1], study_name=NAME, picture="/artifacts/1/2/abc")
    assert note.startswith("![photos above, outputs below](/artifacts/1/2/abc)")
    assert "**Quality 0.100**" in note
    assert "| content preservation | style match | artefact factor |" in note
    assert "| 0.610 | 0.420 | 0.930 |" in note
    assert "640 images seen · 12 s · pruned: below the median" in note
    assert "styletuner study export demo-waves --trial 1 -o trial-1.yaml\n" in note


@pytest.mark.usefixtures("study")
def test_notes_tell_what_lowered_the_quality_and_what_ties(storage: StudyStorage) -> None:
    reasons = ({"name": "content", "text": "over-stylised: content 0.21", "cost": 0.2}, {"text": "border", "cost": 0.1})
    summary = summarise(storage, NAME)
    trial = replace(summary.trials[2], lowered_by=reasons)
    assert "Lowered by: over-stylised: content 0.21; border\n" in trial_note(trial, study_name=NAME)
    assert "Lowered by" not in trial_note(summary.trials[2], study_name=NAME)
    tied = study_note(replace(summary, tied_with_best=(0, 1)))
    assert "As good within the standard error over the photos: trials 0, 1\n" in tied
    assert "As good" not in study_note(summary)


@pytest.mark.usefixtures("study")
def test_study_note_tells_of_a_best_at_an_end_of_what_was_searched(storage: StudyStorage) -> None:
    summary = summarise(storage, NAME)
    assert summary.best is not None
    record = replace(summary.record, ranges={"style_to_content": (0.05, 10.0)})
    best = replace(summary.best, params={"style_to_content": 9.5})
    note = study_note(replace(summary, best=best, record=record))
    assert "\n\nThe best lies near an end of what was searched: style_to_content 9.5 of 0.05 to 10. A better" in note
    assert f"styletuner study run ... --name {NAME} --widen\n\n" in note
    assert "--widen" not in study_note(summary)
