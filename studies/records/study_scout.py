"""A study's scout: what the study keeps of it, and whether the trials that it suggested bear it out."""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, Self, final

from optuna.trial import FrozenTrial, TrialState

from studies.records.attribute_values import count_of, mapping_of, text_of
from studies.records.trial_qualities import quality_of
from studies.records.trial_record import TrialRecord

_FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)


@final
@dataclass(frozen=True, kw_only=True)
class StudyScout:
    """The scout that a study's trials start from.

    Attributes:
        images: It was trained on.
        sha256: Content hash of its file.
        num_judged: Settings among which its suggestions are the best.
        num_suggested: Settings that it suggested.
    """

    images: int
    sha256: str
    num_judged: int
    num_suggested: int

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read the attribute; None where it is missing or of another type."""
        known = mapping_of(value)
        counts = [count_of(known.get(name)) for name in ("images", "num_judged", "num_suggested")]
        sha256 = text_of(known.get("sha256"))
        if sha256 is None or any(count is None for count in counts):
            return None
        images, num_judged, num_suggested = (count or 0 for count in counts)
        return cls(images=images, sha256=sha256, num_judged=num_judged, num_suggested=num_suggested)

    def to_attribute(self) -> dict[str, Any]:
        """Return the value of a study's attribute, from which `parse` makes the same again."""
        return asdict(self)


@final
class ScoutVerdict(enum.Enum):
    """What the trials that a scout suggested say of it."""

    OPEN = "open"
    """Some of them are still to come, or there is nothing to hold them against."""
    HOLDS = "holds"
    CONTRADICTED = "contradicted"
    """None of them is better than the baseline."""


@final
@dataclass(frozen=True, kw_only=True)
class ScoutedTrial:
    """A trial that a scout suggested, or the baseline that it is held against.

    Attributes:
        number: Its number.
        quality: In [0, 1]; of a pruned one at its last rung.
        foretold: By the scout; None for the baseline.
    """

    number: int
    quality: float
    foretold: float | None


@final
@dataclass(frozen=True, kw_only=True)
class ScoutFinding:
    """A verdict and what it rests on.

    Attributes:
        verdict: The verdict.
        suggested: Finished trials that the scout suggested, best first; the complete ones before the pruned.
        baseline: The complete trial of the baseline; None without one.
    """

    verdict: ScoutVerdict
    suggested: tuple[ScoutedTrial, ...]
    baseline: ScoutedTrial | None

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return {
            "verdict": self.verdict.value,
            "suggested": [asdict(trial) for trial in self.suggested],
            "baseline": None if self.baseline is None else asdict(self.baseline),
        }


def judge_scout(trials: Sequence[FrozenTrial]) -> ScoutFinding:
    """Hold the trials that a study's scout suggested against the baseline.

    A scout is contradicted if none of them ends better than the baseline; a pruned one does not.
    """
    records = [(trial, TrialRecord.parse(trial.user_attrs)) for trial in trials]
    concerned = [trial for trial, record in records if record.foretold is not None or record.is_baseline]
    finished = sorted(
        (trial for trial in concerned if trial.state in _FINISHED and quality_of(trial) is not None),
        key=lambda trial: (trial.state is not TrialState.COMPLETE, -(quality_of(trial) or 0.0), trial.number),
    )
    foretold = {trial.number: record.foretold for trial, record in records}
    known = [
        ScoutedTrial(number=trial.number, quality=quality_of(trial) or 0.0, foretold=foretold[trial.number])
        for trial in finished
    ]
    complete = {trial.number for trial in finished if trial.state is TrialState.COMPLETE}
    suggested = tuple(trial for trial in known if trial.foretold is not None)
    baseline = next((trial for trial in known if trial.foretold is None and trial.number in complete), None)
    return ScoutFinding(
        verdict=_verdict(
            suggested,
            baseline,
            complete,
            is_awaited=any(trial.state in (TrialState.WAITING, TrialState.RUNNING) for trial in concerned),
        ),
        suggested=suggested,
        baseline=baseline,
    )


def _verdict(
    suggested: Sequence[ScoutedTrial],
    baseline: ScoutedTrial | None,
    complete: set[int],
    *,
    is_awaited: bool,
) -> ScoutVerdict:
    if is_awaited or not suggested or baseline is None:
        return ScoutVerdict.OPEN
    better = [trial for trial in suggested if trial.number in complete and trial.quality > baseline.quality]
    return ScoutVerdict.HOLDS if better else ScoutVerdict.CONTRADICTED


def foretold_attribute(*, quality: float, standard_error: float | None) -> Mapping[str, float | None]:
    """Return the value of the attribute of a trial that a scout suggested."""
    return {"quality": quality, "standard_error": standard_error}
