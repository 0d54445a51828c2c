"""Queueing published trainers' default weights as first trials of a new study, once, whoever is killed meanwhile."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import optuna
from optuna.trial import TrialState

from groundwork.file_locks import held_alone
from studies.records import attributes
from studies.records.published_defaults import PublishedSetting, published_setting
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import StudyConfig
from tuner.converting.family_words import ranges_in_words
from tuner.running.study_run import StudyRun
from tuner.running.winners import enqueue_noted
from tuner.search.space import parameters_within

if TYPE_CHECKING:
    from tuner.search.study_scale import StudyScale


def queue_published(run: StudyRun, scale: "StudyScale", *, report: Callable[[str], None]) -> None:
    """Queue the defaults that a study tries, unless that is done, it wants none, or a trial of it has begun.

    What published weights are in a study's loss follows from its scale, so that its first worker does this, before its
    first trial. Processes of one machine wait for each other; of several machines that begin at once each converts,
    and the first one queues.

    Args:
        run: Of the study.
        scale: What its losses are divided by.
        report: Told in a few words what is being done.

    Raises:
        PretrainedError: The study's loss network can neither be read nor fetched.
        MatchingError: A term of the study's loss pulls at no pixel of some picture.
        StudyError: The study was deleted.
        StorageError: The storage cannot be written.
    """
    config = run.config
    if (config.loss.trainer is None and not config.most_published) or not _is_new(run.storage, run.uuid):
        return
    # Late: they load the network libraries, which a study without published defaults may do without.
    from tuner.converting.published_settings import choose_defaults, convert_published
    from tuner.search.crop_tables import CropTables

    folder = CropTables(config, run.pictures).folder
    folder.mkdir(parents=True, exist_ok=True)
    with held_alone(
        folder / f"published-{run.uuid}.lock",
        on_wait=lambda: report("waiting for another process, which converts published weights"),
    ):
        if not _is_new(run.storage, run.uuid):
            return
        found, failed = convert_published(config, run.pictures, references=scale.references, report=report)
        chosen = choose_defaults(found, failed, config)
        _queue(run.storage, run.uuid, config, chosen.settings, [vars(one) for one in chosen.untried])
    for setting in chosen.settings:
        ratios = f"style : content {setting.style_to_content:.3g}, tv : content {setting.tv_to_content:.3g}"
        report(f"a trial tries {setting.in_words()}: {ratios}")
    if config.loss.trainer is not None:
        for line in ranges_in_words(chosen.settings[0], config):
            report(line)


def _queue(
    storage: StudyStorage,
    study_uuid: str,
    config: StudyConfig,
    settings: tuple[PublishedSetting, ...],
    untried: list[dict[str, str]],
) -> None:
    """Queue what is not queued yet, then note that it is done: a kill in between leaves the rest to the next worker."""
    with storage.exclusive(), storage_errors(storage.url):
        study = storage.load_by_uuid(study_uuid)
        if not _has_not_begun(study):
            return
        queued = {
            one.trainer
            for trial in study.get_trials(deepcopy=False)
            if (setting := published_setting(trial.user_attrs)) is not None
            for one in setting.defaults
        }
        for setting in settings:
            if setting.defaults[0].trainer in queued:
                continue
            marks: dict[str, object] = {attributes.PUBLISHED: setting.to_attribute()}
            if setting.defaults[0].trainer == config.loss.trainer:
                marks[attributes.BASELINE] = True
            study.enqueue_trial(parameters_within(setting.ratios(), config), user_attrs=marks)
        tried = [{**parameters_within(ratios, config), **ratios} for ratios in (one.ratios() for one in settings)]
        enqueue_noted(study, others=tried)
        study.set_user_attr(attributes.UNTRIED_DEFAULTS, untried)


def _is_new(storage: StudyStorage, study_uuid: str) -> bool:
    study = storage.read_by_uuid(study_uuid)
    with storage_errors(storage.url):
        return _has_not_begun(study)


def _has_not_begun(study: optuna.Study) -> bool:
    """Whether no trial has begun, and none of published defaults were queued to the end."""
    waits = all(trial.state is TrialState.WAITING for trial in study.get_trials(deepcopy=False))
    return waits and attributes.UNTRIED_DEFAULTS not in study.user_attrs
