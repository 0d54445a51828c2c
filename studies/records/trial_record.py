"""What a trial says about itself: its user attributes, read once."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self, final

from measures.loss_weights import TERMS
from measures.quality import PART_NAMES
from studies.records import attributes
from studies.records.attribute_values import count_of, mapping_of, number_of, text_of, texts_by_name
from studies.records.published_defaults import PublishedSetting, published_setting
from studies.records.taken_from import TakenFrom


@final
@dataclass(frozen=True, kw_only=True)
class TrialRecord:
    """A trial's user attributes; None or empty where one is missing or of another type than ours.

    Attributes:
        weights: Loss weight by term, sum 1: all of them or none.
        parts: Parts of the quality by name, with raw terms and losses nested.
        lowered_by: What lowered the quality, the most costly first: name, text, and cost as a share of the quality.
        pictures: Artifact id by kind ("sheet", "outputs", and "calibration" of a complete trial).
        rung_qualities: Quality by images seen, where Optuna keeps no intermediate values.
        images_seen: Training images it saw.
        seconds: How long it ran.
        reason: Why it was pruned; None where it was not.
        failure: Why it failed; None where it did not.
        worker: Which process ran it, for `studies.claims.processes` to read.
        abandoned: How it ended if not by its own fault: "killed" or "interrupted".
        retry_of: Number of the trial that it runs again.
        num_retries: How many times its parameters were killed.
        is_baseline: Whether it runs the weights that the study began with.
        copied_from: UUID of the study that ran it; None where its own did.
        foretold: Quality as the study's scout had it, which suggested the trial; None where it did not.
        taken_from: The trial of another style's study whose setting it runs; None where it runs its own.
        published: The published defaults that it tries; None where it tries none.
    """

    weights: Mapping[str, float]
    parts: Mapping[str, Any]
    lowered_by: tuple[Mapping[str, Any], ...]
    pictures: Mapping[str, str]
    rung_qualities: Mapping[int, float]
    images_seen: int | None
    seconds: float | None
    reason: str | None
    failure: str | None
    worker: Mapping[str, Any]
    abandoned: str | None
    retry_of: int | None
    num_retries: int
    is_baseline: bool
    copied_from: str | None = None
    foretold: float | None = None
    taken_from: TakenFrom | None = None
    published: PublishedSetting | None = None

    @classmethod
    def parse(cls, user_attrs: Mapping[str, Any]) -> Self:
        """Read a trial's user attributes; never fails, whatever they are."""
        return cls(
            weights=_weights(user_attrs.get(attributes.WEIGHTS)),
            parts=_parts(user_attrs.get(attributes.PARTS)),
            lowered_by=_reasons(user_attrs.get(attributes.LOWERED_BY)),
            pictures=texts_by_name(user_attrs.get(attributes.PICTURES)),
            rung_qualities=qualities_by_rung(user_attrs.get(attributes.RUNG_QUALITIES)),
            images_seen=count_of(user_attrs.get(attributes.IMAGES_SEEN)),
            seconds=number_of(user_attrs.get(attributes.SECONDS)),
            reason=text_of(user_attrs.get(attributes.REASON)),
            failure=text_of(user_attrs.get(attributes.FAILURE)),
            worker=mapping_of(user_attrs.get(attributes.WORKER)),
            abandoned=text_of(user_attrs.get(attributes.ABANDONED)),
            retry_of=count_of(user_attrs.get(attributes.RETRY_OF)),
            num_retries=count_of(user_attrs.get(attributes.NUM_RETRIES)) or 0,
            is_baseline=user_attrs.get(attributes.BASELINE) is True,
            copied_from=text_of(user_attrs.get(attributes.COPIED_FROM)),
            foretold=number_of(mapping_of(user_attrs.get(attributes.FORETOLD)).get("quality")),
            taken_from=TakenFrom.parse(user_attrs.get(attributes.TAKEN_FROM)),
            published=published_setting(user_attrs),
        )


def qualities_by_rung(value: object) -> dict[int, float]:
    """Read the attribute of the qualities: by images seen; what is no number is left out."""
    qualities = {images: number_of(quality) for images, quality in mapping_of(value).items() if images.isdecimal()}
    return {int(images): quality for images, quality in qualities.items() if quality is not None}


def _weights(value: object) -> dict[str, float]:
    known = mapping_of(value)
    numbers = {name: number_of(known.get(name)) for name in TERMS}
    found = {name: number for name, number in numbers.items() if number is not None}
    return found if len(found) == len(TERMS) else {}


def _parts(value: object) -> dict[str, Any]:
    """Return what was noted, less the parts, the error and the spread that are no numbers: these are shown as such."""
    shown = (*PART_NAMES, "standard_error", "spread")
    return {name: part for name, part in mapping_of(value).items() if name not in shown or number_of(part) is not None}


def _reasons(value: object) -> tuple[dict[str, Any], ...]:
    reasons = [mapping_of(reason) for reason in value] if isinstance(value, list | tuple) else []
    return tuple(reason for reason in reasons if text_of(reason.get("text")))
