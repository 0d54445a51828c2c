"""What is to be trained longer, from a study and the command's flags; checked before any network is loaded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final

import optuna

from measures.long_runs import doubled_lengths
from models.errors import PhotosError
from models.pictures.datasets import MIN_TRAINING_PHOTOS, large_enough
from studies.records.rescored_studies import find_rescored, require_rescored
from studies.records.study_record import StudyRecord
from studies.records.summaries import TrialSummary, summarise
from studies.records.validation import Validation
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.loading import merge, validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ValidatingError
from tuner.installation.versions import versions
from tuner.search.kept_style_image import kept_style_image
from tuner.search.stored_config import stored_config
from tuner.search.study_pictures import StudyPictures, open_pictures
from tuner.validating.chosen_trials import baseline_trials, choose_trials, named_trials
from tuner.validating.run_lengths import long_run_images


@final
@dataclass(frozen=True, kw_only=True)
class ValidationRequest:
    """What is asked for.

    Attributes:
        name: The study.
        images: Length of the long runs: "4800", or "4x" for a multiple of the study's own.
        crop_size: Side of the training crops in pixels; the study's own if None.
        num_settings: How many of the study's settings to train, where `trials` names none.
        trials: Numbers of those to be trained on, from what the study's trials start from; where it names none, the
            study is validated.
        photos: Where the study's photos lie now; where it found them if empty.
    """

    name: str
    images: str = "4x"
    crop_size: int | None = None
    num_settings: int = 3
    trials: tuple[int, ...] = ()
    photos: tuple[Path, ...] = ()


@final
@dataclass(frozen=True, kw_only=True)
class ValidationPlan:
    """What to train.

    Attributes:
        study_uuid: What the study is.
        study_name: What it is called.
        own_config: Its configuration.
        config: The same with the length and the crops of the long runs.
        rungs: Images seen where the long runs are judged: as many as a trial sees, then doublings, then their end; in
            an extension the trials' rungs before.
        trials: Whose settings, best first.
        validation: The same as it is kept, without any runs.
    """

    study_uuid: str
    study_name: str
    own_config: StudyConfig
    config: StudyConfig
    rungs: tuple[int, ...]
    trials: tuple[TrialSummary, ...]
    validation: Validation


def plan_validation(storage: StudyStorage, request: ValidationRequest, *, judge_version: str) -> ValidationPlan:
    """Find out what to train; looks at no picture yet.

    Raises:
        StudyError: There is no such study, it was not made by this version of styletuner, or is still re-scored.
        ValidatingError: Another judge scored it, it has fewer than two complete trials or no such trials as are named,
            or the length is none.
        ConfigError: Length or crop size are out of range.
    """
    study = storage.read_study(request.name)
    own = stored_config(study)
    with storage_errors(storage.url):
        require_rescored(study)
        _require_judge(storage, study, judge_version)
        summary = summarise(storage, request.name)
        baselines = baseline_trials(storage, request.name)
    short_run, batch_size = own.rungs[-1], own.training.batch_size
    is_extension = bool(request.trials)
    images = long_run_images(request.images, short_run=short_run, batch_size=batch_size, is_extension=is_extension)
    config = _longer(own, images=images, crop_size=request.crop_size, source=request.name)
    if is_extension:
        trials, baseline = named_trials(summary, request.trials), None
    else:
        trials, baseline = choose_trials(summary, baselines=baselines, num_settings=request.num_settings)
    validation = Validation(
        judge_version=judge_version,
        images=images,
        crop_size=config.data.crop_size,
        short_run=short_run,
        wanted=tuple(trial.number for trial in trials),
        winner=None if summary.best is None else summary.best.number,
        baseline=baseline,
        versions=versions(),
        is_extension=is_extension,
    )
    return ValidationPlan(
        study_uuid=uuid_of(study),
        study_name=study.study_name,
        own_config=own,
        config=config,
        rungs=(*(own.rungs[:-1] if is_extension else ()), *doubled_lengths(short_run, images)),
        trials=trials,
        validation=validation,
    )


def open_validation_pictures(
    storage: StudyStorage, plan: ValidationPlan, *, photos: Sequence[Path]
) -> tuple[StudyPictures, tuple[str, ...]]:
    """Find the study's pictures, with those photos to train on that are no smaller than the crops.

    Args:
        storage: Where the study is.
        plan: What is to be trained.
        photos: Where the study's photos lie now; where it found them if empty.

    Returns:
        The pictures, and what was left out, one sentence each.

    Raises:
        StudyError: The style image is gone.
        ValidatingError: The photos are gone, others, or too small for the crops.
    """
    study = storage.read_by_uuid(plan.study_uuid)
    record = StudyRecord.parse(study.user_attrs)
    places = [str(path) for path in photos or map(Path, record.photos.paths)]
    here = {"style": str(kept_style_image(storage, study)), "photos": places}
    config = validate_config(merge(plan.own_config.model_dump(mode="json"), here), source=plan.study_name)
    advice = "Put them back, or say with --photos where they are."
    if not places:
        raise ValidatingError(f"Study {plan.study_name!r} does not say where its photos are. {advice}")
    try:
        pictures = open_pictures(config)
    except PhotosError as error:
        raise ValidatingError(f"The photos of study {plan.study_name!r} are gone. {error} {advice}") from error
    held_out = tuple(photo.sha256 for photo in pictures.split.rung)
    if pictures.collection.digest != record.identity.get("photos_digest") or held_out != record.photos.rung:
        raise ValidatingError(
            f"The photos at {', '.join(places)} are not those of study {plan.study_name!r}, on which its trials were "
            f"trained and judged. {advice}"
        )
    return _with_large_photos(plan, pictures)


def _with_large_photos(plan: ValidationPlan, pictures: StudyPictures) -> tuple[StudyPictures, tuple[str, ...]]:
    """Leave out the photos to train on that are smaller than the crops; those held out stay what they are."""
    size, split = plan.config.data.crop_size, pictures.split
    kept, remark = large_enough(split.training, size=size)
    if len(kept) < MIN_TRAINING_PHOTOS:
        raise ValidatingError(
            f"`--crop-size` must be no larger than the photos: {MIN_TRAINING_PHOTOS} to train on must have {size} px "
            f"or more. Received {len(kept)} of {len(split.training)}. Lower it."
        )
    return replace(pictures, split=replace(split, training=kept)), (remark,) if remark else ()


def _longer(own: StudyConfig, *, images: int, crop_size: int | None, source: str) -> StudyConfig:
    changed = {"training": {"images": images}, "data": {} if crop_size is None else {"crop_size": crop_size}}
    return validate_config(merge(own.model_dump(mode="json"), changed), source=source)


def _require_judge(storage: StudyStorage, study: optuna.Study, judge_version: str) -> None:
    """Refuse a study of another judge: long runs could not be compared with its trials."""
    found = StudyRecord.parse(study.user_attrs).judge_version
    if found == judge_version:
        return
    rescored = find_rescored(storage, uuid_of(study), judge_version)
    advice = (
        f"Score it again first: styletuner study rescore {study.study_name}"
        if rescored is None
        else f"Take {rescored}, which holds its trials by the installed judge"
    )
    raise ValidatingError(
        f"Study {study.study_name!r} was scored by judge version {found or 'unknown'}, this styletuner has version "
        f"{judge_version}; scores of both are never ranked together.\n{advice}."
    )
