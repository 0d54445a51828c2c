"""A study's final: its best trials trained again with further seeds, read once, and who wins it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Self, final

import numpy as np

from measures.finals import error_of_mean, least_lead, paired_spread, pooled_spread
from measures.long_runs import DIVERGED_QUALITY, lead
from studies.records.attribute_values import (
    count_of,
    counts_of,
    mapping_of,
    number_of,
    numbers_of,
    text_of,
    texts_by_name,
)

FEWEST_FINALISTS: Final = 2
"""To compare."""

RunKey = tuple[int, int]
"""What tells a run of a final from others: the trial whose setting it has, and its seed."""


@final
@dataclass(frozen=True, kw_only=True)
class FinalRun:
    """One fresh run of a finalist.

    Attributes:
        trial: The trial whose setting it has.
        seed: Of its crops, their order and, if it starts from noise, its initial weights.
        trial_quality: Quality of the trial's own run on the rung photos, in [0, 1].
        photo_qualities: Of each of the study's report photos, in their order; none if it diverged.
        diverged: Why it ended early, in words; empty if it did not.
        seconds: How long it took; None if that is not known.
        parts: Parts of the quality by name, in [0, 1]; none if it diverged.
        outputs: Artifact id of the report photos as it painted them, side by side; None if it diverged.
    """

    trial: int
    seed: int
    trial_quality: float
    photo_qualities: tuple[float, ...] = ()
    diverged: str = ""
    seconds: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    outputs: str | None = None

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read one; None where it is not whole."""
        known = mapping_of(value)
        trial, seed = count_of(known.get("trial")), count_of(known.get("seed"))
        quality, diverged = number_of(known.get("trial_quality")), text_of(known.get("diverged")) or ""
        photos = numbers_of(known.get("photo_qualities"))
        if trial is None or seed is None or quality is None or not (photos or diverged):
            return None
        parts = {name: number_of(part) for name, part in mapping_of(known.get("parts")).items()}
        return cls(
            trial=trial,
            seed=seed,
            trial_quality=quality,
            photo_qualities=() if diverged else photos,
            diverged=diverged,
            seconds=number_of(known.get("seconds")),
            parts={name: part for name, part in parts.items() if part is not None},
            outputs=text_of(known.get("outputs")),
        )

    def to_attribute(self) -> dict[str, Any]:
        """Return plain values, from which `parse` makes the same again."""
        return asdict(self) | {"photo_qualities": list(self.photo_qualities)}

    def as_dict(self) -> dict[str, Any]:
        """The same without its picture, which only its own study has."""
        return {name: value for name, value in self.to_attribute().items() if name != "outputs"}

    @property
    def key(self) -> RunKey:
        """What tells it from others."""
        return self.trial, self.seed

    @property
    def quality(self) -> float:
        """Mean over the report photos, in [0, 1]; of one that diverged the least there is."""
        return float(np.mean(self.photo_qualities)) if self.photo_qualities else DIVERGED_QUALITY


@final
@dataclass(frozen=True, kw_only=True)
class Finalist:
    """What the fresh runs of one trial's setting came to.

    Attributes:
        trial: The trial.
        trial_quality: Quality of its own run, for which it was chosen: no part of the mean.
        mean: Mean quality of its fresh runs on the report photos, in [0, 1].
        qualities: Of each run, by its seed.
        diverged: Why one of them ended early, in words; empty if none did.
        is_tied: Whether its mean cannot be told from the winner's; never of the winner, nor where a run diverged.
    """

    trial: int
    trial_quality: float
    mean: float
    qualities: Mapping[int, float]
    diverged: str
    is_tied: bool


@final
@dataclass(frozen=True, kw_only=True)
class FinalOutcome:
    """Who won a final, or leads in it while runs are missing.

    Attributes:
        finalists: All trials that have all their runs, best mean first and those behind of which a run diverged: the
            first one wins.
        error: Standard error of a mean over the seeds, pooled over the finalists of which no run diverged; None where
            there are none.
        degrees: Of freedom of that error.
        num_photos: How many report photos judged them; 0 if all runs diverged.
        num_missing: How many runs are wanted and not there yet.
    """

    finalists: tuple[Finalist, ...]
    error: float | None
    degrees: int
    num_photos: int
    num_missing: int

    @property
    def winner(self) -> Finalist:
        """The one of the best mean."""
        return self.finalists[0]

    @property
    def decides(self) -> bool:
        """Whether it says who is best: not if a run of each finalist diverged."""
        return not self.winner.diverged

    @property
    def tied(self) -> tuple[int, ...]:
        """Trials whose means cannot be told from the winner's."""
        return tuple(found.trial for found in self.finalists if found.is_tied)


