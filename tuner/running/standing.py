"""What a study has at one moment, whichever machine brought it there."""

from dataclasses import dataclass
from typing import Self, final

import optuna
from optuna.trial import TrialState

from studies.claims.trial_states import FINISHED_STATES
from studies.records.study_record import StudyRecord
from studies.records.study_scout import ScoutFinding, judge_scout, num_suggestions_to_come
from studies.records.trial_qualities import quality_of
from tuner.configuration.setting_bounds import MAX_TRIALS


@final
@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a study is.

    Attributes:
        num_finished: Its complete and pruned trials.
        total: How many of them it may have; None where time, quality or stagnation alone end it.
        best: Number and quality of the best complete trial; None without one.
        scout: What the trials that its scout suggested say of the scout; None in a study without one.
        stop: Why it ends now, whatever its total; None where it goes on.
        seconds_left: Until this run ends; None where time does not end it.
    """

    num_finished: int
    total: int | None
    best: tuple[int, float] | None
    scout: ScoutFinding | None = None
    stop: str | None = None
    seconds_left: float | None = None

    @classmethod
    def of(
        cls, study: optuna.Study, *, total: int | None, stop: str | None = None, seconds_left: float | None = None
    ) -> Self:
        """Count a study's trials as they stand in the storage; the other values as `StudyRun` has them."""
        trials = study.get_trials(deepcopy=False)
        num_finished = sum(trial.state in FINISHED_STATES for trial in trials)
        most = num_finished if stop is not None else MAX_TRIALS if total is None else total
        scout = StudyRecord.parse(study.user_attrs).scout
        complete = [
            (trial.number, quality)
            for trial in trials
            if trial.state is TrialState.COMPLETE and (quality := quality_of(trial)) is not None
        ]
        return cls(
            num_finished=num_finished,
            total=total,
            best=max(complete, key=lambda number_and_quality: number_and_quality[1], default=None),
            scout=None
            if scout is None
            else judge_scout(
                trials,
                num_to_come=min(num_suggestions_to_come(scout, trials), max(0, most - num_finished)),
            ),
            stop=stop,
            seconds_left=seconds_left,
        )

    @property
    def is_done(self) -> bool:
        """Whether the study has its total, or is stopped before."""
        return self.stop is not None or (self.total is not None and self.num_finished >= self.total)
