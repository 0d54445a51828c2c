"""What a study's settings came to when they were trained longer: read once, and what follows from it."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self, final

import numpy as np

from measures.long_runs import DIVERGED_QUALITY, Verdict, best_by_length, lead, verdict
from measures.rank_agreement import kendall_tau, tau_interval
from studies.records.attribute_values import (
    count_of,
    counts_of,
    mapping_of,
    number_of,
    numbers_of,
    text_of,
    texts_by_name,
)


@final
@dataclass(frozen=True, kw_only=True)
class ValidationRun:
    """One setting's long run.

    Attributes:
        trial: The trial whose setting it is.
        style_to_content: Style weight over content weight.
        tv_to_content: Total-variation weight over content weight.
        trial_quality: Quality of the trial's own run, in [0, 1].
        photo_qualities: By images seen, the quality of each of the study's rung photos, in their order.
        diverged: Why it ended early, in words; empty if it did not.
        seconds: How long it took; None if that is not known.
        parts: Parts of the quality at its end by name, in [0, 1]; none if it diverged.
        outputs: Artifact id of what it painted at its end, side by side; None if it diverged.
        further: What it has of its own besides the ratios, by name; empty where only these are searched.
    """

    trial: int
    style_to_content: float
    tv_to_content: float
    trial_quality: float
    photo_qualities: Mapping[int, tuple[float, ...]]
    diverged: str = ""
    seconds: float | None = None
    parts: Mapping[str, float] = field(default_factory=dict)
    outputs: str | None = None
    further: Mapping[str, float] = field(default_factory=dict)

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read one; None where it is not whole."""
        known = mapping_of(value)
        trial, parts, further = (
            count_of(known.get("trial")),
            mapping_of(known.get("parts")),
            mapping_of(known.get("further")),
        )
        numbers = [number_of(known.get(name)) for name in ("style_to_content", "tv_to_content", "trial_quality")]
        style, variation, quality = numbers
        if trial is None or style is None or variation is None or quality is None:
            return None
        photos = {
            int(key): numbers_of(item)
            for key, item in mapping_of(known.get("photo_qualities")).items()
            if _is_images(key)
        }
        return cls(
            trial=trial,
            style_to_content=style,
            tv_to_content=variation,
            trial_quality=quality,
            photo_qualities={images: photos[images] for images in sorted(photos) if photos[images]},
            diverged=text_of(known.get("diverged")) or "",
            seconds=number_of(known.get("seconds")),
            parts={name: part for name, item in parts.items() if (part := number_of(item)) is not None},
            outputs=text_of(known.get("outputs")),
            further={name: value for name, item in further.items() if (value := number_of(item)) is not None},
        )

    def to_attribute(self) -> dict[str, Any]:
        """Return plain values, from which `parse` makes the same again."""
        photos = {str(images): list(qualities) for images, qualities in self.photo_qualities.items()}
        return asdict(self) | {"photo_qualities": photos}

    @property
    def qualities(self) -> dict[int, float]:
        """Quality by images seen, in [0, 1], higher is better."""
        return {images: float(np.mean(photos)) for images, photos in self.photo_qualities.items()}

    @property
    def num_photos(self) -> int:
        """How many photos it was judged on; 0 if it diverged before that."""
        return max(map(len, self.photo_qualities.values()), default=0)

    def photos_at(self, images: int, *, num_photos: int) -> tuple[float, ...]:
        """Return the quality of each photo after so many images; of a run that had diverged the least there is."""
        return self.photo_qualities.get(images) or (DIVERGED_QUALITY,) * num_photos


