"""Notes as optuna-dashboard reads them."""

import json
from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
import sqlalchemy
from optuna.artifacts import get_all_artifact_meta
from optuna.trial import create_trial
from optuna_dashboard import get_note, save_note
from optuna_dashboard.artifact import get_artifact_path

from dashboards.note_store import NOTES_AT_ONCE, NoteStore
from studies.storage.study_storage import StudyStorage

LONG = "".join(f"line {number}\n" for number in range(1000))
"""More than one piece holds."""


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        yield opened


@pytest.fixture
def study(storage: StudyStorage) -> optuna.Study:
    made = optuna.create_study(storage=storage.optuna, study_name="waves", direction="maximize")
    made.add_trials([create_trial(value=0.1 * number) for number in range(3)])
    return made


def trial_ids(study: optuna.Study) -> list[int]:
    return [trial._trial_id for trial in study.get_trials(deepcopy=False)]


def seen(study: optuna.Study, trial_id: int | None) -> str:
    """What optuna-dashboard shows."""
    return get_note(study if trial_id is None else optuna.Trial(study, trial_id))


@pytest.mark.parametrize("text", ["short", LONG, 'quotes " and ünicode', ""])
def test_the_dashboard_shows_what_is_written(storage: StudyStorage, study: optuna.Study, text: str) -> None:
    first, second, third = trial_ids(study)
    store = NoteStore(storage, study)
    store.write({None: f"{text} of the study", first: text, second: "second"})
    assert [seen(study, trial_id) for trial_id in (None, first, second, third)] == [
        *(f"{text} of the study", text, "second", "")
    ]
    assert NoteStore(storage, study).read(first) == store.read(first) == text


def test_what_the_dashboard_writes_is_read(storage: StudyStorage, study: optuna.Study) -> None:
    first, second, _ = trial_ids(study)
    save_note(study, LONG)
    save_note(optuna.Trial(study, first), "mine")
    store = NoteStore(storage, study)
    assert [store.read(trial_id) for trial_id in (None, first, second)] == [LONG, "mine", ""]
    assert [store.has(trial_id) for trial_id in (None, first, second)] == [True, True, False]


def test_a_shorter_note_leaves_nothing_of_the_longer_one(storage: StudyStorage, study: optuna.Study) -> None:
    first, *_ = trial_ids(study)
    store = NoteStore(storage, study)
    for text in (LONG, "short", LONG[:3000], "shorter"):
        assert store.write({first: text}) == 1
        assert seen(study, first) == text


def test_only_what_changed_is_written(storage: StudyStorage, study: optuna.Study) -> None:
    ids = trial_ids(study)
    store = NoteStore(storage, study)
    assert store.write(dict.fromkeys(ids, "a")) == 3
    assert store.write({ids[0]: "a", ids[1]: "b"}) == 1
    with counted_statements(storage.engine) as statements:
        assert NoteStore(storage, study).write({ids[0]: "a", ids[1]: "b"}) == 0
    assert not [statement for statement in statements if not statement.startswith(("SELECT", "BEGIN"))]


def test_a_removed_note_is_gone_and_others_stay(storage: StudyStorage, study: optuna.Study) -> None:
    first, second, _ = trial_ids(study)
    store = NoteStore(storage, study)
    store.write({first: LONG, second: "stays"})
    store.remove([first])
    assert [store.has(trial_id) for trial_id in (first, second)] == [False, True]
    assert [seen(study, trial_id) for trial_id in (first, second)] == ["", "stays"]
    assert len(storage.optuna.get_study_system_attrs(study._study_id)) == 2


class counted_statements:  # noqa: N801 (reads as a function)
    """The SQL that an engine runs inside the block."""

    def __init__(self, engine: sqlalchemy.Engine) -> None:
        self._engine = engine
        self._statements: list[str] = []

    def __enter__(self) -> list[str]:
        sqlalchemy.event.listen(self._engine, "before_cursor_execute", self._note)
        return self._statements

    def __exit__(self, *_: object) -> None:
        sqlalchemy.event.remove(self._engine, "before_cursor_execute", self._note)

    def _note(self, _connection: object, _cursor: object, statement: str, *_: object) -> None:
        self._statements.append(statement)


@pytest.mark.parametrize("num_notes", [10, NOTES_AT_ONCE])
def test_many_notes_take_as_many_statements_as_few(storage: StudyStorage, study: optuna.Study, num_notes: int) -> None:
    store = NoteStore(storage, study)
    with counted_statements(storage.engine) as statements:
        store.write({1000 + number: f"note {number}" for number in range(num_notes)})
    assert len(statements) == 2, statements


def test_pictures_are_where_the_dashboard_serves_them(storage: StudyStorage, study: optuna.Study) -> None:
    first, *_ = trial_ids(study)
    store = NoteStore(storage, study)
    assert store.picture_address(None, "abc") == get_artifact_path(study, "abc")
    assert store.picture_address(first, "abc") == get_artifact_path(optuna.Trial(study, first), "abc")


def test_files_are_named_as_optuna_names_them(storage: StudyStorage, study: optuna.Study) -> None:
    """Optuna's own entry, lost and named again, is the same; one that is there stays."""
    artifact = storage.artifacts.upload_bytes(b"x", study, file_name="style.png")
    (before,) = get_all_artifact_meta(study, storage=storage.optuna)
    with storage.engine.begin() as connection:
        connection.execute(sqlalchemy.text("DELETE FROM study_system_attributes"))
    assert get_all_artifact_meta(study, storage=storage.optuna) == []
    NoteStore(storage, study).name_artifacts({artifact: "style.png"})
    assert get_all_artifact_meta(study, storage=storage.optuna) == [before]
    NoteStore(storage, study).name_artifacts({artifact: "another.png"})
    assert get_all_artifact_meta(study, storage=storage.optuna) == [before]
    assert json.loads(storage.optuna.get_study_system_attrs(study._study_id)[f"artifacts:{artifact}"])
