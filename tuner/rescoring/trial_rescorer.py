"""A trial as the re-scored study has it: the same in everything but what the judge says of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, final

import numpy as np
from numpy.typing import NDArray
from optuna.trial import FrozenTrial, TrialState, create_trial

from measures.quality import Quality
from studies.claims.trial_states import FINISHED_STATES
from studies.records import attributes
from studies.records.trial_qualities import quality_of
from studies.records.trial_record import TrialRecord
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, save_photo_quality
from tuner.copying.added_trials import LEFT_RUNNING
from tuner.copying.copied_files import FileCopier
from tuner.errors import RescoringError
from tuner.rescoring.kept_pictures import KeptPictures, read_strip
from tuner.search.goals import goal_values
from tuner.search.judged_set import JudgedSet
from tuner.search.trial_scores import draw_trial_sheet, photo_quality_records, score_attributes

NOT_RESCORED: Final = "not re-scored"
"""Begins the failure of a trial whose outputs cannot be scored again."""

_SCORES: Final = (
    attributes.PARTS,
    attributes.LOWERED_BY,
    attributes.RUNG_QUALITIES,
    attributes.RUNG_PHOTO_QUALITIES,
    attributes.PICTURES,
)
"""User attributes of a trial that are others in the re-scored one, or gone."""


@final
@dataclass(frozen=True, kw_only=True)
class _End:
    """How a trial ended in the re-scored study.

    Attributes:
        state: Its state.
        user_attrs: What it says of that besides all that stays the same.
        values: What it reached of the study's goals.
        qualities: Quality by rung, where Optuna keeps it.
        sheet: Its sheet of pictures; None where the old one stays.
    """

    state: TrialState
    user_attrs: Mapping[str, Any] = field(default_factory=dict)
    values: list[float] | None = None
    qualities: Mapping[int, float] = field(default_factory=dict)
    sheet: bytes | None = None


@final
@dataclass(frozen=True, kw_only=True)
class JudgedTrial:
    """A trial with what the new judge makes of it, of which nothing is kept yet.

    Attributes:
        trial: As it is in the old study.
        end: How it ends in the re-scored one.
        photos: Quality of each photo that it was scored on.
    """

    trial: FrozenTrial
    end: _End
    photos: tuple[PhotoQualityRecord, ...] = ()


@final
class TrialRescorer:
    """Makes the trials of a re-scored study."""

    def __init__(self, storage: StudyStorage, pictures: KeptPictures, *, target_uuid: str, judge_version: str) -> None:
        """Prepare.

        Args:
            storage: Opened for writing.
            pictures: What outputs are judged against.
            target_uuid: UUID of the re-scored study.
            judge_version: Of the judge that scores.
        """
        self._storage = storage
        self._pictures = pictures
        self._copier = FileCopier(storage, target_uuid)
        self._target_uuid = target_uuid
        self._judge_version = judge_version

    def judge(self, trial: FrozenTrial) -> JudgedTrial:
        """Score a trial's outputs, which takes most of the time and writes nothing.

        A trial that is running becomes a failed one, to be run again by the next run of the re-scored study. A finished
        one whose outputs are gone fails too; one that was pruned before it had any is pruned without a quality, though
        a picture of the moment before it diverged may be kept.
        """
        record = TrialRecord.parse(trial.user_attrs)
        if trial.state is TrialState.RUNNING:
            return JudgedTrial(trial=trial, end=_End(state=TrialState.FAIL, user_attrs=LEFT_RUNNING))
        if trial.state not in FINISHED_STATES or _is_unjudged(trial, record):
            return JudgedTrial(trial=trial, end=_End(state=trial.state))
        try:
            outputs = self._outputs(record)
        except RescoringError as error:
            failure = {attributes.FAILURE: f"{NOT_RESCORED}: {error}"}
            return JudgedTrial(trial=trial, end=_End(state=TrialState.FAIL, user_attrs=failure))
        return self._scored(trial, record, outputs)

    def keep(self, judged: JudgedTrial) -> FrozenTrial:
        """Keep a trial's files and its photos' quality for the re-scored study, and return what to add to that.

        To be called under the storage's lock, where it is certain that nobody else has added the trial or deleted the
        study. Done again after a kill it changes nothing.

        Raises:
            StorageError: The database or the folder of artifacts cannot be written.
        """
        trial, end = judged.trial, judged.end
        record = TrialRecord.parse(trial.user_attrs)
        with storage_errors(self._storage.url):
            save_photo_quality(self._storage.engine, judged.photos)
        sheet = record.pictures.get(attributes.SHEET_PICTURE)
        redrawn = {} if sheet is None or end.sheet is None else {sheet: end.sheet}
        files = self._copier.copy(trial.system_attrs, record.pictures, redrawn=redrawn)
        kept = {name: value for name, value in trial.user_attrs.items() if name not in _SCORES}
        pictures = {attributes.PICTURES: files.renamed(record.pictures)} if record.pictures else {}
        made = create_trial(
            state=end.state,
            values=end.values,
            params=trial.params,
            distributions=trial.distributions,
            user_attrs={**kept, **pictures, **end.user_attrs},
            system_attrs=without_old_judge(files.owned_beside(trial.system_attrs)),
            intermediate_values=dict(end.qualities),
        )
        made.datetime_start = trial.datetime_start
        made.datetime_complete = trial.datetime_complete if trial.state.is_finished() else made.datetime_complete
        return made

    def _outputs(self, record: TrialRecord) -> NDArray[np.float32]:
        artifact = record.pictures.get(attributes.OUTPUT_PICTURES)
        if artifact is None:
            raise RescoringError("its outputs were not kept")
        if not self._storage.artifacts.has(artifact):
            raise RescoringError("its outputs are gone")
        photos = self._pictures.rung.photos
        outputs = read_strip(self._storage, artifact, num_pictures=len(photos))
        if outputs is None or outputs.shape != photos.shape:
            raise RescoringError("its outputs are damaged")
        return outputs

    def _scored(self, trial: FrozenTrial, record: TrialRecord, outputs: NDArray[np.float32]) -> JudgedTrial:
        config, pictures = self._pictures.config, self._pictures.rung
        rung = config.rungs[-1] if record.images_seen is None else record.images_seen
        quality = pictures.judge.score(list(outputs))
        photos = self._records(trial.number, quality, pictures, rung=rung)
        photos += self._calibration_records(trial.number, record, rung=rung)
        scores = score_attributes(quality, config, losses=record.parts.get("losses") or {})
        values = list(goal_values(quality, config.search.objectives).values())
        sheet = draw_trial_sheet(
            trial.number,
            quality,
            record.weights,
            photos=pictures.photos,
            outputs=outputs,
            parameters=trial.params,
        )
        if len(values) > 1:
            # Optuna keeps neither intermediate values nor those of pruned trials where there are several goals.
            noted = {attributes.RUNG_QUALITIES: {str(rung): quality.quality}}
            reached = values if trial.state is TrialState.COMPLETE else None
            end = _End(state=trial.state, user_attrs={**scores, **noted}, values=reached, sheet=sheet)
        else:
            rungs = {rung: quality.quality}
            end = _End(state=trial.state, user_attrs=scores, values=values, qualities=rungs, sheet=sheet)
        return JudgedTrial(trial=trial, end=end, photos=tuple(photos))

    def _calibration_records(self, number: int, record: TrialRecord, *, rung: int) -> list[PhotoQualityRecord]:
        """Score a trial's outputs of the calibration photos, where it has them."""
        calibration = self._pictures.calibration
        artifact = record.pictures.get(attributes.CALIBRATION_PICTURES)
        if artifact is None or not len(calibration):
            return []
        outputs = read_strip(self._storage, artifact, num_pictures=len(calibration))
        if outputs is None or outputs.shape != calibration.photos.shape:
            return []
        return self._records(number, calibration.judge.score(list(outputs)), calibration, rung=rung)

    def _records(self, number: int, quality: Quality, judged: JudgedSet, *, rung: int) -> list[PhotoQualityRecord]:
        return photo_quality_records(
            quality,
            judged.sha256s,
            study_uuid=self._target_uuid,
            trial_number=number,
            rung=rung,
            judge_version=self._judge_version,
        )


def without_old_judge(system_attrs: Mapping[str, Any]) -> dict[str, Any]:
    """Leave out what Optuna's halving noted of the old judge's qualities, by which it would compare new trials."""
    return {name: value for name, value in system_attrs.items() if not name.startswith("completed_rung_")}


def _is_unjudged(trial: FrozenTrial, record: TrialRecord) -> bool:
    """Whether a trial was pruned before its first rung."""
    return trial.state is TrialState.PRUNED and (not record.pictures or quality_of(trial) is None)
