"""What another judge makes of the same outputs: qualities and ranks before and after, and how alike the orders are."""

from dataclasses import asdict, dataclass
from typing import Any, Final, final

from measures.rank_agreement import kendall_tau
from studies.records.summaries import StudySummary, rank

COMPLETE: Final = "COMPLETE"
ENDED: Final = (COMPLETE, "PRUNED")
"""Optuna's names of the states of trials that may have a quality."""


@final
@dataclass(frozen=True, kw_only=True)
class ComparedTrial:
    """One finished trial under two judges.

    Attributes:
        number: Its number in both studies.
        state: Optuna's name of its state in the old study.
        old_quality: In [0, 1]; None without any.
        new_quality: The same by the new judge.
        old_rank: From 1, complete trials before pruned ones; None without a quality.
        new_rank: The same by the new judge.
        reason: Why it has no new quality; empty if it has.
    """

    number: int
    state: str
    old_quality: float | None
    new_quality: float | None
    old_rank: int | None
    new_rank: int | None
    reason: str


@final
@dataclass(frozen=True, kw_only=True)
class Comparison:
    """A study's finished trials under two judges.

    Attributes:
        trials: The best by the new judge first, then those without a new quality.
        kendall_tau: Rank correlation of the qualities of the trials that are complete in both, in [-1, 1], ties counted
            half (tau-b); None for fewer than two of them, or if one judge finds all alike.
        num_correlated: How many trials these are.
    """

    trials: tuple[ComparedTrial, ...]
    kendall_tau: float | None
    num_correlated: int

    @property
    def left_out(self) -> dict[str, list[int]]:
        """Numbers of the trials without a new quality, by the reason."""
        found: dict[str, list[int]] = {}
        for trial in self.trials:
            if trial.new_quality is None:
                found.setdefault(trial.reason, []).append(trial.number)
        return found

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return asdict(self)


def compare(old: StudySummary, new: StudySummary) -> Comparison:
    """Compare the trials of a study with what another judge says of them."""
    old_ranks, new_ranks = _ranks(old), _ranks(new)
    rescored = {trial.number: trial for trial in new.trials}
    compared = [
        ComparedTrial(
            number=trial.number,
            state=trial.state,
            old_quality=trial.quality,
            new_quality=other.quality if other.number in new_ranks else None,
            old_rank=old_ranks.get(trial.number),
            new_rank=new_ranks.get(trial.number),
            reason="" if other.number in new_ranks else other.reason,
        )
        for trial in old.trials
        if trial.state in ENDED and (other := rescored.get(trial.number)) is not None
    ]
    both = [
        (trial.old_quality, trial.new_quality)
        for trial in compared
        if trial.state == COMPLETE and trial.old_quality is not None and trial.new_quality is not None
    ]
    compared.sort(key=lambda trial: (trial.new_rank is None, trial.new_rank or 0, trial.number))
    old_qualities, new_qualities = ([pair[place] for pair in both] for place in (0, 1))
    tau = kendall_tau(old_qualities, new_qualities)
    return Comparison(trials=tuple(compared), kendall_tau=tau, num_correlated=len(both))


def _ranks(summary: StudySummary) -> dict[int, int]:
    return {trial.number: place for place, trial in enumerate(rank(summary.trials), start=1)}
