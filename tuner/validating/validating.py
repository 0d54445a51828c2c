"""Validating a study, or training some of its trials on: settings trained longer, and judged as its trials are."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, final

from dashboards.shown_pictures import shown_pictures
from dashboards.validation_sheet import validation_sheet
from groundwork.file_locks import held_alone
from groundwork.interrupts import HeldInterrupts
from studies.records.summaries import TrialSummary, summarise
from studies.records.validation import Validation
from studies.storage.study_storage import StudyStorage
from tuner.installation import environment
from tuner.search.study_pictures import StudyPictures
from tuner.validating.plan import ValidationPlan, ValidationRequest, open_validation_pictures, plan_validation
from tuner.validating.validation_store import ValidationStore

_WAITING: Final = "waiting for another process of this machine, which trains this setting"


@final
@dataclass(frozen=True, kw_only=True)
class ValidatingObserver:
    """Whom a validation tells how far it is.

    Attributes:
        say: Told in a few words what is being done.
        on_images: Told how many images are trained on, and of how many in this call.
    """

    say: Callable[[str], None]
    on_images: Callable[[int, int], None]


@final
@dataclass(frozen=True, kw_only=True)
class Validated:
    """What a validation came to.

    Attributes:
        study_name: The study.
        study_uuid: What it is.
        validation: Its long runs, all done, and earlier ones under the same conditions.
        was_done: Whether they had all been done before.
    """

    study_name: str
    study_uuid: str
    validation: Validation
    was_done: bool

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        told = {"study": self.study_name, "uuid": self.study_uuid, "was_done": self.was_done}
        return {**told, **self.validation.as_dict()}


def validate_study(
    storage: StudyStorage, request: ValidationRequest, *, judge_version: str, observer: ValidatingObserver
) -> Validated:
    """Train some of a study's settings longer, those that are not done yet, and keep with the study what comes of it.

    Args:
        storage: Opened for writing.
        request: The study, and how to train.
        judge_version: Of the installed judge.
        observer: Told how far it is.

    Raises:
        StudyError: There is no such study, it was not made by this version of styletuner, is still re-scored, has
            another scale than is measured here, or what its trials start from is gone.
        ScoutError: The scout that they start from is of another version.
        ValidatingError: Another judge scored it, it has fewer than two complete trials or not those that are named,
            its photos are gone or smaller than the crops, or the length is none.
        ConfigError: Length or crop size are out of range, the crops have no room, or a checkpoint is another version's.
        SampledValuesError: A trial's parameters were edited into what no trial has.
        SheetError: The study keeps no rung photos.
        StorageError: The database or the folder of artifacts cannot be written, or a picture that it keeps is gone.
        CheckpointError: What an interrupted run left cannot be read.
        OutputError: Interrupted, and no checkpoint can be written.
        KeyboardInterrupt: Between two batches, after a checkpoint has been written if training had begun; a second call
            goes on there.
    """
    plan = plan_validation(storage, request, judge_version=judge_version)
    store = ValidationStore(storage, plan)
    missing = [trial for trial in plan.trials if not store.has(trial)]
    if missing:
        pictures, remarks = open_validation_pictures(storage, plan, photos=request.photos)
        shown_pictures(storage, summarise(storage, plan.study_name))  # before hours of training rather than after
        start = plan.own_config.search.start
        if start != "noise" and not plan.validation.is_extension:
            observer.say(
                f"These runs start from noise, as full training does; the study's trials started from its {start}"
            )
        for remark in remarks:
            observer.say(remark)
        _train(storage, plan, pictures, missing, store=store, observer=observer)
    validation = store.begin()
    if validation.sheet is None or not storage.artifacts.has(validation.sheet):
        sheet = validation_sheet(storage, summarise(storage, plan.study_name), validation)
        validation = store.keep_sheet(sheet)
    return Validated(
        study_name=plan.study_name, study_uuid=plan.study_uuid, validation=validation, was_done=not missing
    )


def _train(
    storage: StudyStorage,
    plan: ValidationPlan,
    pictures: StudyPictures,
    trials: list[TrialSummary],
    *,
    store: ValidationStore,
    observer: ValidatingObserver,
) -> None:
    """Train the settings of these trials, and keep each as soon as it is done; an interrupt leaves a checkpoint."""
    environment.load_networks()
    from tuner.running.initial_weights import initial_weights
    from tuner.running.study_run import StudyRun
    from tuner.search.resources import StudyResources
    from tuner.validating.long_run import LongRun

    total, seen = plan.rungs[-1] * len(trials), 0
    interrupts = HeldInterrupts()

    def on_batch(num_images: int) -> None:
        nonlocal seen
        seen += num_images
        observer.on_images(seen, total)
        interrupts.check()

    runs = [LongRun(trial, plan, pictures, on_batch=on_batch, say=observer.say) for trial in trials]
    for run in runs:
        run.check()
    weights = None
    if plan.validation.is_extension:
        weights = initial_weights(
            StudyRun(storage=storage, uuid=plan.study_uuid, config=plan.own_config, pictures=pictures)
        )
    resources = StudyResources(plan.config, pictures, report=observer.say, settle=store.settle)
    for place, run in enumerate(runs, start=1):
        # Interrupts are held back only once the lock is: whoever waits for it is heard at once.
        with held_alone(run.lock, on_wait=lambda: observer.say(_WAITING)), interrupts:
            if not store.has(run.trial):
                store.keep_run(*run.train(resources, initial_weights=weights))
            run.forget()
            seen = place * plan.rungs[-1]
            observer.on_images(seen, total)
            interrupts.check()
