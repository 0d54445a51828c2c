"""Re-scoring a study: its kept outputs, scored by the installed judge, in a study beside it."""

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import final

import optuna
from optuna.trial import FrozenTrial

from dashboards.note_saving import save_study_notes
from groundwork.interrupts import HeldInterrupts
from studies.claims.trial_states import FINISHED_STATES
from studies.preferences.answers import carry_over_preferences
from studies.records.attributes import OUTPUT_PICTURES
from studies.records.rescored_studies import find_rescored, num_missing
from studies.records.study_record import StudyRecord
from studies.records.summaries import StudySummary, summarise
from studies.records.trial_record import TrialRecord
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.copying.added_trials import add_next_trial, num_trials, refuse_live
from tuner.errors import RescoringError
from tuner.rescoring.kept_pictures import open_kept_pictures
from tuner.rescoring.rescored_study import default_name, open_rescored
from tuner.rescoring.trial_rescorer import TrialRescorer
from tuner.search.stored_config import stored_config

Report = Callable[[int, int], None]
"""Told how many trials are done, and of how many."""


@final
@dataclass(frozen=True, kw_only=True)
class Rescoring:
    """A study and the same study by the installed judge.

    Attributes:
        source: The study as it was, and stays.
        target: The re-scored one; None where the study has the installed judge's scores already.
        was_done: Whether it had been re-scored before.
        num_answers: How many of people's answers were carried over now.
        notes: What could not be used and what was taken instead, one sentence each.
    """

    source: StudySummary
    target: StudySummary | None
    was_done: bool = False
    num_answers: int = 0
    notes: tuple[str, ...] = ()


def rescore_study(
    storage: StudyStorage, name: str, *, judge_version: str, target_name: str | None = None, report: Report
) -> Rescoring:
    """Score a study's kept outputs with the installed judge, in a study beside it; go on with that if it was begun.

    Args:
        storage: Opened for writing.
        name: The study; it is not changed.
        judge_version: Of the installed judge.
        target_name: What to call the new study; by default the old one's name with the judge's version.
        report: Told how far it is.

    Raises:
        StudyError: There is no such study, it was not made by this version of styletuner, or it is being run.
        RescoringError: Nothing of the study can be scored, or there is a study of the other name.
        StorageError: The database or the folder of artifacts cannot be written.
        KeyboardInterrupt: Between two trials; a second call goes on.
    """
    source = storage.read_study(name)
    stored_config(source)  # refuses what is not ours
    if StudyRecord.parse(source.user_attrs).judge_version == judge_version:
        return Rescoring(source=summarise(storage, name), target=None)
    found = find_rescored(storage, uuid_of(source), judge_version)
    if found is not None and num_missing(storage.read_study(found)) == 0:
        rescored = storage.read_study(found)
        notes = (*_other_name(rescored, target_name), *_later_trials(source, rescored))
        return _concluded(storage, source, target_uuid=uuid_of(rescored), was_done=True, notes=notes)
    trials = _finished_trials(storage, source)
    pictures = open_kept_pictures(storage, source)
    wanted = target_name or default_name(source, judge_version)
    target = open_rescored(storage, source, name=wanted, judge_version=judge_version, num_trials=len(trials))
    rescorer = TrialRescorer(storage, pictures, target_uuid=uuid_of(target), judge_version=judge_version)
    _add_trials(storage, uuid_of(source), uuid_of(target), trials=trials, rescorer=rescorer, report=report)
    notes = (*_other_name(target, target_name), *pictures.notes)
    return _concluded(storage, source, target_uuid=uuid_of(target), notes=notes)


def _finished_trials(storage: StudyStorage, source: optuna.Study) -> list[FrozenTrial]:
    """Return all trials of a study of which none is being run and at least one has kept outputs."""
    with storage_errors(storage.url):
        trials = source.get_trials(deepcopy=False)
    refuse_live(storage, source, trials)
    finished = [TrialRecord.parse(trial.user_attrs).pictures for trial in trials if trial.state in FINISHED_STATES]
    outputs = [pictures[OUTPUT_PICTURES] for pictures in finished if OUTPUT_PICTURES in pictures]
    if not outputs:
        raise RescoringError(f"Study {source.study_name!r} has no finished trial with outputs to score again.")
    if not any(map(storage.artifacts.has, outputs)):
        raise RescoringError(
            f"All outputs of study {source.study_name!r} are gone from {storage.artifacts.name}. "
            f"{storage.artifacts.place.restoring}"
        )
    return trials


def _other_name(target: optuna.Study, asked: str | None) -> tuple[str, ...]:
    """Say that a study that was begun under one name stays the only one of its judge's version."""
    if asked in {None, target.study_name}:
        return ()
    name = target.study_name
    return (f"It was begun as {name} and stays so. To have it as {asked}, delete {name} and re-score again.",)


def _later_trials(source: optuna.Study, target: optuna.Study) -> tuple[str, ...]:
    """Say how many trials a study got since it was re-scored: their numbers may be others' by now."""
    came_from = StudyRecord.parse(target.user_attrs).rescored_from
    num_later = 0 if came_from is None else len(source.get_trials(deepcopy=False)) - came_from.num_trials
    if num_later <= 0:
        return ()
    return (
        f"{source.study_name} has got {num_later} more trials since. To have them too, delete {target.study_name} and "
        "re-score again.",
    )


def _add_trials(
    storage: StudyStorage,
    source_uuid: str,
    target_uuid: str,
    *,
    trials: Sequence[FrozenTrial],
    rescorer: TrialRescorer,
    report: Report,
) -> None:
    """Add those of the trials that the re-scored study has not got yet; another process may do the same."""
    came_from = StudyRecord.parse(storage.read_by_uuid(target_uuid).user_attrs).rescored_from
    wanted = trials if came_from is None else trials[: came_from.num_trials]
    with HeldInterrupts() as interrupts:
        for trial in wanted[num_trials(storage, target_uuid) :]:
            interrupts.check()
            report(trial.number, len(wanted))
            make = functools.partial(rescorer.keep, rescorer.judge(trial))
            add_next_trial(storage, source_uuid, target_uuid, number=trial.number, make=make)
        report(len(wanted), len(wanted))


def _concluded(
    storage: StudyStorage,
    source: optuna.Study,
    *,
    target_uuid: str,
    was_done: bool = False,
    notes: tuple[str, ...] = (),
) -> Rescoring:
    """Carry people's answers over, and say how the two studies stand."""
    version = StudyRecord.parse(storage.read_by_uuid(target_uuid).user_attrs).judge_version
    with storage.exclusive(), storage_errors(storage.url):
        num_answers = carry_over_preferences(storage.engine, uuid_of(source), target_uuid, judge_version=version)
    name = storage.read_by_uuid(target_uuid).study_name
    save_study_notes(storage, name)
    return Rescoring(
        source=summarise(storage, source.study_name),
        target=summarise(storage, name),
        was_done=was_done,
        num_answers=num_answers,
        notes=notes,
    )
