"""What a study has at one moment, whichever machine brought it there."""

from dataclasses import dataclass
from typing import Self, final

import optuna
from optuna.trial import TrialState

from studies.claims.trial_states import FINISHED_STATES
from studies.records.study_record import StudyRecord
from studies.records.study_scout import ScoutFinding, judge_scout, num_suggestions_to_come
from studies.records.trial_qualities import quality_of


@final
@dataclass(frozen=True, kw_only=True)
class Standing:
    """How far a study is.

    Attributes:
        num_finished: Its complete and pruned trials.
        total: How many of them it shall have.
        best: Number and quality of the best complete trial; None without one.
        scout: What the trials that its scout suggested say of the scout; None in a study without one.
    """

    num_finished: int
    total: int
    best: tuple[int, float] | None
    scout: ScoutFinding | None = None

    @classmethod
    def of(cls, study: optuna.Study, *, total: int) -> Self:
        """Count a study's trials as they stand in the storage."""
        trials = study.get_trials(deepcopy=False)
        num_finished = sum(trial.state in FINISHED_STATES for trial in trials)
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
                trials, num_to_come=min(num_suggestions_to_come(scout, trials), max(0, total - num_finished))
            ),
        )

    @property
    def is_done(self) -> bool:
        """Whether the study has its total."""
        return self.num_finished >= self.total
