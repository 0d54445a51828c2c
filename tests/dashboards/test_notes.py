import io
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import PIL.Image
import pytest
from optuna_dashboard import get_note, save_note

from dashboards.notes import END_OF_NOTE, save_notes, save_study_notes, study_note, trial_note
from studies.errors import StudyError
from studies.records import attributes
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.chromium import find_chromium
from tests.dashboards.serving import running_dashboard

NAME = "demo-waves"


def png(colour: tuple[int, int, int]) -> bytes:
    buffer = io.BytesIO()
    PIL.Image.fromarray(np.full((120, 200, 3), colour, dtype=np.uint8)).save(buffer, format="PNG")
    return buffer.getvalue()


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        yield opened


@pytest.fixture
def study(storage: StudyStorage) -> optuna.Study:
    """Trial 0 finishes with 0.25, trial 1 is pruned at 0.1, trial 2 finishes with 0.5."""
    made = optuna.create_study(storage=storage.optuna, study_name=NAME, direction="maximize")
    made.set_user_attr(attributes.CONFIGURATION, {"seed": 7, "network": {"width": 16}})
    made.set_user_attr(
        attributes.STYLE_IMAGE, storage.artifacts.upload_bytes(png((250, 10, 10)), made, file_name="style.png")
    )

    def objective(trial: optuna.Trial) -> float:
        trial.set_user_attr(attributes.WEIGHTS, {"content": 0.7, "style": 0.2875, "total_variation": 0.0125})
        trial.set_user_attr(
            attributes.PARTS,
            {"content_preservation": 0.61, "style_match": 0.42, "artefact_factor": 0.93, "terms": {"border": None}},
        )
        trial.set_user_attr(attributes.IMAGES_SEEN, 640)
        trial.set_user_attr(attributes.SECONDS, 12.3)
        sheet = storage.artifacts.upload_bytes(png((10, 10, 250)), trial, file_name="sheet.png")
        trial.set_user_attr(attributes.PICTURES, {"sheet": sheet})
        if trial.number == 1:
            trial.report(0.1, 320)
            trial.set_user_attr(attributes.REASON, "pruned: below the median")
            raise optuna.TrialPruned
        trial.report(0.25 + trial.number / 8, 640)
        return 0.25 + trial.number / 8

    made.optimize(objective, n_trials=3)
    return made


def note_of(study: optuna.Study, number: int) -> str:
    return get_note(optuna.Trial(study, study.trials[number]._trial_id))


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


def test_saved_notes_are_found_by_the_dashboard(storage: StudyStorage, study: optuna.Study) -> None:
    save_notes(storage)
    assert f"styletuner study export {NAME} -o best.yaml --storage {storage.name}\n" in get_note(study)
    assert f"--trial 2 -o trial-2.yaml --storage {storage.name}\n" in note_of(study, 2)
    style = study.user_attrs[attributes.STYLE_IMAGE]
    sheet = study.trials[2].user_attrs[attributes.PICTURES]["sheet"]
    assert f"(/artifacts/{study._study_id}/{style})" in get_note(study)
    assert f"(/artifacts/{study._study_id}/{study.trials[2]._trial_id}/{sheet})" in note_of(study, 2)


@pytest.mark.parametrize("added", ["", "\nThe waves look best.\n"])
def test_what_people_write_is_kept(storage: StudyStorage, study: optuna.Study, added: str) -> None:
    save_note(study, "Written before.")
    save_study_notes(storage, NAME)
    save_note(study, get_note(study) + added)
    save_note(optuna.Trial(study, study.trials[0]._trial_id), "My favourite.")
    study.set_user_attr(attributes.CONFIGURATION, {"seed": 8})
    for _ in range(3):
        save_study_notes(storage, NAME)
    note = get_note(study)
    assert "seed: 8" in note
    assert "seed: 7" not in note
    assert note.count(END_OF_NOTE) == 1
    assert note.endswith(f"{END_OF_NOTE}\n\nWritten before.{added}")
    assert note_of(study, 0) == "My favourite."


@pytest.mark.usefixtures("study")
def test_unknown_study_is_named(storage: StudyStorage) -> None:
    with pytest.raises(StudyError, match="demo-wave"):
        save_study_notes(storage, "demo-wave")


def test_studies_of_others_and_running_trials_get_no_note(storage: StudyStorage, study: optuna.Study) -> None:
    others = optuna.create_study(storage=storage.optuna, study_name="others", direction="minimize")
    study.enqueue_trial({})
    save_notes(storage)
    assert get_note(others) == ""
    assert [bool(note_of(study, number)) for number in range(4)] == [True, True, True, False]


@pytest.mark.slow
@pytest.mark.usefixtures("study")
@pytest.mark.parametrize(
    ("page", "colour", "bottom"),
    [("note", (250, 10, 10), 1000), ("trials?numbers=2", (10, 10, 250), 500)],
    ids=["study", "trial"],
)
def test_a_real_browser_draws_the_pictures_of_the_notes(
    storage: StudyStorage, tmp_path: Path, page: str, colour: tuple[int, int, int], bottom: int
) -> None:
    save_notes(storage)
    with running_dashboard(storage) as url:
        shot = find_chromium(tmp_path).screenshot(f"{url}dashboard/studies/1/{page}", tmp_path / "note.png")
    with PIL.Image.open(shot) as image:
        drawn = (np.asarray(image.convert("RGB")) == colour).all(axis=2)
    # A trial's picture is also on a card further down, which must not pass for the note's.
    assert drawn[:bottom].sum() >= 0.9 * 120 * 200
