"""A study's trials ranked by the exponents of a person instead of the judge's own, without any network."""

import shlex
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, final

import numpy as np

from groundwork.similar_names import did_you_mean
from measures.quality import Exponents, Parts
from studies.errors import CalibrationError
from studies.preferences.answers import EVERYONE, Preference, load_preferences
from studies.preferences.calibration import MIN_CHOICES, Calibration, Choice, calibrate
from studies.records.summaries import StudySummary
from studies.records.trial_words import listed_trials
from studies.storage.database_errors import storage_errors
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import load_photo_quality

PhotoParts = Mapping[int, Mapping[str, Parts]]
"""Parts by trial and photo."""


@final
@dataclass(frozen=True, kw_only=True)
class Choices:
    """A rater's answers in one study.

    Attributes:
        rater: The rater's name, "everyone" for all of them together.
        usable: Answers with the scores of what was shown.
        notes: What was not used and why, one sentence each.
    """

    rater: str
    usable: tuple[Choice, ...]
    notes: tuple[str, ...]


@final
@dataclass(frozen=True, kw_only=True)
class CalibratedRanking:
    """What a rater's choices make of a study.

    Attributes:
        rater: The rater's name, "everyone" for all of them together.
        calibration: The fitted exponents, and how far to trust them.
        qualities: Calibrated quality of each complete trial by number, best first; in [0, 1].
        notes: What was not used and why, one sentence each.
    """

    rater: str
    calibration: Calibration
    qualities: Mapping[int, float]
    notes: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """The same as values that YAML and JSON can hold; the trials' calibrated qualities by number, best first."""
        found = self.calibration
        return {
            "rater": self.rater,
            "choices": found.num_choices,
            "ties": found.num_ties,
            "exponents": asdict(found.exponents),
            "intervals": {"content": list(found.content_interval), "artefacts": list(found.artefact_interval)},
            "agreement": {"before": found.agreement_before, "after": found.agreement_after},
            "self_agreement": found.self_agreement.as_dict(),
            "consistency": asdict(found.consistency),
            "qualities": {str(number): quality for number, quality in self.qualities.items()},
            "notes": list(self.notes),
        }


def asking_command(study: str, rater: str) -> str:
    """What to type for more answers of a rater, or of whoever types it where that is "everyone"."""
    named = "" if rater == EVERYONE else f" --rater {shlex.quote(rater)}"
    return f"styletuner study prefer {shlex.quote(study)}{named}"


def load_parts(storage: StudyStorage, summary: StudySummary) -> PhotoParts:
    """Parts of every photo's output at the end of each complete trial, rung and calibration photos alike.

    Raises:
        StorageError: If the database cannot be read.
    """
    with storage_errors(storage.url):
        records = load_photo_quality(storage.read_engine, summary.uuid, judge_version=summary.record.judge_version)
    complete = {trial.number for trial in summary.trials if trial.state == "COMPLETE"}
    last: dict[int, int] = defaultdict(int)
    for record in records:
        last[record.trial_number] = max(last[record.trial_number], record.rung)
    parts: dict[int, dict[str, Parts]] = defaultdict(dict)
    for record in records:
        if record.trial_number in complete and record.rung == last[record.trial_number]:
            parts[record.trial_number][record.photo_sha256] = Parts(
                content_preservation=record.content_preservation,
                style_match=record.style_match,
                artefact_factor=record.artefact_factor,
            )
    return parts


def load_choices(storage: StudyStorage, summary: StudySummary, parts: PhotoParts, *, rater: str) -> Choices:
    """The answers of a rater in a study that can be used, those of other studies and judges never being among them.

    Args:
        storage: Where the study lives.
        summary: The study.
        parts: Of its trials, from `load_parts`.
        rater: A name, or "everyone".

    Raises:
        StorageError: If the database cannot be read.
    """
    with storage_errors(storage.url):
        answers = load_preferences(storage.read_engine, who=None if rater == EVERYONE else rater)
    reasons: Counter[str] = Counter()
    usable = []
    own = {answer.occasion for answer in answers if answer.study_uuid == summary.uuid}
    for answer in answers:
        if answer.study_uuid != summary.uuid and answer.occasion in own:
            continue  # the same answer, where the study was re-scored from or to
        reason = _why_unused(answer, summary, parts)
        if reason is None:
            usable.append(_choice(answer, parts))
        else:
            reasons[reason] += 1
    return Choices(rater=rater, usable=tuple(usable), notes=tuple(_note(*counted) for counted in reasons.items()))


