"""Starting a study, or resuming the one that is there if it is the same."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

import optuna

from measures.loss_weights import LossWeights
from studies.claims.trial_states import FINISHED_STATES
from studies.errors import StudyError
from studies.records import attributes
from studies.records.rescored_studies import find_rescored, require_rescored
from studies.records.study_record import StudyRecord
from studies.records.taken_from import Winner
from studies.records.widened_studies import require_widened
from studies.storage.database_errors import storage_errors
from studies.storage.picture_strips import encode_strip
from studies.storage.study_identity import create_study, find_by_uuid, uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.identity import defining_values, digest, hashed_values, resolved
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.installation.versions import versions
from tuner.running.winners import take_winners
from tuner.search.goals import goal_names, name_goals
from tuner.search.space import parameters_of
from tuner.search.stored_config import stored_config
from tuner.search.study_pictures import StudyPictures

NAMED_DIFFERENCES: Final = 4
"""More differences than this between two configurations are counted, not listed."""


def default_study_name(config: StudyConfig, pictures: StudyPictures) -> str:
    """Return preset, style image and a short hash of everything that defines the study, joined by dashes."""
    stem = pictures.style_path.stem
    return f"{config.preset or 'study'}-{stem}-{configuration_hash(config, pictures)[:6]}"


def configuration_hash(config: StudyConfig, pictures: StudyPictures) -> str:
    """Return the sha256 of configuration and pictures."""
    return digest({**hashed_values(config), **pictures.identity()})


def configuration_attributes(config: StudyConfig, pictures: StudyPictures) -> dict[str, Any]:
    """Return the user attributes by which a study is known as one of this configuration and pictures."""
    return {
        attributes.CONFIGURATION: resolved(config).model_dump(
            mode="json", exclude={"style": True, "photos": True, "search": {"stop": True, "finalists": True}}
        ),
        attributes.CONFIGURATION_HASH: configuration_hash(config, pictures),
    }


def start_or_resume(
    storage: StudyStorage,
    name: str,
    *,
    config: StudyConfig,
    pictures: StudyPictures,
    judge_version: str,
    winners: Sequence[Winner] = (),
) -> optuna.Study:
    """Return the study of this name, made if it is not there.

    A new study gets the style image as an artifact, its configuration and identity as attributes, and the baseline
    weights as its first trial; the default ones only if they lie in the search range.

    Args:
        storage: Opened for writing.
        name: The study's.
        config: Its configuration.
        pictures: Its pictures.
        judge_version: Of the judge that scores it.
        winners: What studies of other styles found best, of this search space: its trials after the baseline
            and published defaults, as long as none has begun.

    Raises:
        StudyError: A study of this name has another configuration, style image or photos; says which. Or another tool
            copied it, and trials would go to the copy.
        ConfigError: The baseline weights that the configuration names lie outside the search range.
    """
    baseline = baseline_parameters(config)
    with storage.exclusive():
        if name in storage.study_names():
            study = storage.load_study(name)
            storage.artifacts.require_place_of(study)
            _check_uncopied(study, storage)
            require_rescored(study)
            require_widened(study)
            _check_same(study, config, pictures)
            _check_judge(study, storage, judge_version)
        else:
            with storage_errors(storage.url):
                num_objectives = len(goal_names(config.search.objectives))
                study = create_study(storage.optuna, name, num_objectives=num_objectives)
        _complete(study, storage, config=config, pictures=pictures, judge_version=judge_version)
        if baseline is not None and not study.get_trials(deepcopy=False):
            study.enqueue_trial(baseline, user_attrs={attributes.BASELINE: True})
        take_winners(study, winners, config)
    return study


def num_finished(
    storage: StudyStorage, name: str, *, config: StudyConfig, pictures: StudyPictures, judge_version: str
) -> int | None:
    """Return how many trials of the study are finished, None if there is no such study; changes nothing.

    Raises:
        StudyError: As `start_or_resume` would.
        ConfigError: As `start_or_resume` would.
    """
    baseline_parameters(config)
    if name not in storage.study_names():
        return None
    study = storage.read_study(name)
    with storage_errors(storage.url):
        require_rescored(study)
        require_widened(study)
        _check_same(study, config, pictures)
        _check_judge(study, storage, judge_version)
        return sum(trial.state in FINISHED_STATES for trial in study.get_trials(deepcopy=False))


def unused_name(storage: StudyStorage, name: str) -> str:
    """Return the name, with a number behind it if it is taken."""
    taken = set(storage.study_names())
    number = 2
    candidate = name
    while candidate in taken:
        candidate = f"{name}-{number}"
        number += 1
    return candidate


def _complete(
    study: optuna.Study,
    storage: StudyStorage,
    *,
    config: StudyConfig,
    pictures: StudyPictures,
    judge_version: str,
) -> None:
    """Write the study's attributes; where photos lie and how many trials are wanted may change from run to run."""
    name_goals(study, config.search.objectives)
    known, record = study.user_attrs, StudyRecord.parse(study.user_attrs)
    photos = {**pictures.summary(), "paths": [str(path.resolve()) for path in config.photos]}
    values: dict[str, Any] = {
        **configuration_attributes(config, pictures),
        attributes.IDENTITY: {**record.identity, **pictures.identity()},
        attributes.JUDGE_VERSION: judge_version,
        attributes.PHOTOS: photos,
        attributes.VERSIONS: dict(record.versions) or versions(),
        attributes.STYLE_PATH: str(pictures.style_path.resolve()),
    }
    for key, value in values.items():
        if known.get(key) != value:
            study.set_user_attr(key, value)
    if record.style_picture is None:
        storage.artifacts.note_place(study)
        drawn = encode_strip(pictures.style[None])
        artifact = storage.artifacts.upload_bytes(drawn, study, file_name="style_picture.png")
        study.set_user_attr(attributes.STYLE_PICTURE, artifact)
    if record.style_image is None:
        study.set_user_attr(attributes.STYLE_IMAGE, storage.artifacts.upload(pictures.style_path, study))


