"""Making the study that goes on beyond another one's ranges, and giving it that one's trials."""

import copy
import functools
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Final

import optuna
from optuna.distributions import BaseDistribution, FloatDistribution
from optuna.samplers import RandomSampler
from optuna.trial import FrozenTrial, TrialState

from groundwork.interrupts import HeldInterrupts
from measures.search_ranges import Limits
from studies.preferences.answers import carry_over_preferences
from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.records.trial_record import TrialRecord
from studies.records.widened_from import WidenedFrom
from studies.records.widened_studies import find_widened
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import load_photo_quality, save_photo_quality
from tuner.copying.added_trials import LEFT_RUNNING, add_next_trial, num_trials, refuse_live
from tuner.copying.copied_files import FileCopier
from tuner.copying.copied_study import copy_description, is_blank_copy
from tuner.errors import WideningError
from tuner.running.setup import configuration_attributes, start_or_resume, unused_name
from tuner.running.study_run import StudyRun
from tuner.running.widening import Widening, ranges_of_config, with_ranges
from tuner.search.study_pictures import StudyPictures

_OWN: Final = (
    attributes.STUDY_UUID,
    attributes.CONFIGURATION,
    attributes.CONFIGURATION_HASH,
    attributes.RESCORED_FROM,
    attributes.WIDENED_FROM,
)
"""User attributes that a widened study does not share with the one that it goes on from."""


def open_widened(storage: StudyStorage, widening: Widening, pictures: StudyPictures, *, judge_version: str) -> StudyRun:
    """Return the run of a widened study that has all trials of the one it goes on from, made if it is not there.

    Done again after a kill it goes on where it was; two processes that do it at once double nothing.

    Args:
        storage: Opened for writing.
        widening: What the study is.
        pictures: Its pictures.
        judge_version: Of the installed judge.

    Raises:
        StudyError: The study it goes on from is being run, or was deleted before all its trials were taken over.
        StorageError: The database or the folder of artifacts cannot be written.
        KeyboardInterrupt: Between two trials.
    """
    study = _begun_study(storage, widening, pictures)
    came_from = _came_from(study)
    if came_from.num_missing(num_trials(storage, uuid_of(study))):
        _take_over(storage, uuid_of(study), came_from)
    config = with_ranges(widening.config, came_from.ranges, num_trials=widening.config.num_trials)
    name = storage.read_by_uuid(uuid_of(study)).study_name
    start_or_resume(storage, name, config=config, pictures=pictures, judge_version=judge_version)
    return StudyRun(storage=storage, uuid=uuid_of(study), config=config, pictures=pictures)


def _begun_study(storage: StudyStorage, widening: Widening, pictures: StudyPictures) -> optuna.Study:
    """Return the study with all that it says of itself, as yet maybe without trials."""
    with storage.exclusive(), storage_errors(storage.url):
        found = find_widened(storage, widening.source_uuid)
        total = widening.config.num_trials
        if found is not None:
            study = storage.load_study(found, sampler=RandomSampler())
            came_from = _came_from(study)
            if came_from.total != total:
                study.set_user_attr(attributes.WIDENED_FROM, replace(came_from, total=total).to_attribute())
            if came_from.num_missing(len(study.get_trials(deepcopy=False))) == 0:
                return study
        source = storage.read_by_uuid(widening.source_uuid)
        if found is None:
            trials = source.get_trials(deepcopy=False)
            refuse_live(storage, source, trials)
            study = _made(storage, widening.name, source)
            came_from = WidenedFrom(
                uuid=widening.source_uuid,
                name=source.study_name,
                num_trials=len(trials),
                total=total,
                ranges=ranges_of_config(widening.config),
                original_ranges=widening.original_ranges,
                first=widening.first,
            )
            study.set_user_attr(attributes.WIDENED_FROM, came_from.to_attribute())
        copy_description(storage, study, source, own=_OWN)
        config = with_ranges(widening.config, came_from.ranges, num_trials=total)
        for key, value in configuration_attributes(config, pictures).items():
            study.set_user_attr(key, value)
    return study


def _made(storage: StudyStorage, name: str, source: optuna.Study) -> optuna.Study:
    if name in storage.study_names():
        study = storage.load_study(name, sampler=RandomSampler())
        if is_blank_copy(study, source):
            return study
    return create_study(storage.optuna, unused_name(storage, name), num_objectives=len(source.directions))


def _came_from(study: optuna.Study) -> WidenedFrom:
    came_from = StudyRecord.parse(study.user_attrs).widened_from
    if came_from is None:
        raise WideningError(f"Study {study.study_name!r} no longer says where its trials come from. Delete it.")
    return came_from


def _take_over(storage: StudyStorage, target_uuid: str, came_from: WidenedFrom) -> None:
    """Add those of the trials that the study has not got yet, people's answers about them, and the first one beyond."""
    source = storage.read_by_uuid(came_from.uuid)
    with storage_errors(storage.url):
        wanted = source.get_trials(deepcopy=False)[: came_from.num_trials]
    copier = FileCopier(storage, target_uuid)
    with HeldInterrupts() as interrupts:
        for trial in wanted[num_trials(storage, target_uuid) :]:
            interrupts.check()
            make = functools.partial(_kept, storage, trial, copier=copier, target_uuid=target_uuid, came_from=came_from)
            add_next_trial(storage, came_from.uuid, target_uuid, number=trial.number, make=make)
    version = StudyRecord.parse(source.user_attrs).judge_version
    with storage.exclusive(), storage_errors(storage.url):
        carry_over_preferences(storage.engine, came_from.uuid, target_uuid, judge_version=version)
        if num_trials(storage, target_uuid) == came_from.num_trials:
            storage.load_by_uuid(target_uuid, sampler=RandomSampler()).enqueue_trial(dict(came_from.first))


def _kept(
    storage: StudyStorage, trial: FrozenTrial, *, copier: FileCopier, target_uuid: str, came_from: WidenedFrom
) -> FrozenTrial:
    """Keep a trial's files and its photos' quality for the wider study, and return what to add to that.

    Done again after a kill it changes nothing. A trial whose worker died becomes a failed one, to be run again by the
    next run of the wider study.
    """
    qualities = load_photo_quality(storage.engine, came_from.uuid, trial_number=trial.number)
    save_photo_quality(storage.engine, [replace(known, study_uuid=target_uuid) for known in qualities])
    record = TrialRecord.parse(trial.user_attrs)
    files = copier.copy(trial.system_attrs, record.pictures, redrawn={})
    pictures = {attributes.PICTURES: files.renamed(record.pictures)} if record.pictures else {}
    made = copy.copy(trial)
    made.system_attrs = files.owned_beside(trial.system_attrs)
    made.user_attrs = {**trial.user_attrs, **pictures, attributes.COPIED_FROM: record.copied_from or came_from.uuid}
    made.distributions = _wider(trial.distributions, came_from.ranges)
    if trial.state is TrialState.RUNNING:
        made.user_attrs = {**made.user_attrs, **LEFT_RUNNING}
        made.state, made.datetime_complete = TrialState.FAIL, datetime.now()
    return made


def _wider(distributions: Mapping[str, BaseDistribution], ranges: Mapping[str, Limits]) -> dict[str, BaseDistribution]:
    """Return a trial's distributions as the wider study samples: Optuna's samplers drop what differs between trials."""
    wider = {name: FloatDistribution(low, high, log=True) for name, (low, high) in ranges.items()}
    return {name: wider.get(name, distribution) for name, distribution in distributions.items()}
