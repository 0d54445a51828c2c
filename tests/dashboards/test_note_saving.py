"""Which notes are written, and that they follow a study's name and place."""

import sqlite3
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import optuna
import PIL.Image
import pytest
import sqlalchemy
from optuna_dashboard import get_note, save_note
from optuna_dashboard._note import copy_notes

from dashboards import notes
from dashboards.note_saving import save_notes, save_study_notes
from dashboards.notes import END_OF_NOTE
from studies.errors import StudyError
from studies.records import attributes
from studies.storage.study_storage import StudyStorage
from tests.chromium import find_chromium
from tests.dashboards.noted_study import NAME, make_noted_study
from tests.dashboards.serving import running_dashboard
from tests.studies.records.long_runs import VALIDATION


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        yield opened


@pytest.fixture
def study(storage: StudyStorage) -> optuna.Study:
    return make_noted_study(storage)


def note_of(study: optuna.Study, number: int) -> str:
    return get_note(optuna.Trial(study, study.trials[number]._trial_id))


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


def written_by_an_earlier_version(name: str, number: int) -> str:
    """A trial's note without our last line, as it is in databases of earlier versions."""
    return (
        f"![photos above, outputs below](/artifacts/9/9/abc)\n\n**Quality 0.250** (0 to 1, higher is better)\n\n"
        f"640 images seen · 12 s\n\n```\nstyletuner study export {name} --trial {number} -o trial-{number}.yaml\n```\n"
    )


def rename(study: optuna.Study, name: str) -> optuna.Study:
    """What optuna-dashboard does: another study with the trials, user attributes and notes of the first one."""
    storage = study._storage
    renamed = optuna.create_study(storage=storage, study_name=name, directions=study.directions)
    renamed.add_trials(study.get_trials(deepcopy=False))
    for key, value in study.user_attrs.items():
        renamed.set_user_attr(key, value)
    copy_notes(storage, study, renamed)
    storage.delete_study(study._study_id)
    return renamed


def test_notes_follow_a_renamed_study(storage: StudyStorage, study: optuna.Study) -> None:
    kept = storage.artifacts.upload_bytes(b"a sheet", study, file_name="validation.png")
    study.set_user_attr(attributes.JUDGE_VERSION, VALIDATION.judge_version)
    validation = replace(VALIDATION, sheet=kept)
    study.set_user_attr(attributes.VALIDATIONS, [validation.to_attribute()])
    save_study_notes(storage, NAME)
    save_note(study, get_note(study) + "Mine.")
    renamed = rename(study, "ocean waves")
    save_notes(storage)
    assert storage.artifacts.names(renamed)[kept] == "validation_400_images_32_px.png"
    trial_id, sheet = renamed.trials[2]._trial_id, renamed.trials[2].user_attrs[attributes.PICTURES]["sheet"]
    assert f"(/artifacts/{renamed._study_id}/{trial_id}/{sheet})" in note_of(renamed, 2)
    assert f"(/artifacts/{renamed._study_id}/{renamed.user_attrs[attributes.STYLE_IMAGE]})" in get_note(renamed)
    assert get_note(renamed).endswith(f"{END_OF_NOTE}\nMine.")
    assert "study export 'ocean waves' --trial 2" in note_of(renamed, 2)
    assert NAME not in get_note(renamed) + note_of(renamed, 2)


def test_notes_of_a_copied_database_name_the_copy(storage: StudyStorage, study: optuna.Study, tmp_path: Path) -> None:
    save_notes(storage)
    assert f"--storage {storage.name}\n" in note_of(study, 2)
    copy = tmp_path / "elsewhere" / "copy.db"
    copy.parent.mkdir()
    with sqlite3.connect(storage.name) as original, sqlite3.connect(copy) as copied:
        original.backup(copied)
    original.close()
    copied.close()
    with StudyStorage.open(str(copy)) as opened:
        save_notes(opened)
        note = note_of(opened.load_study(NAME), 2)
    assert f"--storage {copy}\n" in note
    assert storage.name not in note


def test_notes_of_earlier_versions_are_written_anew(storage: StudyStorage, study: optuna.Study) -> None:
    save_note(optuna.Trial(study, study.trials[0]._trial_id), written_by_an_earlier_version("old-name", 0))
    save_study_notes(storage, NAME)
    assert "old-name" not in note_of(study, 0)
    assert note_of(study, 0).endswith(f"{END_OF_NOTE}\n")


def test_of_many_trials_the_best_and_the_newest_have_notes(
    storage: StudyStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of ten, 2 and 0 are the best, 8 and 9 the newest; a person wrote below the note of 5 before and keeps it."""
    monkeypatch.setattr(notes, "MAX_NOTED", 2)
    study = make_noted_study(storage, num_trials=10)
    ids = [trial._trial_id for trial in study.trials]
    save_note(optuna.Trial(study, ids[4]), written_by_an_earlier_version(NAME, 4))
    save_note(optuna.Trial(study, ids[5]), f"**Quality**\n{END_OF_NOTE}\nMine.")
    save_note(optuna.Trial(study, ids[6]), "")
    save_study_notes(storage, NAME)
    assert [number for number in range(10) if note_of(study, number)] == [0, 2, 5, 8, 9]
    assert "6 others have none" in get_note(study)
    noted = {key.split(":")[1] for key in storage.optuna.get_study_system_attrs(study._study_id) if "note_ver" in key}
    assert noted == {"note_ver", *(str(ids[number]) for number in (0, 2, 5, 8, 9))}


def statements_of_saving(storage: StudyStorage) -> list[str]:
    statements: list[str] = []

    def note(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        statements.append(statement)

    for engine in {storage.engine, storage.read_engine}:
        sqlalchemy.event.listen(engine, "before_cursor_execute", note)
    save_study_notes(storage, NAME)
    for engine in {storage.engine, storage.read_engine}:
        sqlalchemy.event.remove(engine, "before_cursor_execute", note)
    return statements


def test_more_trials_take_no_more_statements(tmp_path: Path) -> None:
    counts = []
    for num_trials in (5, 40):
        with StudyStorage.create(str(tmp_path / f"{num_trials}.db")) as storage:
            make_noted_study(storage, num_trials=num_trials)
            first, again = statements_of_saving(storage), statements_of_saving(storage)
            counts.append((len(first), len(again)))
            assert not [statement for statement in again if statement.startswith(("INSERT", "UPDATE", "DELETE"))]
    assert counts[0] == counts[1]


@pytest.mark.parametrize("wrong", [None, "text", 7, ["a"], {"content": "much"}])
def test_attributes_edited_by_hand_stop_no_note(storage: StudyStorage, study: optuna.Study, wrong: object) -> None:
    names = [value for name, value in vars(attributes).items() if name.isupper() and isinstance(value, str)]
    for name in set(names) - {attributes.CONFIGURATION}:
        study.set_user_attr(name, wrong)
    study.add_trial(optuna.trial.create_trial(value=0.75, user_attrs=dict.fromkeys(names, wrong)))
    save_notes(storage)
    assert "Best so far: trial 3, quality 0.750" in get_note(study)
    assert note_of(study, 3).startswith("**Quality 0.750**")


def test_studies_whose_notes_changed_are_told(storage: StudyStorage, study: optuna.Study) -> None:
    lines: list[str] = []
    save_notes(storage, report=lines.append)
    save_notes(storage, report=lines.append)
    assert lines == [f"Notes of {study.study_name}: 4 written"]


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