@final
@dataclass(frozen=True, kw_only=True)
class StudyFinal:
    """The final of a study, by one version of the judge.

    Attributes:
        judge_version: Of the judge that scored the runs, and the study.
        seeds: Those of the runs of each finalist.
        wanted: The trials that are to be trained again, best first by their own runs; none where nobody wants a final
            any more.
        runs: Those that are done; those of trials that are not wanted any more stay.
        versions: Version of each package that the runs may depend on.
        photos: Artifact id of the report photos, side by side; None while no run is kept.
        sheet: Of the sheet that shows what the runs painted; None until all are done.
    """

    judge_version: str
    seeds: tuple[int, ...]
    wanted: tuple[int, ...]
    runs: tuple[FinalRun, ...] = ()
    versions: Mapping[str, str] = field(default_factory=dict)
    photos: str | None = None
    sheet: str | None = None

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read the attribute; None where it is missing or not whole."""
        known = mapping_of(value)
        seeds, wanted = counts_of(known.get("seeds")), counts_of(known.get("wanted"))
        is_over = known.get("wanted") == []
        if not seeds or (len(wanted) < FEWEST_FINALISTS and not is_over):
            return None
        listed = known.get("runs")
        runs = [FinalRun.parse(run) for run in listed] if isinstance(listed, list | tuple) else []
        return cls(
            judge_version=text_of(known.get("judge_version")) or "",
            seeds=seeds,
            wanted=wanted,
            runs=_comparable([run for run in runs if run is not None]),
            versions=texts_by_name(known.get("versions")),
            photos=text_of(known.get("photos")),
            sheet=text_of(known.get("sheet")),
        )

    def to_attribute(self) -> dict[str, Any]:
        """Return plain values, from which `parse` makes the same again."""
        return {
            "judge_version": self.judge_version,
            "seeds": list(self.seeds),
            "wanted": list(self.wanted),
            "runs": [run.to_attribute() for run in self.runs],
            "versions": dict(self.versions),
            "photos": self.photos,
            "sheet": self.sheet,
        }

    @property
    def artifacts(self) -> dict[str, str]:
        """Artifact id by name of its pictures, which are kept with the study."""
        named = {f"final_trial_{run.trial}_seed_{run.seed}": run.outputs for run in self.runs}
        named |= {"final_photos": self.photos, "final_sheet": self.sheet}
        return {name: artifact for name, artifact in named.items() if artifact is not None}

    def needs_sheet(self, is_there: Callable[[str], bool]) -> bool:
        """Return whether its runs are done and have pictures, and no sheet shows them.

        Args:
            is_there: Whether an artifact's file is.
        """
        can_have_one = self.photos is not None and not self.missing and self.outcome() is not None
        return can_have_one and (self.sheet is None or not is_there(self.sheet))

    @property
    def keys(self) -> tuple[RunKey, ...]:
        """All runs that are wanted, seed by seed: what one seed needs is then made once."""
        return tuple((trial, seed) for seed in self.seeds for trial in self.wanted)

    @property
    def missing(self) -> tuple[RunKey, ...]:
        """The wanted runs that are not done yet."""
        done = {run.key for run in self.runs}
        return tuple(key for key in self.keys if key not in done)

    @property
    def placed(self) -> tuple[int, ...]:
        """Trials that are ranked by their means, best first: those that were wanted last, and the winner."""
        outcome = self.outcome()
        finalists = () if outcome is None else outcome.finalists
        return tuple(found.trial for place, found in enumerate(finalists) if place == 0 or found.trial in self.wanted)

    def without_missing(self) -> Self:
        """Return it wanting no more runs than are there."""
        whole = {runs[0].trial for runs in self._whole()}
        kept = tuple(trial for trial in self.wanted if trial in whole)
        return replace(self, wanted=kept if len(kept) >= FEWEST_FINALISTS else ())

    def with_run(self, run: FinalRun) -> Self:
        """Return it with one more run; the same trial's of the same seed that is there already stays."""
        if any(done.key == run.key for done in self.runs):
            return self
        return replace(self, runs=tuple(sorted((*self.runs, run), key=lambda done: done.key)), sheet=None)

    def outcome(self) -> FinalOutcome | None:
        """Return who won or leads, earlier finalists included; None while fewer than two have all their runs."""
        runs = self._whole()
        if len(runs) < FEWEST_FINALISTS:
            return None
        ended = [[run.quality for run in found] for found in runs if not _why_diverged(found)]
        spread, degrees = pooled_spread(ended)
        ranked = sorted(runs, key=_place)
        num_photos = max(len(run.photo_qualities) for run in self.runs)
        paired = paired_spread(ended)
        return FinalOutcome(
            finalists=tuple(
                _finalist(found, winner=ranked[0], paired=paired, num_photos=max(1, num_photos)) for found in ranked
            ),
            error=error_of_mean(spread, num_runs=len(self.seeds)),
            degrees=degrees,
            num_photos=num_photos,
            num_missing=len(self.missing),
        )

    def as_dict(self) -> dict[str, Any]:
        """The runs and what they say, as values that JSON and YAML can hold."""
        outcome = self.outcome()
        said: dict[str, Any] = {}
        if outcome is not None:
            said = {
                "winner": outcome.winner.trial,
                "mean": outcome.winner.mean,
                "error": outcome.error,
                "degrees_of_freedom": outcome.degrees,
                "num_photos": outcome.num_photos,
                "tied": list(outcome.tied),
                "finalists": [
                    asdict(found) | {"qualities": {str(seed): quality for seed, quality in found.qualities.items()}}
                    for found in outcome.finalists
                ],
            }
        return {
            "judge_version": self.judge_version,
            "seeds": list(self.seeds),
            "wanted": list(self.wanted),
            "missing": [{"trial": trial, "seed": seed} for trial, seed in self.missing],
            **said,
            "runs": [run.as_dict() for run in self.runs],
            "versions": dict(self.versions),
        }

    def _whole(self) -> list[list[FinalRun]]:
        """The runs of each trial that has one of every seed."""
        by_key = {run.key: run for run in self.runs}
        trials = sorted({run.trial for run in self.runs})
        found = [[by_key.get((trial, seed)) for seed in self.seeds] for trial in trials]
        return [[run for run in runs if run is not None] for runs in found if None not in runs]


