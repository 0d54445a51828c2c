"""One trial: a short training run with sampled weights, scored at each rung, pruned early or finished."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, final

import numpy as np
import optuna
from numpy.typing import NDArray

from dashboards.contact_sheet import trial_sheet
from measures.loss_weights import LossWeights
from measures.quality import Quality
from measures.sampled_values import SampledValues
from measures.versions import JUDGE_VERSION
from objectives.errors import DivergedError
from studies.errors import StudyError
from studies.records import attributes
from studies.storage.optuna_internals import study_id_of
from studies.storage.picture_strips import encode_strip
from studies.storage.study_storage import StudyStorage, storage_errors
from studies.storage.tables import save_photo_quality
from tuner.search.goals import goal_values
from tuner.search.pruners import prune_reason, report_quality, should_prune
from tuner.search.space import suggest_values
from tuner.search.trial_health import TrialHealth
from tuner.search.trial_observer import RungEvent, TrialObserver
from tuner.search.trial_scores import draw_trial_sheet, photo_quality_records, score_attributes

if TYPE_CHECKING:
    from objectives.training.trainer import TrainingLosses
    from tuner.search.resources import StudyResources

InitialWeights = Callable[[SampledValues], Sequence[NDArray[np.float32]]]
"""Gives the weights, as the network's `get_weights` does, that a trial of some values begins with."""


