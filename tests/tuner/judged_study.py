"""A study of the tiny configuration whose outputs are drawn instead of trained, scored by an old judge if not told."""

import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import numpy as np
import optuna
from numpy.typing import NDArray
from optuna.distributions import FloatDistribution
from optuna.trial import FrozenTrial, TrialState, create_trial

from measures.loss_weights import LossWeights
from models.pictures.images import Image, resize
from studies.records import attributes
from studies.storage.artifacts import ArtifactMeta, artifact_entry
from studies.storage.picture_strips import encode_strip
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, save_photo_quality
from tests.tuner.tiny_study import NAME
from tuner.configuration.loading import load_config
from tuner.configuration.settings import StudyConfig
from tuner.running.measurements import keep_judged_photos
from tuner.running.setup import start_or_resume
from tuner.search.judged_set import judged_set
from tuner.search.study_pictures import StudyPictures, open_pictures

OLD: Final = "0"
"""A version that no judge has any more."""

SHARES: Final = {0: 0.15, 1: 0.4, 2: 0.3, 6: 0.7}
"""How much of the style image shows in a trial's outputs, by the trials that have outputs: 2 is pruned."""

DIVERGED, FAILED, RUNNING, WAITING = 3, 4, 5, 7
NUM_TRIALS: Final = 8

_DISTRIBUTIONS: Final = {
    "style_to_content": FloatDistribution(0.01, 10, log=True),
    "tv_to_content": FloatDistribution(0.001, 1, log=True),
}


def tiny_config(folder: Path, **search: Any) -> StudyConfig:
    overrides = {"style": str(folder / "style.png"), "photos": [str(folder / "photos")]}
    return load_config(str(folder / "tiny.yaml"), overrides={**overrides, "search": {"baseline": None, **search}})


def make_judged_study(
    storage: StudyStorage, folder: Path, *, name: str = NAME, judge_version: str = OLD, **search: Any
) -> optuna.Study:
    """Trials of every state: see `SHARES` and the numbers below it; qualities fall from trial to trial."""
    config = tiny_config(folder, **search)
    pictures = open_pictures(config)
    study = start_or_resume(storage, name, config=config, pictures=pictures, judge_version=judge_version)
    rung = judged_set(config, pictures, pictures.split.rung)
    calibration = judged_set(config, pictures, pictures.split.calibration)
    keep_judged_photos(storage, uuid_of(study), rung=rung, calibration=calibration)
    for number in range(NUM_TRIALS):
        painted = {}
        if number in SHARES:
            painted[attributes.OUTPUT_PICTURES] = _paint(rung.photos, pictures, SHARES[number])
            _keep_quality(storage, study, number, rung.sha256s, judge_version=judge_version)
            if _state(number) is TrialState.COMPLETE:
                painted[attributes.CALIBRATION_PICTURES] = _paint(calibration.photos, pictures, SHARES[number])
                _keep_quality(storage, study, number, calibration.sha256s, judge_version=judge_version)
        study.add_trial(_trial(storage, number, painted, num_goals=len(study.directions)))
    return study


def old_quality(number: int) -> float:
    return 0.9 - number / 10


def last_rung(number: int) -> int:
    return 8 if _state(number) is not TrialState.COMPLETE else 16


def _state(number: int) -> TrialState:
    states = {2: TrialState.PRUNED, DIVERGED: TrialState.PRUNED, FAILED: TrialState.FAIL, RUNNING: TrialState.RUNNING}
    return {**states, WAITING: TrialState.WAITING}.get(number, TrialState.COMPLETE)


def _paint(photos: NDArray[np.float32], pictures: StudyPictures, share: float) -> NDArray[np.float32]:
    style: Image = resize(pictures.style, height=photos.shape[1], width=photos.shape[2])
    return (1 - share) * photos + share * np.roll(style, 7, axis=0)


def _trial(
    storage: StudyStorage, number: int, painted: dict[str, NDArray[np.float32]], *, num_goals: int
) -> FrozenTrial:
    state, quality = _state(number), old_quality(number)
    params = {"style_to_content": 0.1 * (number + 1), "tv_to_content": 0.01}
    if state is TrialState.WAITING:
        return create_trial(state=state, system_attrs={"fixed_params": params})
    weights = LossWeights.normalised(content=1, style=params["style_to_content"], total_variation=0.01)
    user_attrs: dict[str, Any] = {
        attributes.WEIGHTS: weights.to_dict(),
        attributes.PARTS: {"content_preservation": quality, "losses": {"content": 0.5}},
        attributes.LOWERED_BY: [{"name": "border", "text": "old reason", "cost": 0.1}],
        attributes.IMAGES_SEEN: last_rung(number),
        attributes.SECONDS: 1.5,
        attributes.REASON: "diverged before image 16" if number == DIVERGED else "",
    }
    if state is TrialState.FAIL:
        user_attrs[attributes.FAILURE] = "ValueError: it broke"
    qualities = {rung: quality * rung / last_rung(number) for rung in (8, 16) if rung <= last_rung(number)}
    if num_goals > 1:
        user_attrs[attributes.RUNG_QUALITIES] = {str(rung): known for rung, known in qualities.items()}
    kept = _keep_files(storage, {kind: encode_strip(pictures) for kind, pictures in painted.items()})
    if kept:
        user_attrs[attributes.PICTURES] = {kind: meta.artifact_id for kind, meta in kept.items()}
    has_value = state is TrialState.COMPLETE or (state is TrialState.PRUNED and num_goals == 1)
    return create_trial(
        state=state,
        values=[quality] * num_goals if has_value else None,
        params=params,
        distributions=_DISTRIBUTIONS,
        user_attrs=user_attrs,
        system_attrs={
            key: entry
            for meta in kept.values()
            for key, entry in artifact_entry(meta, artifact_id=meta.artifact_id).items()
        },
        intermediate_values=qualities if num_goals == 1 else {},
    )


def _keep_files(storage: StudyStorage, files: dict[str, bytes]) -> dict[str, ArtifactMeta]:
    if not files:
        return {}
    kept = {}
    for kind, content in {**files, attributes.SHEET_PICTURE: b"an old sheet"}.items():
        artifact = str(uuid.uuid4())
        storage.artifacts.write(artifact, content)
        kept[kind] = ArtifactMeta(artifact_id=artifact, filename=f"{kind}.png", mimetype="image/png", encoding=None)
    return kept


def _keep_quality(
    storage: StudyStorage, study: optuna.Study, number: int, photos: Sequence[str], *, judge_version: str
) -> None:
    quality = old_quality(number)
    records = [
        PhotoQualityRecord(
            study_uuid=uuid_of(study),
            trial_number=number,
            rung=last_rung(number),
            judge_version=judge_version,
            photo_sha256=photo,
            quality=quality,
            content_preservation=quality,
            style_match=quality,
            artefact_factor=1.0,
        )
        for photo in photos
    ]
    save_photo_quality(storage.engine, records)
