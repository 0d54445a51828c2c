"""A study's scout: what the study keeps of it, and whether the trials that it suggested bear it out."""

import enum
from collections.abc import Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self, final

from optuna.trial import FrozenTrial, TrialState

from measures.errors import SampledValuesError
from measures.sampled_values import SampledValues
from studies.records import attributes
from studies.records.attribute_values import count_of, mapping_of, number_of, text_of
from studies.records.trial_qualities import quality_of
from studies.records.trial_record import TrialRecord

_MARKS: Final = {attributes.BASELINE, attributes.FORETOLD}
_RATIOS: Final = [field.name for field in fields(SampledValues)]
_FINISHED: Final = (TrialState.COMPLETE, TrialState.PRUNED)


@final
@dataclass(frozen=True, kw_only=True)
class StudyScout:
    """The scout that a study's trials start from.

    Attributes:
        images: It was trained on.
        sha256: Content hash of its file.
        num_suggested: Settings that it suggested.
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
            values = SampledValues.from_dict({name: entry.get(name) for name in _RATIOS})
        except SampledValuesError:
            continue
        if quality is not None:
            error = number_of(entry.get("standard_error"))
            found.append(ForetoldSetting(values=values, quality=quality, standard_error=error))
    return found


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
        is_awaited: Whether some of the trials are still to be finished.
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


def judge_scout(trials: Sequence[FrozenTrial]) -> ScoutFinding:
    """Hold the trials that a study's scout suggested against the baseline.

    A scout is contradicted if none of them ends better than the baseline; a pruned one does not, and a pruned baseline
    ends worse than any that is complete.
    """
    marked = [trial for trial in trials if _MARKS & trial.user_attrs.keys()]
    finished = sorted(
        (trial for trial in marked if trial.state in _FINISHED and quality_of(trial) is not None),
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
    is_awaited = any(trial.state in (TrialState.WAITING, TrialState.RUNNING) for trial in marked)
    verdict = ScoutVerdict.OPEN if is_awaited or not suggested or baseline is None else _verdict(suggested, baseline)
    return ScoutFinding(verdict=verdict, is_awaited=is_awaited, suggested=suggested, baseline=baseline)


def _verdict(suggested: Sequence[ScoutedTrial], baseline: ScoutedTrial) -> ScoutVerdict:
    is_better = any(
        trial.is_complete and (not baseline.is_complete or trial.quality > baseline.quality) for trial in suggested
    )
    return ScoutVerdict.HOLDS if is_better else ScoutVerdict.CONTRADICTED