@final
@dataclass(frozen=True, kw_only=True)
class LongOutcome:
    """What long runs say of a study that short runs made.

    Attributes:
        verdict: Whether the study's winner still wins.
        challenger: The best of the others: if the winner lost, of those that it lost to.
        lead: By how much the winner is better than the challenger at the end; negative if it is worse.
        lead_error: Standard error of that, paired over the photos; None for a single photo.
        kendall_tau: Rank correlation (tau-b) of the trials' own qualities with the long runs'; None if there is none.
        tau_interval: Its interval (`measures.rank_agreement`); None if there is no correlation.
        best_style_to_content: By images seen, the style weight over the content weight of the best setting there.
    """

    verdict: Verdict
    challenger: int
    lead: float
    lead_error: float | None
    kendall_tau: float | None
    tau_interval: tuple[float, float] | None
    best_style_to_content: Mapping[int, float]


@final
@dataclass(frozen=True, kw_only=True)
class Validation:
    """Some settings of a study trained longer than its trials, under one set of conditions.

    Of two kinds: a validation asks whether the winner still wins and starts from noise, as full training does; an
    extension is what some trials would have come to, and starts from what they started from.

    Attributes:
        judge_version: Of the judge that scored the long runs, and the study.
        images: Length of the long runs.
        crop_size: Side of their training crops in pixels.
        short_run: Length of the study's own complete trials.
        wanted: The trials whose settings are to be trained, best first.
        winner: The study's best trial when they were chosen; None in an extension of a study without one.
        baseline: The trial of the weights that the study began with, if it is among them.
        runs: Those that are done, by trial; earlier ones that are not wanted any more stay.
        sheet: Artifact id of the sheet that shows what they painted; None until all are done.
        references: What each loss term is divided by, measured at this size of crops; empty until that is done.
        versions: Version of each package that the runs may depend on.
        is_extension: Whether it is an extension.
    """

    judge_version: str
    images: int
    crop_size: int
    short_run: int
    wanted: tuple[int, ...]
    winner: int | None
    baseline: int | None = None
    runs: tuple[ValidationRun, ...] = ()
    sheet: str | None = None
    references: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str]
    is_extension: bool = False

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read one entry of the attribute; None where it is not whole."""
        known = mapping_of(value)
        counts = [count_of(known.get(name)) for name in ("images", "crop_size", "short_run", "winner")]
        images, crop_size, short_run, winner = counts
        is_extension = known.get("is_extension") is True
        if not images or not crop_size or not short_run or (winner is None and not is_extension):
            return None
        listed = known.get("runs")
        runs = [ValidationRun.parse(run) for run in listed] if isinstance(listed, list) else []
        return cls(
            judge_version=text_of(known.get("judge_version")) or "",
            images=images,
            crop_size=crop_size,
            short_run=short_run,
            wanted=counts_of(known.get("wanted")),
            winner=winner,
            baseline=count_of(known.get("baseline")),
            runs=_comparable([run for run in runs if run is not None]),
            sheet=text_of(known.get("sheet")),
            references=mapping_of(known.get("references")),
            versions=texts_by_name(known.get("versions")),
            is_extension=is_extension,
        )

    def to_attribute(self) -> dict[str, Any]:
        """Return plain values, from which `parse` makes the same again."""
        runs = [run.to_attribute() for run in self.runs]
        return asdict(self) | {"wanted": list(self.wanted), "versions": dict(self.versions), "runs": runs}

    @property
    def conditions(self) -> tuple[str, int, int, bool]:
        """What runs must share to be compared."""
        return self.judge_version, self.images, self.crop_size, self.is_extension

    @property
    def name(self) -> str:
        """What its pictures are called by."""
        return f"{'extension' if self.is_extension else 'validation'}_{self.images}_images_{self.crop_size}_px"

    @property
    def missing(self) -> tuple[int, ...]:
        """The wanted trials whose settings have not been trained yet."""
        done = {run.trial for run in self.runs}
        return tuple(trial for trial in self.wanted if trial not in done)

    @property
    def num_photos(self) -> int:
        """How many photos the runs were judged on; 0 if all diverged before that."""
        return max((run.num_photos for run in self.runs), default=0)

    def quality_of(self, run: ValidationRun) -> float:
        """Return the quality of a run at its end, in [0, 1]; of one that diverged the least there is."""
        return float(np.mean(run.photos_at(self.images, num_photos=max(1, self.num_photos))))

    def ranked(self) -> list[ValidationRun]:
        """Runs, best at their end first."""
        return sorted(self.runs, key=lambda run: (-self.quality_of(run), bool(run.diverged), run.trial))

    def outcome(self) -> LongOutcome | None:
        """Return what the runs say of the winner; None while some are missing, and of an extension."""
        if self.is_extension:
            return None
        winner = next((run for run in self.runs if run.trial == self.winner), None)
        others = [run for run in self.ranked() if run.trial != self.winner]
        if winner is None or not others or self.missing:
            return None
        best = self._photos(winner)
        ahead = [run for run in others if verdict(best, [self._photos(run)]) is Verdict.LOST]
        challenger = (ahead or others)[0]
        difference, error = lead(best, self._photos(challenger))
        tau = kendall_tau([run.trial_quality for run in self.runs], [self.quality_of(run) for run in self.runs])
        return LongOutcome(
            verdict=verdict(best, [self._photos(run) for run in others]),
            challenger=challenger.trial,
            lead=difference,
            lead_error=error,
            kendall_tau=tau,
            tau_interval=None if tau is None else tau_interval(tau, len(self.runs)),
            best_style_to_content=best_by_length(
                [run.qualities for run in self.runs], [run.style_to_content for run in self.runs]
            ),
        )

    def as_dict(self) -> dict[str, Any]:
        """The runs, best first, and what they say, as values that JSON and YAML can hold."""
        outcome = self.outcome()
        said = {} if outcome is None else asdict(outcome)
        if outcome is not None:
            said["verdict"] = outcome.verdict.value
            said["tau_interval"] = None if outcome.tau_interval is None else list(outcome.tau_interval)
            said["best_style_to_content"] = _by_text(outcome.best_style_to_content)
        shared = ("judge_version", "images", "crop_size", "short_run", "winner", "baseline")
        return {
            **{name: getattr(self, name) for name in shared},
            "missing": list(self.missing),
            **said,
            "runs": [self._run_as_dict(run) for run in self.ranked()],
            "references": dict(self.references),
            "versions": dict(self.versions),
        }

    def _run_as_dict(self, run: ValidationRun) -> dict[str, Any]:
        named = ("trial", "style_to_content", "tv_to_content", "trial_quality", "diverged", "seconds")
        numbers = {"qualities": _by_text(run.qualities), "parts": dict(run.parts), "further": dict(run.further)}
        return {**{name: getattr(run, name) for name in named}, **numbers}

    def _photos(self, run: ValidationRun) -> tuple[float, ...]:
        return run.photos_at(self.images, num_photos=max(1, self.num_photos))


def parse_validations(value: object) -> tuple[Validation, ...]:
    """Read the attribute, the last one written to at its end; what is not whole is left out."""
    listed = value if isinstance(value, list | tuple) else []
    return tuple(found for item in listed if (found := Validation.parse(item)) is not None)


def put_last(validations: Sequence[Validation], changed: Validation) -> list[Validation]:
    """Return the validations with one in place of that under the same conditions, at the end."""
    return [*(other for other in validations if other.conditions != changed.conditions), changed]


def _comparable(runs: Sequence[ValidationRun]) -> tuple[ValidationRun, ...]:
    """One run a trial, all judged on as many photos: anybody may have written others."""
    num_photos = max((run.num_photos for run in runs), default=0)
    alike = [run for run in runs if all(len(photos) == num_photos for photos in run.photo_qualities.values())]
    return tuple(sorted({run.trial: run for run in alike}.values(), key=lambda run: run.trial))


def _is_images(images: str) -> bool:
    return images.isascii() and images.isdecimal()


def _by_text(values: Mapping[int, float]) -> dict[str, float]:
    return {str(images): value for images, value in values.items()}