@final
class TrialRunner:
    """Runs the trials of one study in one worker."""

    def __init__(
        self,
        storage: StudyStorage,
        study_uuid: str,
        *,
        resources: "StudyResources",
        observer: TrialObserver,
        initial_weights: InitialWeights | None = None,
    ) -> None:
        """Take what all trials share.

        Args:
            storage: Opened for writing.
            study_uuid: The study.
            resources: Of the study.
            observer: Told how far a trial is.
            initial_weights: What networks begin with; by default their initial weights, the same for every trial.
        """
        self._storage = storage
        self._study_uuid = study_uuid
        self._resources = resources
        self._observer = observer
        self._initial_weights = initial_weights
        self.config = resources.config

    def run(self, trial: optuna.Trial) -> Sequence[float]:
        """Train, score and report one trial.

        Returns:
            Values of the study's goals at the last rung, each in [0, 1].

        Raises:
            optuna.TrialPruned: The study's pruner ended the trial, it collapsed, or its loss is not finite.
            StudyError: The study was deleted or renamed meanwhile.
            StorageError: The database or the folder of artifacts cannot be written.
        """
        started = time.monotonic()
        sampled = suggest_values(trial, self.config.search)
        weights = sampled.loss_weights()
        trial.set_user_attr(attributes.WEIGHTS, weights.to_dict())
        self._observer.on_start(trial.number, weights)
        self._begin(sampled)
        seen = 0
        health = TrialHealth(weights, images=self.config.rungs[-1])
        judged: tuple[NDArray[np.float32], Quality] | None = None
        for rung in self.config.rungs:
            try:
                losses, outputs = self._resources.train_and_paint(seen, rung, on_batch=self._observer.on_batch)
            except DivergedError as error:
                self._require_same_place(trial)
                finite = rung if error.images is None else seen + error.images
                if judged is not None:
                    self._keep_pictures(trial, *judged, weights, calibration={})
                else:
                    self._keep_last_finite(trial, sampled, finite=finite)
                self._describe_end(trial, images_seen=seen, started=started, reason=f"{error} after image {finite}")
                raise optuna.TrialPruned(str(error)) from error
            seen = rung
            quality = self._resources.rung.judge.score(list(outputs))
            self._require_same_place(trial)
            report_quality(trial, quality, images_seen=seen)
            judged = outputs, quality
            health.look(quality, losses, images_seen=seen)
            self._keep_score(trial, quality, losses, notes=health.notes, images_seen=seen)
            self._observer.on_rung(
                RungEvent(number=trial.number, images_seen=seen, quality=quality.quality, weights=weights)
            )
            last = rung == self.config.rungs[-1]
            cause = "" if last else self._cause_of_end(trial, health)
            if cause is not None:
                calibration = self._keep_calibration(trial, images_seen=seen) if last else {}
                self._keep_pictures(trial, outputs, quality, weights, calibration=calibration)
                self._describe_end(trial, images_seen=seen, started=started, reason=cause)
                if not last:
                    raise optuna.TrialPruned(cause)
        return list(goal_values(quality, self.config.search.objectives).values())

    def _cause_of_end(self, trial: optuna.Trial, health: TrialHealth) -> str | None:
        """Return why a trial ends at a rung, in words; None if it goes on. Where nothing shall be pruned it does."""
        search = self.config.search
        if search.pruner == "none":
            return None
        # Asked in any case: halving counts who came to a rung.
        is_behind = should_prune(trial)
        return health.ending or (prune_reason(search) if is_behind else None)

    def _begin(self, sampled: SampledValues) -> None:
        self._resources.start(
            sampled, weights=None if self._initial_weights is None else self._initial_weights(sampled)
        )

    def _keep_last_finite(self, trial: optuna.Trial, sampled: SampledValues, *, finite: int) -> None:
        """Keep what a network painted that diverged before its first rung: trained again to the step before it broke.

        Nothing is kept where that cannot be painted either. It was not judged, so that it is no output to re-score.
        """
        stop = max(0, finite - self.config.training.batch_size)
        self._begin(sampled)
        try:
            _, outputs = self._resources.train_and_paint(0, stop, on_batch=self._observer.on_batch)
        except DivergedError:
            return
        caption = f"Trial {trial.number}: diverged after image {finite}; painted after image {stop}"
        sheet = trial_sheet(list(self._resources.rung.photos), list(outputs), caption=caption)
        kept = self._storage.artifacts.upload_bytes(sheet, trial, file_name="sheet.png")
        trial.set_user_attr(attributes.PICTURES, {attributes.SHEET_PICTURE: kept})

    def _require_same_place(self, trial: optuna.Trial) -> None:
        """Write to no trial of another study, which may have got the ids of this one after it was deleted or renamed.

        Raises:
            StudyError: The study is no longer where the trial began.
        """
        study = self._storage.read_by_uuid(self._study_uuid)
        if study_id_of(study) != study_id_of(trial.study):
            raise StudyError(f"Study {trial.study.study_name!r} was renamed to {study.study_name!r}.")

    def _keep_score(
        self,
        trial: optuna.Trial,
        quality: Quality,
        losses: "TrainingLosses",
        *,
        notes: Sequence[Mapping[str, Any]],
        images_seen: int,
    ) -> None:
        for name, value in score_attributes(quality, self.config, losses=losses).items():
            trial.set_user_attr(name, [*value, *notes] if name == attributes.LOWERED_BY else value)
        self._keep_photo_quality(trial, quality, self._resources.rung.sha256s, images_seen=images_seen)

    def _keep_photo_quality(
        self, trial: optuna.Trial, quality: Quality, photos_sha256: Sequence[str], *, images_seen: int
    ) -> None:
        records = photo_quality_records(
            quality,
            photos_sha256,
            study_uuid=self._study_uuid,
            trial_number=trial.number,
            rung=images_seen,
            judge_version=JUDGE_VERSION,
        )
        with storage_errors(self._storage.url):
            save_photo_quality(self._storage.engine, records)

    def _keep_calibration(self, trial: optuna.Trial, *, images_seen: int) -> dict[str, str]:
        """Paint and score the calibration photos; return the artifact's id by kind, none where nothing was painted."""
        calibration = self._resources.calibration
        if not len(calibration):
            return {}
        outputs = self._resources.paint(calibration.photos)
        if not np.isfinite(outputs).all():
            return {}
        quality = calibration.judge.score(list(outputs))
        self._keep_photo_quality(trial, quality, calibration.sha256s, images_seen=images_seen)
        upload = self._storage.artifacts.upload_bytes
        return {attributes.CALIBRATION_PICTURES: upload(encode_strip(outputs), trial, file_name="calibration.png")}

    def _keep_pictures(
        self,
        trial: optuna.Trial,
        outputs: NDArray[np.float32],
        quality: Quality,
        weights: LossWeights,
        *,
        calibration: Mapping[str, str],
    ) -> None:
        sheet = draw_trial_sheet(
            trial.number,
            quality,
            weights.to_dict(),
            photos=self._resources.rung.photos,
            outputs=outputs,
            parameters=trial.params,
        )
        upload = self._storage.artifacts.upload_bytes
        pictures = {
            attributes.SHEET_PICTURE: upload(sheet, trial, file_name="sheet.png"),
            attributes.OUTPUT_PICTURES: upload(encode_strip(outputs), trial, file_name="outputs.png"),
            **calibration,
        }
        trial.set_user_attr(attributes.PICTURES, pictures)

    def _describe_end(self, trial: optuna.Trial, *, images_seen: int, started: float, reason: str) -> None:
        trial.set_user_attr(attributes.IMAGES_SEEN, images_seen)
        trial.set_user_attr(attributes.SECONDS, round(time.monotonic() - started, 2))
        trial.set_user_attr(attributes.REASON, reason)
