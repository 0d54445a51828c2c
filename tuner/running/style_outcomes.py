"""What came of the studies of several styles, and whether one style's best weights were worth a trial of another."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, final

from studies.records.summaries import StudySummary, TrialSummary


@final
@dataclass(frozen=True, kw_only=True)
class StyleOutcome:
    """What came of the study of one style.

    Attributes:
        study: Its name.
        style: Where its style image lies.
        best: Number of the best trial; None without a complete one.
        quality: That trial's, in [0, 1], higher is better.
        standard_error: Of that, over the rung photos; None if it is not known.
        weights: That trial's loss weights by term.
        baseline: Quality of the baseline; None where it has none, or is not complete.
        taken: What was made of other styles' best settings, in words; empty where the study took none.
        failure: Why the study gave nothing; None where it gave something.
    """

    study: str
    style: str
    best: int | None
    quality: float | None
    standard_error: float | None
    weights: Mapping[str, float]
    baseline: float | None
    taken: str
    failure: str | None = None

    @classmethod
    def failed(cls, study: str, *, style: str, failure: str) -> Self:
        """Note a study that gave nothing."""
        return cls(
            study=study,
            style=style,
            best=None,
            quality=None,
            standard_error=None,
            weights={},
            baseline=None,
            taken="",
            failure=failure,
        )

    @classmethod
    def of(cls, summary: StudySummary) -> Self:
        """Read it off a study."""
        best = summary.best
        baselines = [trial.quality for trial in summary.trials if trial.is_baseline and trial.state == "COMPLETE"]
        return cls(
            study=summary.name,
            style=summary.record.style_path or "",
            best=None if best is None else best.number,
            quality=None if best is None else best.quality,
            standard_error=None if best is None else best.parts.get("standard_error"),
            weights={} if best is None else best.weights,
            baseline=next(iter(baselines), None),
            taken=taken_in_words(summary),
        )

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return asdict(self)


def taken_in_words(summary: StudySummary) -> str:
    """Return whether a setting that other studies found best is the best here too; empty where none was taken.

    That it is says that it was worth its trial, not that the search would have found nothing as good without it.
    """
    ranked = [trial for trial in summary.ranked() if trial.taken_from is not None]
    if not ranked:
        return "not run yet" if any(trial.taken_from is not None for trial in summary.trials) else ""
    first = ranked[0]
    if summary.best is not None and first.number == summary.best.number:
        return f"helped: the best is trial {_named(first)}"
    if first.number in summary.tied_with_best:
        return f"as good as the best: trial {_named(first)}"
    if first.state == "PRUNED":
        return f"no help: trial {_named(first)}, was pruned"
    return f"no help: at best {first.quality:.3f}, trial {_named(first)}"


def _named(trial: TrialSummary) -> str:
    return f"{trial.number}, {trial.taken_from.in_words()}" if trial.taken_from is not None else str(trial.number)