def rank_calibrated(storage: StudyStorage, summary: StudySummary, *, rater: str) -> CalibratedRanking:
    """Fit a rater's exponents and rank the complete trials by them.

    Args:
        storage: Where the study lives.
        summary: The study.
        rater: A name, or "everyone".

    Raises:
        CalibrationError: The rater is unknown, gave too few choices, or no complete trial has its photos' scores.
        StorageError: If the database cannot be read.
    """
    parts = load_parts(storage, summary)
    choices = load_choices(storage, summary, parts, rater=rater)
    _require_enough(storage, summary, choices)
    calibration = calibrate(choices.usable, content_exponent=summary.record.content_exponent)
    qualities, incomplete = calibrated_qualities(summary, parts, calibration.exponents)
    if not qualities:
        raise CalibrationError(
            f"No complete trial of {summary.name!r} has the scores of its photos by judge version "
            f"{summary.record.judge_version}. Run more trials of it: styletuner study run"
        )
    notes = list(choices.notes)
    if incomplete:
        notes.append(f"Not ranked, since scores of some of their photos are missing: {listed_trials(incomplete)}.")
    return CalibratedRanking(rater=rater, calibration=calibration, qualities=qualities, notes=tuple(notes))


def calibrated_qualities(
    summary: StudySummary, parts: PhotoParts, exponents: Exponents
) -> tuple[dict[int, float], list[int]]:
    """Mean quality over the rung photos under other exponents; at the study's own, that of its judge.

    Args:
        summary: The study.
        parts: Of its trials, from `load_parts`.
        exponents: How to weigh the parts.

    Returns:
        Quality by trial, best first, and the complete trials that miss the score of a rung photo.
    """
    photos = summary.record.photos.rung
    qualities, incomplete = {}, []
    for number in (trial.number for trial in summary.trials if trial.state == "COMPLETE"):
        known = parts.get(number, {})
        if photos and all(photo in known for photo in photos):
            qualities[number] = float(np.mean([exponents.quality(known[photo]) for photo in photos]))
        else:
            incomplete.append(number)
    best_first = sorted(qualities, key=lambda number: (-qualities[number], number))
    return {number: qualities[number] for number in best_first}, incomplete


def _why_unused(answer: Preference, summary: StudySummary, parts: PhotoParts) -> str | None:
    if answer.study_uuid != summary.uuid:
        return "given in other studies"
    if answer.judge_version != summary.record.judge_version:
        return f"given under judge version {answer.judge_version} (the study's is {summary.record.judge_version})"
    if not all(answer.photo_sha256 in parts.get(trial, {}) for trial in (answer.first_trial, answer.second_trial)):
        return "about outputs whose scores are missing"
    return None


def _note(reason: str, count: int) -> str:
    return f"Not used: {count} choice{'' if count == 1 else 's'} {reason}."


def _choice(answer: Preference, parts: PhotoParts) -> Choice:
    trials = (answer.first_trial, answer.second_trial)
    first, second = (parts[trial][answer.photo_sha256] for trial in trials)
    return Choice(
        rater=answer.who, photo=answer.photo_sha256, trials=trials, answer=answer.answer, parts=(first, second)
    )


def _require_enough(storage: StudyStorage, summary: StudySummary, choices: Choices) -> None:
    given = len(choices.usable)
    if given >= MIN_CHOICES:
        return
    with storage_errors(storage.url):
        raters = {answer.who for answer in load_preferences(storage.read_engine, study_uuid=summary.uuid)}
    advice = f"Ask for {MIN_CHOICES - given} more: {asking_command(summary.name, choices.rater)}"
    if choices.rater != EVERYONE and choices.rater not in raters:
        raise CalibrationError(
            f"`rater` must be somebody who gave choices in study {summary.name!r}. Received {choices.rater!r}. "
            + " ".join([did_you_mean(choices.rater, raters, none=f"Nobody has yet. {advice}"), *choices.notes])
        )
    raise CalibrationError(
        " ".join(
            [
                f"Calibration needs at least {MIN_CHOICES} choices. Received {given} by {choices.rater} in study "
                f"{summary.name!r}.",
                *choices.notes,
                advice,
            ]
        )
    )