def _place(runs: Sequence[FinalRun]) -> tuple[bool, float, float, int]:
    return bool(_why_diverged(runs)), -_mean(runs), -runs[0].trial_quality, runs[0].trial


def _finalist(
    runs: Sequence[FinalRun], *, winner: Sequence[FinalRun], paired: tuple[float | None, int], num_photos: int
) -> Finalist:
    difference, photo_error = lead(_by_photo(winner, num_photos), _by_photo(runs, num_photos))
    spread, degrees = paired
    least = least_lead(spread, degrees, num_runs=len(runs), photo_error=photo_error, num_photos=num_photos)
    diverged = _why_diverged(runs)
    return Finalist(
        trial=runs[0].trial,
        trial_quality=runs[0].trial_quality,
        mean=_mean(runs),
        qualities={run.seed: run.quality for run in runs},
        diverged=diverged,
        is_tied=runs is not winner and not diverged and difference <= least,
    )


def _mean(runs: Sequence[FinalRun]) -> float:
    return float(np.mean([run.quality for run in runs]))


def _why_diverged(runs: Sequence[FinalRun]) -> str:
    return next((run.diverged for run in runs if run.diverged), "")


def _by_photo(runs: Sequence[FinalRun], num_photos: int) -> tuple[float, ...]:
    """Mean quality of each photo over a trial's runs."""
    qualities = [run.photo_qualities or (DIVERGED_QUALITY,) * num_photos for run in runs]
    return tuple(map(float, np.mean(qualities, axis=0)))


def _comparable(runs: Sequence[FinalRun]) -> tuple[FinalRun, ...]:
    """One run a trial and seed, all judged on as many photos: anybody may have written others."""
    num_photos = max((len(run.photo_qualities) for run in runs), default=0)
    alike = [run for run in runs if run.diverged or len(run.photo_qualities) == num_photos]
    return tuple(sorted({run.key: run for run in alike}.values(), key=lambda run: run.key))