def baseline_parameters(config: StudyConfig) -> dict[str, Any] | None:
    """Return the parameters of the baseline; None where the study has none.

    Raises:
        ConfigError: The configuration names one outside the search range.
    """
    if config.own_baseline is None:
        return None
    content, style, variation = config.own_baseline
    try:
        weights = LossWeights.normalised(content=content, style=style, total_variation=variation)
        return parameters_of(weights, config)
    except ValueError as error:
        if "baseline" not in config.search.model_fields_set:
            return None
        raise ConfigError(f"`search.baseline`: {error}\nFor none: `search.baseline: null`.") from error


def _check_uncopied(study: optuna.Study, storage: StudyStorage) -> None:
    newest = find_by_uuid(storage.engine, uuid_of(study))
    if newest is not None and newest.name != study.study_name:
        raise StudyError(
            f"Study {study.study_name!r} was copied to {newest.name!r}, and what one has is the other's. Go on with "
            f"--name {newest.name}, or delete one of them."
        )


def _check_judge(study: optuna.Study, storage: StudyStorage, judge_version: str) -> None:
    record = StudyRecord.parse(study.user_attrs)
    if record.configuration_hash is None or record.judge_version == judge_version:
        return
    rescored = find_rescored(storage, uuid_of(study), judge_version)
    advice = (
        f"Score its outputs again with `styletuner study rescore {shlex.quote(study.study_name)}`"
        if rescored is None
        else f"It has been re-scored: go on with --name {shlex.quote(rescored)}"
    )
    raise StudyError(
        f"Study {study.study_name!r} was scored by judge version {record.judge_version or 'unknown'}, this styletuner "
        f"has version {judge_version}; scores of both are never ranked together.\n{advice}, or start a study beside it "
        "with --new."
    )


def _check_same(study: optuna.Study, config: StudyConfig, pictures: StudyPictures) -> None:
    record = StudyRecord.parse(study.user_attrs)
    if record.configuration_hash is None:
        if record.is_ours or study.get_trials(deepcopy=False):
            raise StudyError(f"Study {study.study_name!r} was not made by styletuner. Choose another name with --name.")
        if len(study.directions) != len(goal_names(config.search.objectives)):
            raise StudyError(
                f"Study {study.study_name!r} exists and does not maximise "
                f"`search.objectives: {config.search.objectives}`. Choose another name with --name."
            )
        return  # made, but killed before its attributes were written
    stored = stored_config(study)
    differences = describe_differences(defining_values(stored), defining_values(config))
    if stored.loss.trainer != config.loss.trainer:
        others = [told for told in differences if not told.startswith(_brought_by_trainers(stored, config))]
        was, now = stored.loss.trainer or "none", config.loss.trainer or "none"
        differences = [f"`loss.trainer` is {was}, now {now} (--trainer)", *others]
    if stored.search.start != config.search.start:
        others = [told for told in differences if not told.startswith(("`scout", "`search.start`"))]
        differences = [f"`search.start` is {stored.search.start}, now {config.search.start} (--start)", *others]
    if record.identity.get("style_sha256") != pictures.style_sha256:
        differences.insert(0, f"the style image is another one than {record.style_path or 'the first run'}")
    if record.identity.get("photos_digest") != pictures.collection.digest:
        differences.insert(0, "the photos are others")
    if differences:
        more = len(differences) - NAMED_DIFFERENCES
        listed = "; ".join(differences[:NAMED_DIFFERENCES]) + (f"; and {more} more" if more > 0 else "")
        scouted = (
            " To go on with its own scout: "
            f"`styletuner study export {shlex.quote(study.study_name)} --scout FILE`, then --scout-file FILE."
        )
        raise StudyError(
            f"Study {study.study_name!r} exists and differs: {listed}.\n"
            "Choose another name with --name, or start one beside it with --new."
            + (scouted if record.scout is not None and "`scout." in listed else "")
        )


def _brought_by_trainers(stored: StudyConfig, config: StudyConfig) -> tuple[str, ...]:
    """Return how phrases begin of differences that come of another trainer: the source only with another network."""
    names = ["loss.trainer", "loss.network", "loss.content_layers", "loss.style_layers", "search.baseline"]
    if stored.loss.network != config.loss.network:
        names.append("loss.source")
    return tuple(f"`{name}`" for name in names)


def describe_differences(stored: Mapping[str, Any], wanted: Mapping[str, Any], *, prefix: str = "") -> list[str]:
    """Return a phrase for each setting in which two nested mappings differ."""
    phrases: list[str] = []
    for key in sorted({*stored, *wanted}):
        before, now = stored.get(key), wanted.get(key)
        if isinstance(before, Mapping) and isinstance(now, Mapping):
            phrases += describe_differences(before, now, prefix=f"{prefix}{key}.")
        elif before != now:
            phrases.append(f"`{prefix}{key}` is {before}, now {now}")
    return phrases
