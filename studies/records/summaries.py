"""What a study and its trials amount to, for lists, pages and exports: plain values that nothing can write through."""

import math
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from typing import Any, Final, final

import optuna
from optuna.trial import FrozenTrial, TrialState

from measures.fronts import non_dominated
from measures.search_ranges import NearEnd, near_ends
from measures.ties import spread_behind
from studies.records.final import FinalOutcome, StudyFinal
from studies.records.published_defaults import PublishedSetting
from studies.records.study_record import StudyRecord
from studies.records.study_scout import ScoutFinding, judge_scout, num_suggestions_to_come
from studies.records.taken_from import TakenFrom
from studies.records.tied_trials import tied_with
from studies.records.trial_qualities import quality_of, rung_qualities
from studies.records.trial_record import TrialRecord
from studies.storage.database_errors import storage_errors
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage

QUALITY: Final = "quality"
"""Name of the objective of a study that has one."""


@final
@dataclass(frozen=True, kw_only=True)
class TrialSummary:
    """One trial.

    Attributes:
        number: Its number in the study, from 0.
        state: Optuna's name of its state: "COMPLETE", "PRUNED", "FAIL", "RUNNING" or "WAITING".
        quality: In [0, 1], higher is better: at the end if complete, else at the last rung so far; None without any.
        weights: Loss weight by term, sum 1; empty until they are sampled.
        params: Optuna's parameters by name.
        parts: Parts of the quality by name, with raw terms and losses nested.
        reason: Why it was pruned, or how it failed; empty otherwise.
        images_seen: Training images it saw.
        seconds: How long it ran; None while it runs.
        pictures: Artifact id by kind ("sheet", "outputs", and "calibration" of a complete trial).
        qualities: Quality by rung, a rung being the images seen.
        values: Of the objectives of its study, in their order, if it is complete; of the usual study its quality alone.
        started: In UTC; None while it waits.
        finished: In UTC; None until it ends.
        retry_of: Number of the trial that it runs again, if any.
        lowered_by: What lowered its quality, the most costly first: name, text, and cost as a share of the quality.
        copied_from: UUID of the study that ran it; None where its own did.
        foretold: Quality as the study's scout had it, which suggested the trial; None where it did not.
        is_baseline: Whether it runs the weights that the study began with.
        taken_from: The trial of another style's study whose setting it runs; None where it runs its own.
        published: The published defaults that it tries, which may lie beyond its parameters' ranges; None without any.
    """

    number: int
    state: str
    quality: float | None
    weights: Mapping[str, float]
    params: Mapping[str, Any]
    parts: Mapping[str, Any]
    reason: str
    images_seen: int | None
    seconds: float | None
    pictures: Mapping[str, str]
    qualities: Mapping[int, float]
    started: datetime | None
    finished: datetime | None
    retry_of: int | None
    values: tuple[float, ...] = ()
    lowered_by: tuple[Mapping[str, Any], ...] = ()
    copied_from: str | None = None
    foretold: float | None = None
    is_baseline: bool = False
    taken_from: TakenFrom | None = None
    published: PublishedSetting | None = None

    @property
    def values_run(self) -> dict[str, Any]:
        """Its parameters, or in their place the ratios of the published defaults that it tries."""
        return {**self.params, **({} if self.published is None else self.published.ratios())}

    def reasons(self) -> str:
        """What lowered its quality, in words; empty if nothing did."""
        return "; ".join(str(reason["text"]) for reason in self.lowered_by)

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return asdict(self) | {"started": _iso(self.started), "finished": _iso(self.finished)}


