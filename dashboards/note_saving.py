"""Writing the notes of studies where optuna-dashboard reads them; only what changed is written."""

from collections.abc import Callable
from pathlib import Path

import optuna

from dashboards.note_store import NoteStore, TrialId
from dashboards.notes import (
    is_only_ours,
    merged_study_note,
    merged_trial_note,
    noted_trials,
    study_note,
    trial_note,
)
from studies.records.study_record import StudyRecord, kept_file_name
from studies.records.summaries import StudySummary, summarise
from studies.storage.database_errors import storage_errors
from studies.storage.optuna_internals import trial_id_of
from studies.storage.study_storage import StudyStorage


def save_notes(storage: StudyStorage, *, report: Callable[[str], None] | None = None) -> None:
    """Writes the notes of every study that styletuner made.

    Args:
        storage: opened for writing.
        report: receives a line about each study whose notes changed.

    Raises:
        StorageError: if the storage cannot be read or written.
    """
    for name in storage.study_names():
        if StudyRecord.parse(storage.read_study(name).user_attrs).is_ours:
            num_written = save_study_notes(storage, name)
            if num_written and report is not None:
                report(f"Notes of {name}: {num_written} written")


def save_study_notes(storage: StudyStorage, study_name: str) -> int:
    """Writes the note of one study, and those of the trials that `dashboards.notes.noted_trials` chooses.

    What stands above our last line is written anew, so that it follows the study's name and place; what a person wrote
    below it is kept, and so is a trial's note that a person put in place of ours.

    Args:
        storage: opened for writing.
        study_name: the study.

    Returns:
        How many notes changed.

    Raises:
        StudyError: if there is no such study.
        StorageError: if the storage cannot be read or written.
    """
    summary = summarise(storage, study_name)
    # Writing a note asks the sampler nothing; the random one needs no history to be made.
    study = storage.load_study(study_name, sampler=optuna.samplers.RandomSampler())
    with storage_errors(storage.url):
        store = NoteStore(storage, study)
        store.name_artifacts(_file_names(summary.record))
        picture = summary.record.style_image
        address = None if picture is None else store.picture_address(None, picture)
        grid = summary.record.scout_sheet
        ours = study_note(
            summary,
            style_picture=address,
            scout_sheet=None if grid is None else store.picture_address(None, grid),
            storage=storage.name,
        )
        notes: dict[TrialId, str] = {None: merged_study_note(ours, store.read(None))}
        trial_ids = {
            trial.number: trial_id_of(trial) for trial in storage.read_study(study_name).get_trials(deepcopy=False)
        }
        noted = noted_trials(summary)
        notes |= _trial_notes(store, summary, {number: trial_ids[number] for number in noted}, storage=storage.name)
        others = [trial_id for number, trial_id in trial_ids.items() if number not in noted and store.has(trial_id)]
        store.remove([trial_id for trial_id in others if is_only_ours(store.read(trial_id))])
        return store.write(notes)


def _trial_notes(
    store: NoteStore, summary: StudySummary, trial_ids: dict[int, int], *, storage: str
) -> dict[TrialId, str]:
    notes: dict[TrialId, str] = {}
    for trial in summary.trials:
        if trial.number not in trial_ids:
            continue
        trial_id = trial_ids[trial.number]
        sheet = trial.pictures.get("sheet")
        address = None if sheet is None else store.picture_address(trial_id, sheet)
        ours = trial_note(trial, study_name=summary.name, picture=address, storage=storage)
        merged = merged_trial_note(ours, store.read(trial_id))
        if merged is not None:
            notes[trial_id] = merged
    return notes


def _file_names(record: StudyRecord) -> dict[str, str]:
    """File name by artifact id of what is kept with the study itself."""
    kept = {**record.artifacts, **record.later_artifacts}
    names = {artifact: kept_file_name(kind) for kind, artifact in kept.items()}
    if record.style_image is not None and record.style_path is not None:
        names[record.style_image] = Path(record.style_path).name
    return names
