"""The notes of a study as optuna-dashboard keeps them: in pieces among the study's system attributes.

Its own `get_note` and `save_note` read all of a study's notes for each note, which takes a minute for 1,000 trials.
"""

import itertools
import json
import mimetypes
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, final

import optuna
import sqlalchemy
from sqlalchemy.dialects import postgresql, sqlite

from dashboards.optuna_dashboard_internals import (
    ARTIFACTS_ATTR_PREFIX,
    STUDY_SYSTEM_ATTRIBUTES,
    note_str_key_prefix,
    note_ver_key,
    split_body,
)
from studies.storage.optuna_internals import study_id_of
from studies.storage.study_storage import StudyStorage

NOTES_AT_ONCE: Final = 100
"""Notes that one transaction writes: it takes some ten milliseconds, which a worker that waits does not feel."""

TrialId = int | None
"""Optuna's id of a trial; None for the study's own note."""


@final
class NoteStore:
    """Reads all notes of a study at once, and writes those that changed."""

    def __init__(self, storage: StudyStorage, study: optuna.Study) -> None:
        """Read the notes.

        Args:
            storage: Opened for writing.
            study: One of its studies.
        """
        self._engine = storage.engine
        self._study_id = study_id_of(study)
        self._attrs: dict[str, Any] = storage.optuna.get_study_system_attrs(self._study_id)

    def has(self, trial_id: TrialId) -> bool:
        """Return whether there is a note, which may be empty: optuna-dashboard makes such ones when it renames."""
        return note_ver_key(trial_id) in self._attrs

    def read(self, trial_id: TrialId) -> str:
        """Return a note; empty where there is none."""
        return "".join(str(self._attrs[key]) for key in self._pieces(trial_id))

    def picture_address(self, trial_id: TrialId, artifact_id: str) -> str:
        """Return where optuna-dashboard serves a picture that is kept with the study or with a trial of it."""
        owner = self._study_id if trial_id is None else f"{self._study_id}/{trial_id}"
        return f"/artifacts/{owner}/{artifact_id}"

    def write(self, notes: Mapping[TrialId, str]) -> int:
        """Write those of the notes that are others than before; return how many that were.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: The database cannot be written; `NOTES_AT_ONCE` of them are kept or none.
        """
        changed = [trial_id for trial_id, note in notes.items() if self.read(trial_id) != note]
        for start in range(0, len(changed), NOTES_AT_ONCE):
            self._replace({trial_id: notes[trial_id] for trial_id in changed[start : start + NOTES_AT_ONCE]})
        return len(changed)

    def remove(self, trial_ids: Sequence[int]) -> None:
        """Remove notes of trials.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: The database cannot be written.
        """
        for start in range(0, len(trial_ids), NOTES_AT_ONCE):
            self._replace(dict.fromkeys(trial_ids[start : start + NOTES_AT_ONCE]))

    def name_artifacts(self, names: Mapping[str, str]) -> None:
        """Name files as kept with the study itself where optuna-dashboard lost them: it renames a study without.

        Args:
            names: File name by artifact id.

        Raises:
            sqlalchemy.exc.SQLAlchemyError: The database cannot be written.
        """
        lost = {ARTIFACTS_ATTR_PREFIX + artifact: (artifact, name) for artifact, name in names.items()}
        entries = {key: _artifact_entry(*found) for key, found in lost.items() if key not in self._attrs}
        if entries:
            with self._engine.begin() as connection:
                self._put(connection, entries)

    def _replace(self, notes: Mapping[Any, str | None]) -> None:
        """Put texts in place of some notes in one transaction; None removes a note."""
        old = {key for trial_id in notes for key in (note_ver_key(trial_id), *self._pieces(trial_id))}
        new: dict[str, Any] = {}
        for trial_id, note in notes.items():
            if note is not None:
                version = note_ver_key(trial_id)
                new |= {version: int(self._attrs.get(version, 0)) + 1, **split_body(note, trial_id)}
        with self._engine.begin() as connection:
            self._drop(connection, old - new.keys())
            self._put(connection, new)

    def _pieces(self, trial_id: TrialId) -> Iterator[str]:
        keys = (f"{note_str_key_prefix(trial_id)}{number}" for number in itertools.count())
        return itertools.takewhile(self._attrs.__contains__, keys)

    def _put(self, connection: sqlalchemy.Connection, entries: Mapping[str, Any]) -> None:
        if not entries:
            return
        insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
        statement = insert(STUDY_SYSTEM_ATTRIBUTES)
        statement = statement.on_conflict_do_update(
            index_elements=["study_id", "key"], set_={"value_json": statement.excluded.value_json}
        )
        rows = [
            {"study_id": self._study_id, "key": key, "value_json": json.dumps(value)} for key, value in entries.items()
        ]
        connection.execute(statement, rows)
        self._attrs.update(entries)

    def _drop(self, connection: sqlalchemy.Connection, keys: Iterable[str]) -> None:
        gone = sorted(keys)
        if not gone:
            return
        table = STUDY_SYSTEM_ATTRIBUTES
        own = (table.c.study_id == self._study_id, table.c.key.in_(gone))
        connection.execute(sqlalchemy.delete(table).where(*own))
        for key in gone:
            self._attrs.pop(key, None)


def _artifact_entry(artifact_id: str, name: str) -> str:
    mimetype, encoding = mimetypes.guess_type(name)
    entry = {"artifact_id": artifact_id, "filename": name, "encoding": encoding}
    return json.dumps({**entry, "mimetype": mimetype or "application/octet-stream"})
