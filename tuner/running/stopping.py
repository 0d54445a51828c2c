"""When a study ends: at its total of trials, or by what stops it before."""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from optuna.trial import FrozenTrial, TrialState

from measures.stagnation import last_improvement
from measures.versions import JUDGE_VERSION
from studies.claims.processes import WorkerIdentity
from studies.claims.trial_states import FINISHED_STATES
from studies.records.study_record import StudyRecord
from studies.records.tied_trials import last_qualities
from studies.records.trial_qualities import quality_of, rung_qualities
from studies.records.trial_record import TrialRecord
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage
from tuner.configuration.search_sections import StopSection
from tuner.configuration.settings import StudyConfig

SECONDS_PER_MINUTE: Final = 60.0

_DIVERGED: Final = "diverged"
"""Begins the reason of a trial whose loss or outputs are not finite (`objectives.errors.DivergedError`)."""


@final
@dataclass(frozen=True, kw_only=True)
class TimeLimit:
    """Until when a run of the command has its trials done.

    Attributes:
        began: When the run began, in seconds since 1970.
        until: When the run ends.
        trial_seconds: What a whole trial is expected to take before this machine has run one; 0 where nobody knows, so
            that one is tried.
        held_back: Seconds of the run that its final takes when the trials are done.
    """

    began: float
    until: float
    trial_seconds: float = 0.0
    held_back: float = 0.0

    @property
    def seconds_left(self) -> float:
        """Seconds until its trials must be done; below 0 afterwards."""
        return self.until - self.held_back - time.time()

    @property
    def is_over(self) -> bool:
        """Whether nothing more begins, no run of a final either."""
        return time.time() >= self.until


@final
@dataclass(frozen=True, kw_only=True)
class Allowance:
    """How many finished trials a study may have, as things stand.

    Attributes:
        total: Finished trials; None where only time, quality or stagnation end the study.
        may_rise: Whether it may become more: trials that are pruned leave images to others.
        stop: Why the study ends whatever its total; None where it goes on.
    """

    total: int | None
    may_rise: bool = False
    stop: str | None = None


