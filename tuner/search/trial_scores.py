"""How a trial's quality is written down: its parts and reasons, each photo's quality, and its sheet of pictures."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dashboards.contact_sheet import trial_sheet
from measures.loss_weights import TERMS
from measures.quality import Quality
from objectives.judging.reasons import find_reasons
from studies.records import attributes
from studies.records.trial_words import further_in_words
from studies.storage.tables import PhotoQualityRecord
from tuner.configuration.settings import StudyConfig
from tuner.search.goals import goal_values


def score_attributes(quality: Quality, config: StudyConfig, *, losses: Mapping[str, Any]) -> dict[str, Any]:
    """Return the user attributes of a trial that say what it scored.

    Args:
        quality: Of its outputs of the rung photos.
        config: Its study's configuration.
        losses: Mean losses of the training before.
    """
    parts: dict[str, Any] = {
        **quality.parts(),
        "standard_error": quality.standard_error,
        "spread": quality.spread,
        "terms": dict(quality.terms),
        "losses": losses,
        "objectives": goal_values(quality, config.search.objectives),
    }
    reasons = find_reasons(quality, content_exponent=config.quality.content_exponent)
    return {attributes.PARTS: parts, attributes.LOWERED_BY: [reason.to_dict() for reason in reasons]}


def photo_quality_records(
    quality: Quality, photos_sha256: Sequence[str], *, study_uuid: str, trial_number: int, rung: int, judge_version: str
) -> list[PhotoQualityRecord]:
    """Return the quality of each photo's output as the database keeps it.

    Args:
        quality: Of the outputs of these photos.
        photos_sha256: Content hash of each photo's file.
        study_uuid: The study's UUID.
        trial_number: The trial in it.
        rung: Where in the trial it was scored, in images seen.
        judge_version: Of the judge that scored it.
    """
    return [
        PhotoQualityRecord(
            study_uuid=study_uuid,
            trial_number=trial_number,
            rung=rung,
            judge_version=judge_version,
            photo_sha256=sha256,
            quality=photo.quality,
            **photo.parts(),
            terms=photo.terms,
        )
        for sha256, photo in zip(photos_sha256, quality.photos, strict=True)
    ]


def draw_trial_sheet(
    number: int,
    quality: Quality,
    weights: Mapping[str, float],
    *,
    photos: NDArray[np.float32],
    outputs: NDArray[np.float32],
    parameters: Mapping[str, Any],
) -> bytes:
    """Draw a trial's outputs below the photos as a PNG, with its quality and what it was run with above."""
    caption = f"Trial {number}: quality {quality.quality:.3f}"
    if weights:
        content, style, variation = (weights[term] for term in TERMS)
        caption += f"\ncontent {content:.3f}, style {style:.3f}, total variation {variation:.4f}"
        caption += "".join(f", {words}" for words in [further_in_words(parameters)] if words)
    return trial_sheet(list(photos), list(outputs), caption=caption)