@final
@dataclass(frozen=True, kw_only=True)
class StudySummary:
    """One study.

    Attributes:
        name: Its name.
        uuid: What it is, however it is called; empty if Optuna made it and nothing of ours has written to it.
        created: When its first trial started, in UTC; None before that.
        num_by_state: Number of trials by Optuna's name of their state; states without trials are left out.
        best: The winner of the study's final, else the complete trial of the highest quality, on the front if there
            are several objectives; None without any.
        trials: All trials by number.
        record: What the study says about itself.
        attributes: The same as it is stored, for whoever reads the JSON.
        tied_with_best: Numbers of the other complete trials whose quality cannot be told from the best one's; see
            `studies.records.tied_trials`, and where a final says who is best, `studies.records.final`.
        objectives: Names of what is maximised, in the order of the trials' values; one of them in the usual study.
        scout: What the trials that its scout suggested say of the scout; None in a study without one.
        final: What its final says of who is best; None where it had none, where a run of each finalist diverged, and
            where the trial of the highest quality is not in it, or not yet.
    """

    name: str
    uuid: str
    created: datetime | None
    num_by_state: Mapping[str, int]
    best: TrialSummary | None
    trials: tuple[TrialSummary, ...]
    record: StudyRecord
    attributes: Mapping[str, Any]
    objectives: tuple[str, ...] = (QUALITY,)
    tied_with_best: tuple[int, ...] = ()
    scout: ScoutFinding | None = None
    final: FinalOutcome | None = None

    @property
    def num_finished(self) -> int:
        """Complete and pruned trials: what `--trials` counts."""
        return self.num_by_state.get("COMPLETE", 0) + self.num_by_state.get("PRUNED", 0)

    @property
    def near_ends(self) -> tuple[NearEnd, ...]:
        """Which of the best trial's values lie near an end of the range they are searched in; none without a best."""
        return () if self.best is None else near_ends(self.best.params, self.record.ranges)

    def published(self) -> list[TrialSummary]:
        """Return the trials that try published defaults, best first; of one that was run again only the last run."""
        tried = [trial for trial in self.trials if trial.published is not None]
        run_again = {trial.retry_of for trial in tried}
        last = [trial for trial in tried if trial.number not in run_again]
        return sorted(last, key=lambda trial: (trial.state != "COMPLETE", -(trial.quality or 0.0), trial.number))

    def published_as_dicts(self) -> list[dict[str, Any]]:
        """Return what published defaults came to as values that JSON can hold, an entry for each trainer."""
        return [entry for trial in self.published() for entry in _published_entries(trial)]

    def ranked(self) -> list[TrialSummary]:
        """Trials with a quality, best first: finalists, complete ones, then pruned ones, whose runs were shorter."""
        return self._finalists_first(rank(self.trials))

    def front(self) -> list[TrialSummary]:
        """Complete trials that no other one dominates in a study with several objectives, highest first value first."""
        return _front(self.trials) if len(self.objectives) > 1 else []

    def candidates(self) -> list[TrialSummary]:
        """Complete trials to choose the best from, best first: with several objectives, those on the front."""
        return self._finalists_first(_candidates(self.trials, self.objectives))

    def _finalists_first(self, trials: list[TrialSummary]) -> list[TrialSummary]:
        """Put those that a final places in its order before the others, who stay in theirs."""
        placed = self.record.final.placed if self.final is not None and self.record.final is not None else ()
        places = {number: place for place, number in enumerate(placed)}
        return sorted(trials, key=lambda trial: places.get(trial.number, len(places)))

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return {
            "name": self.name,
            "uuid": self.uuid,
            "created": _iso(self.created),
            "num_by_state": dict(self.num_by_state),
            "objectives": list(self.objectives),
            "best": self.best.as_dict() if self.best is not None else None,
            "tied_with_best": list(self.tied_with_best),
            "near_ends": [near.as_dict() for near in self.near_ends],
            "front": [trial.number for trial in self.front()],
            "trials": [trial.as_dict() for trial in self.trials],
            "final": None
            if self.record.final is None
            else {**self.record.final.as_dict(), "decides": self.final is not None},
            "published": self.published_as_dicts(),
            "untried_defaults": [asdict(one) for one in self.record.untried_defaults],
            "validation": None if self.record.validation is None else self.record.validation.as_dict(),
            "extensions": [found.as_dict() for found in self.record.extensions],
            "scout": None if self.scout is None else self.scout.as_dict(),
            "starter": None if self.record.starter is None else self.record.starter.to_attribute(),
            "attributes": dict(self.attributes),
        }


def list_studies(storage: StudyStorage) -> list[StudySummary]:
    """All studies by name.

    Raises:
        StorageError: If the database cannot be read.
    """
    return [summarise(storage, name) for name in storage.study_names()]


def summarise(storage: StudyStorage, name: str) -> StudySummary:
    """One study with its trials.

    Raises:
        StudyError: If there is none of that name; names the most similar one.
        StorageError: If the database cannot be read.
    """
    study = storage.read_study(name)
    with storage_errors(storage.url):
        user_attributes = study.user_attrs
        record = StudyRecord.parse(user_attributes)
        num_photos = len(record.photos.rung)
        frozen = study.get_trials(deepcopy=False)
        trials = tuple(_with_spread(summarise_trial(trial), num_photos) for trial in frozen)
        objectives = _objectives(study)
        candidates = _candidates(trials, objectives)
        final = _deciding(record.final, candidates)
        best = _best(candidates, final)
        tied = (
            _tied_with_best(storage, uuid_of(study), candidates, record) if final is None else tuple(sorted(final.tied))
        )
    return StudySummary(
        name=study.study_name,
        uuid=uuid_of(study),
        created=min((trial.started for trial in trials if trial.started is not None), default=None),
        num_by_state=dict(Counter(trial.state for trial in trials)),
        best=best,
        trials=trials,
        record=record,
        attributes=user_attributes,
        objectives=objectives,
        tied_with_best=tied,
        scout=None
        if record.scout is None
        else judge_scout(frozen, num_to_come=num_suggestions_to_come(record.scout, frozen)),
        final=final,
    )