@final
class StoppingRules:
    """What ends a run of a study, asked anew before each trial."""

    def __init__(
        self,
        storage: StudyStorage,
        study_uuid: str,
        *,
        config: StudyConfig,
        limit: TimeLimit | None,
        counts_trials: bool,
    ) -> None:
        """Take the rules.

        Args:
            storage: Where the study lives.
            study_uuid: The study.
            config: Says in `search.trials` and `search.stop` what ends it.
            limit: Until when the run lasts; None for as long as it takes.
            counts_trials: Whether `search.trials` ends it.
        """
        self._storage = storage
        self._study_uuid = study_uuid
        self._config = config
        self._limit = limit
        self._total = config.num_trials if counts_trials else None

    def allowance(self) -> Allowance:
        """Return how many finished trials the study may have.

        Raises:
            StudyError: The study was deleted.
            StorageError: The database cannot be read.
        """
        if self._limit is None and self._config.search.stop == StopSection():
            return Allowance(total=self._total)
        study = self._storage.read_by_uuid(self._study_uuid)
        with storage_errors(self._storage.url):
            trials = study.get_trials(deepcopy=False)
        if self._total is not None and _num_finished(trials) >= self._total:
            return Allowance(total=self._total)
        record = StudyRecord.parse(study.user_attrs)
        # A wider study takes over what its trials start from.
        start_images = 0 if record.widened_from is not None else self._config.start_images
        stop = (
            self._good_enough(trials)
            or self._stagnant(trials, record.photos.rung)
            or self._out_of_images(trials, start_images)
            or self._out_of_time(trials)
        )
        within_images = self._total_within_images(trials, start_images)
        if within_images is None or (self._total is not None and self._total <= within_images):
            return Allowance(total=self._total, stop=stop)
        return Allowance(total=within_images, may_rise=True, stop=stop)

    def _good_enough(self, trials: Sequence[FrozenTrial]) -> str | None:
        target = self._config.search.stop.quality
        if target is None:
            return None
        for trial in trials:
            quality = quality_of(trial)
            if trial.state is TrialState.COMPLETE and quality is not None and quality >= target:
                return f"trial {trial.number} has quality {quality:.3f}, and {target:g} was wanted"
        return None

    def _stagnant(self, trials: Sequence[FrozenTrial], photos: Sequence[str]) -> str | None:
        patience = self._config.search.stop.stagnation
        if patience is None:
            return None
        finished = [trial for trial in trials if trial.state in FINISHED_STATES]
        with storage_errors(self._storage.url):
            known = last_qualities(self._storage.read_engine, self._study_uuid, photos, judge_version=JUDGE_VERSION)
        complete = [known.get(trial.number, {}) if trial.state is TrialState.COMPLETE else {} for trial in finished]
        best = last_improvement(complete, photos)
        later = finished if best is None else finished[best + 1 :]
        # Those of the study that a wider one goes on from say nothing of what lies beyond.
        num_later = sum(TrialRecord.parse(trial.user_attrs).copied_from is None for trial in later)
        if num_later < patience:
            return None
        if best is None:
            return f"none of {num_later} trials is complete"
        return (
            f"none of the last {num_later} trials is better than trial {finished[best].number} by more than the "
            "standard error"
        )

    def _out_of_images(self, trials: Sequence[FrozenTrial], start_images: int) -> str | None:
        budget = self._config.search.stop.images
        if budget is None or self._num_whole_left(trials, budget - start_images) > 0:
            return None
        return (
            f"{start_images + _images_trained(trials):,} of {budget:,} images are trained on, and a whole trial takes "
            f"{self._config.rungs[-1]:,}"
        )

    def _total_within_images(self, trials: Sequence[FrozenTrial], start_images: int) -> int | None:
        """Return how many trials may finish if all that come are trained to their end: never too many."""
        budget = self._config.search.stop.images
        if budget is None:
            return None
        return _num_finished(trials) + self._num_whole_left(trials, budget - start_images)

    def _num_whole_left(self, trials: Sequence[FrozenTrial], budget: int) -> int:
        return max(0, budget - _images_trained(trials)) // self._config.rungs[-1]

    def _out_of_time(self, trials: Sequence[FrozenTrial]) -> str | None:
        if self._limit is None:
            return None
        seconds = self._seconds_of_a_trial(trials, self._limit)
        if self._limit.seconds_left >= max(seconds, 1e-3):
            return None
        minutes = (self._limit.until - self._limit.began) / SECONDS_PER_MINUTE
        held_back = self._limit.held_back / SECONDS_PER_MINUTE
        final = f", of which the final takes {held_back:.1f}" if held_back else ""
        return f"a trial of {seconds:.0f} s would not be done within the {minutes:g} minutes{final}"

    def _seconds_of_a_trial(self, trials: Sequence[FrozenTrial], limit: TimeLimit) -> float:
        """Return what a whole trial takes by those that this run has finished here, or what was expected.

        Where nothing was, as on a cluster's machine that has run none, those of all machines tell. One that diverged
        was trained farther than the rung that it counts to.
        """
        known = [
            (record.seconds / record.images_seen, _is_of_this_machine(record))
            for trial in trials
            if trial.state in FINISHED_STATES and _began(trial) >= limit.began
            for record in [TrialRecord.parse(trial.user_attrs)]
            if record.seconds is not None and record.images_seen
            if not (record.reason or "").startswith(_DIVERGED)
        ]
        here = [pace for pace, is_here in known if is_here]
        pace = here or ([] if limit.trial_seconds else [pace for pace, _ in known])
        return sum(pace) / len(pace) * self._config.rungs[-1] if pace else limit.trial_seconds


def _num_finished(trials: Sequence[FrozenTrial]) -> int:
    return sum(trial.state in FINISHED_STATES for trial in trials)


def _images_trained(trials: Sequence[FrozenTrial]) -> int:
    """Return the images of all trials that ended here; of those that failed or diverged, to their last rung."""
    ended = [(trial, TrialRecord.parse(trial.user_attrs)) for trial in trials if trial.state.is_finished()]
    own = [(trial, record) for trial, record in ended if record.copied_from is None]
    return sum(record.images_seen or max(rung_qualities(trial), default=0) for trial, record in own)


def _began(trial: FrozenTrial) -> float:
    """Seconds since 1970; Optuna keeps the time of the machine's own zone."""
    return trial.datetime_start.timestamp() if trial.datetime_start is not None else 0.0


def _is_of_this_machine(record: TrialRecord) -> bool:
    worker = WorkerIdentity.from_attribute(record.worker)
    return worker is not None and worker.is_here
