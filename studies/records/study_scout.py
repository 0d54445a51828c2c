"""A study's scout: what the study keeps of it, and whether the trials that it suggested bear it out."""

import enum
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, Self, final

from optuna.trial import FrozenTrial, TrialState

from measures.errors import SampledValuesError
from measures.sampled_values import RATIOS, SampledValues
from studies.records import attributes
from studies.records.attribute_values import count_of, mapping_of, number_of, text_of
from studies.records.trial_parameters import parameters_of
from studies.records.trial_qualities import quality_of
from studies.records.trial_record import TrialRecord

_MARKS: Final = {attributes.BASELINE, attributes.FORETOLD}
_FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)


@final
@dataclass(frozen=True, kw_only=True)
class StudyScout:
    """The scout that a study's trials start from.

    Attributes:
        images: It was trained on.
        sha256: Content hash of its file.
        num_suggested: Settings that it suggests, one to each of the first trials that come without one.
    """

    images: int
    sha256: str
    num_suggested: int

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read the attribute; None where it is missing or of another type."""
        known = mapping_of(value)
        images, num_suggested = count_of(known.get("images")), count_of(known.get("num_suggested"))
        sha256 = text_of(known.get("sha256"))
        if sha256 is None or images is None or num_suggested is None:
            return None
        return cls(images=images, sha256=sha256, num_suggested=num_suggested)

    def to_attribute(self) -> dict[str, Any]:
        """Return the value of a study's attribute, from which `parse` makes the same again."""
        return asdict(self)


@final
@dataclass(frozen=True, kw_only=True)
class ForetoldSetting:
    """What a study's scout foretells of a setting that it may suggest.

    Attributes:
        values: The setting.
        quality: In [0, 1], as the judge has what the scout paints there.
        standard_error: Of the quality, over the photos; None of one photo.
    """

    values: SampledValues
    quality: float
    standard_error: float | None

    def to_attribute(self) -> dict[str, float | None]:
        """Return one of the values of a study's attribute, from which `foretold_settings` makes the same again."""
        return {**self.values.to_dict(), "quality": self.quality, "standard_error": self.standard_error}


def foretold_settings(value: object) -> list[ForetoldSetting]:
    """Read the attribute; none where it is missing, and without those that are none."""
    found = []
    for entry in map(mapping_of, value if isinstance(value, list) else []):
        quality = number_of(entry.get("quality"))
        try:
            values = SampledValues.from_dict({name: entry.get(name) for name in RATIOS})
        except SampledValuesError:
            continue
        if quality is not None:
            error = number_of(entry.get("standard_error"))
            found.append(ForetoldSetting(values=values, quality=quality, standard_error=error))
    return found


def num_suggestions_begun(trials: Sequence[FrozenTrial]) -> int:
    """Count the settings that a scout has suggested, or suggests at this moment; each once, however often it is run."""
    return sum(
        is_without_setting(trial)
        or (attributes.FORETOLD in trial.user_attrs and attributes.RETRY_OF not in trial.user_attrs)
        for trial in trials
    )


def is_without_setting(trial: FrozenTrial) -> bool:
    """Whether a trial has just begun, with no setting that was enqueued, and has none yet."""
    return trial.state is TrialState.RUNNING and not parameters_of(trial)


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
        quality: In [0, 1]; of a pruned one at its last rung, 0 of one that was never judged.
        is_complete: Whether it was not pruned.
        foretold: By the scout; None for the baseline.
    """

    number: int
    quality: float
    is_complete: bool
    foretold: float | None


@final
@dataclass(frozen=True, kw_only=True)
class ScoutFinding:
    """A verdict and what it rests on.

    Attributes:
        verdict: The verdict.
        is_awaited: Whether some of the trials are still to be begun or finished.
        suggested: Finished trials that the scout suggested, best first; the complete ones before the pruned.
        baseline: The finished trial of the baseline; None without one.
    """

    verdict: ScoutVerdict
    is_awaited: bool
    suggested: tuple[ScoutedTrial, ...]
    baseline: ScoutedTrial | None

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return {
            "verdict": self.verdict.value,
            "suggested": [asdict(trial) for trial in self.suggested],
            "baseline": None if self.baseline is None else asdict(self.baseline),
        }


def num_suggestions_to_come(scout: StudyScout, trials: Sequence[FrozenTrial]) -> int:
    """Return how many settings a scout has not suggested yet."""
    return max(0, scout.num_suggested - num_suggestions_begun(trials))


def judge_scout(trials: Sequence[FrozenTrial], *, num_to_come: int = 0) -> ScoutFinding:
    """Hold the trials that a study's scout suggested against the baseline.

    A scout is contradicted if none of them ends better than the baseline; a pruned one does not, and a pruned baseline
    ends worse than any that is complete.

    Args:
        trials: Of the study.
        num_to_come: Suggestions that the study has not begun, and will run.
    """
    marked = [trial for trial in trials if _MARKS & trial.user_attrs.keys()]
    finished = sorted(
        (trial for trial in marked if trial.state in _FINISHED),
        key=lambda trial: (trial.state is not TrialState.COMPLETE, -(quality_of(trial) or 0.0), trial.number),
    )
    known = [
        ScoutedTrial(
            number=trial.number,
            quality=quality_of(trial) or 0.0,
            is_complete=trial.state is TrialState.COMPLETE,
            foretold=TrialRecord.parse(trial.user_attrs).foretold,
        )
        for trial in finished
    ]
    suggested = tuple(trial for trial in known if trial.foretold is not None)
    baselines = {trial.number for trial in finished if attributes.BASELINE in trial.user_attrs}
    baseline = next((trial for trial in known if trial.number in baselines), None)
    is_awaited = num_to_come > 0 or any(trial.state in (TrialState.WAITING, TrialState.RUNNING) for trial in marked)
    open_finding = ScoutFinding(
        verdict=ScoutVerdict.OPEN, is_awaited=is_awaited, suggested=suggested, baseline=baseline
    )
    if is_awaited or not suggested or baseline is None:
        return open_finding
    verdict = ScoutVerdict.HOLDS if beats_baseline(open_finding) else ScoutVerdict.CONTRADICTED
    return replace(open_finding, verdict=verdict)


def beats_baseline(finding: ScoutFinding) -> bool:
    """Return whether one of the suggestions that are finished is better than the baseline, if that is finished."""
    baseline = finding.baseline
    return baseline is not None and any(
        trial.is_complete and (not baseline.is_complete or trial.quality > baseline.quality)
        for trial in finding.suggested
    )