def summarise_trial(trial: FrozenTrial) -> TrialSummary:
    """One trial."""
    record = TrialRecord.parse(trial.user_attrs)
    qualities = rung_qualities(trial)
    lasted = trial.duration.total_seconds() if trial.duration else None
    return TrialSummary(
        number=trial.number,
        state=trial.state.name,
        quality=quality_of(trial),
        weights=record.weights,
        params=dict(trial.params),
        parts=record.parts,
        reason=record.failure or record.reason or "",
        images_seen=max(qualities, default=None) if record.images_seen is None else record.images_seen,
        seconds=lasted if record.seconds is None else record.seconds,
        pictures=record.pictures,
        qualities=qualities,
        started=_utc(trial.datetime_start),
        finished=_utc(trial.datetime_complete),
        retry_of=record.retry_of,
        values=_finite_values(trial),
        lowered_by=record.lowered_by,
        copied_from=record.copied_from,
        foretold=record.foretold,
        is_baseline=record.is_baseline,
        taken_from=record.taken_from,
        published=record.published,
    )


def _published_entries(trial: TrialSummary) -> list[dict[str, Any]]:
    defaults = () if trial.published is None else trial.published.defaults
    return [
        {
            "trainer": one.trainer,
            "trial": trial.number,
            "state": trial.state,
            "quality": trial.quality,
            "cosine": one.cosine,
            "nearness": one.nearness.value,
            "reasons": list(one.reasons),
        }
        for one in defaults
    ]


def _with_spread(trial: TrialSummary, num_photos: int) -> TrialSummary:
    """Return a trial with the spread over its photos, which trials of before it was noted can still tell."""
    error = trial.parts.get("standard_error")
    if error is None or "spread" in trial.parts or not num_photos:
        return trial
    return replace(trial, parts={**trial.parts, "spread": spread_behind(error, num_photos)})


def rank(trials: tuple[TrialSummary, ...]) -> list[TrialSummary]:
    """Complete and pruned trials with a quality, best first; see `StudySummary.ranked`."""
    states = (TrialState.COMPLETE.name, TrialState.PRUNED.name)
    scored = [trial for trial in trials if trial.state in states and trial.quality is not None]
    return sorted(scored, key=lambda trial: (states.index(trial.state), -(trial.quality or 0.0), trial.number))


def _front(trials: tuple[TrialSummary, ...]) -> list[TrialSummary]:
    complete = [trial for trial in trials if trial.state == TrialState.COMPLETE.name and trial.values]
    kept = [complete[index] for index in non_dominated([trial.values for trial in complete])]
    return sorted(kept, key=lambda trial: (-trial.values[0], trial.number))


def _candidates(trials: tuple[TrialSummary, ...], objectives: tuple[str, ...]) -> list[TrialSummary]:
    ranked = [trial for trial in rank(trials) if trial.state == TrialState.COMPLETE.name]
    if len(objectives) == 1:
        return ranked
    on_front = {trial.number for trial in _front(trials)}
    return [trial for trial in ranked if trial.number in on_front]


def _deciding(final: StudyFinal | None, candidates: list[TrialSummary]) -> FinalOutcome | None:
    """Return what a final says, unless a trial that is not in it is better by its own run, or the winner is gone."""
    outcome = None if final is None else final.outcome()
    if outcome is None or not outcome.decides or not candidates:
        return None
    numbers = {trial.number for trial in candidates}
    knows_best = any(found.trial == candidates[0].number for found in outcome.finalists)
    return outcome if knows_best and outcome.winner.trial in numbers else None


def _best(candidates: list[TrialSummary], final: FinalOutcome | None) -> TrialSummary | None:
    if final is None:
        return candidates[0] if candidates else None
    return next(trial for trial in candidates if trial.number == final.winner.trial)


def _tied_with_best(
    storage: StudyStorage, study_uuid: str, candidates: list[TrialSummary], record: StudyRecord
) -> tuple[int, ...]:
    if not candidates:
        return ()
    return tied_with(
        storage.read_engine,
        study_uuid,
        candidates[0].number,
        others=[trial.number for trial in candidates[1:]],
        photos=record.photos.rung,
        judge_version=record.judge_version,
    )


def _objectives(study: optuna.Study) -> tuple[str, ...]:
    if len(study.directions) == 1:
        return (QUALITY,)
    return tuple(study.metric_names or (f"objective {index}" for index in range(len(study.directions))))


def _finite_values(trial: FrozenTrial) -> tuple[float, ...]:
    values = trial.values if trial.state is TrialState.COMPLETE else None
    return tuple(values) if values is not None and all(map(math.isfinite, values)) else ()


def _utc(moment: datetime | None) -> datetime | None:
    # Optuna keeps local time without saying so.
    return None if moment is None else moment.astimezone(UTC)


def _iso(moment: datetime | None) -> str | None:
    return None if moment is None else moment.isoformat(timespec="seconds")
