"""How a study would go on beyond the ends of its ranges: looked up in the storage, which stays as it is."""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, final

import optuna

from measures.search_ranges import Limits, beyond, middle_of_new_part
from studies.claims.trial_states import FINISHED_STATES
from studies.records.study_record import StudyRecord, ranges_of
from studies.records.summaries import StudySummary, TrialSummary, summarise
from studies.records.trial_words import listed_ends
from studies.records.widened_studies import find_widened
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tuner.configuration.field_types import LARGEST_RATIO
from tuner.configuration.settings import StudyConfig
from tuner.errors import WideningError
from tuner.running.setup import num_finished
from tuner.search.study_pictures import StudyPictures
from tuner.starting.starter_copies import kept_starter

FEWEST_NEW: Final = 4
"""New trials of a widened study at least: as many as the shortest study draws before it models any."""

BOUNDS: Final = (1 / LARGEST_RATIO, LARGEST_RATIO)
"""Beyond which no range may go."""

_SUFFIX: Final = "-wide"
_SUFFIXED: Final = re.compile(rf"{_SUFFIX}(-\d+)?$")


@final
@dataclass(frozen=True, kw_only=True)
class Widening:
    """A study that goes on beyond the ends of another one's ranges.

    Attributes:
        source_uuid: What the other one is.
        source_name: What it is called.
        name: What the study is called, or will be unless that is taken.
        is_begun: Whether there is such a study already.
        config: Its configuration; its trials are those of both.
        original_ranges: Ranges of the study that was widened first, by name.
        first: Parameters of the first trial beyond, by name.
        num_finished: Finished trials that it has or takes over.
    """

    source_uuid: str
    source_name: str
    name: str
    is_begun: bool
    config: StudyConfig
    original_ranges: Mapping[str, Limits]
    first: Mapping[str, float]
    num_finished: int

    def config_of_rest(self) -> StudyConfig:
        """Return the configuration with only those trials that are still to be run: what the study costs from now."""
        rest = self.config.num_trials - self.num_finished
        return with_ranges(self.config, ranges_of_config(self.config), num_trials=rest)

    def in_words(self) -> str:
        """Return a line: from where to where, and how many trials come."""
        ranges = ", ".join(f"{name} {low:g} to {high:g}" for name, (low, high) in ranges_of_config(self.config).items())
        first = ", ".join(f"{name} {ratio:.3g}" for name, ratio in self.first.items())
        begins = "" if self.is_begun else f", the first beyond at {first}"
        what = f"{self.name} goes on beyond" if self.is_begun else f"{self.name} begins beyond"
        return (
            f"{what} {self.source_name}: {ranges}; {self.num_finished} finished "
            f"trial{'' if self.num_finished == 1 else 's'}, "
            f"{self.config.num_trials - self.num_finished} more to come{begins}"
        )


def plan_widening(
    storage: StudyStorage,
    name: str,
    *,
    config: StudyConfig,
    pictures: StudyPictures,
    total: int | None,
    judge_version: str,
) -> Widening:
    """Find the study that goes on beyond the ranges of the one of this name, or say what it would be.

    A widened study that has not got its trials yet goes on; one that has is widened once more.

    Args:
        storage: Where the study lives.
        name: The study, or one that was widened from it.
        config: Its configuration; that of a widened one with its own ranges or those that the first one had.
        pictures: Its pictures.
        total: Finished trials that the wider study shall have; by default half as many new ones as the first has.
        judge_version: Of the installed judge.

    Raises:
        WideningError: There is no such study, it starts from a scout, its best trial is at no end that could be moved,
            or the total leaves no trial to be run.
        StudyError: The study has another configuration or other pictures, waits for another one's trials, or its
            starter's file is gone or damaged.
    """
    if name not in storage.study_names():
        raise WideningError(f"There is no study {name!r} to widen. Run it first, with the same command less --widen.")
    named = storage.read_study(name)
    own = _with_own_ranges(config, StudyRecord.parse(named.user_attrs))
    num_finished(storage, name, config=own, pictures=pictures, judge_version=judge_version)
    _refuse_scout(summarise(storage, name), config=own)
    last = _last_widened(storage, named)
    record, summary = StudyRecord.parse(last.user_attrs), summarise(storage, last.study_name)
    kept_starter(storage, last.study_name, record)  # a copy of what is gone could not be mended
    begun = _begun(storage, summary, config=own, total=total)
    if begun is not None:
        return begun
    first_ranges = ranges_of_config(own) if record.widened_from is None else record.widened_from.original_ranges
    return _next(summary, config=own, original_ranges=first_ranges, total=total)


def _refuse_scout(summary: StudySummary, *, config: StudyConfig) -> None:
    if config.search.start == "scout":
        named = next((end.name for end in summary.near_ends), "style_to_content")
        raise WideningError(
            f"Study {summary.name!r} starts its trials from a scout, which knows nothing beyond its ranges. Start one "
            f"beside it with a wider range (--set search.{named}=[LOW,HIGH]), or from noise or a starter (--start)."
        )


def ranges_of_config(config: StudyConfig) -> dict[str, Limits]:
    """Return the ranges in which a configuration has values sampled, by name."""
    return ranges_of(config.model_dump(mode="json", include={"search"}))


def with_ranges(config: StudyConfig, ranges: Mapping[str, Limits], *, num_trials: int) -> StudyConfig:
    """Return a configuration with other ranges and another number of finished trials."""
    search = config.search.model_copy(update={**ranges, "trials": num_trials + config.start_price})
    return config.model_copy(update={"search": search})


def _with_own_ranges(config: StudyConfig, record: StudyRecord) -> StudyConfig:
    """A widened study is asked for by the configuration of the one that was widened first, too."""
    came_from = record.widened_from
    if came_from is None or ranges_of_config(config) != came_from.original_ranges:
        return config
    return with_ranges(config, came_from.ranges, num_trials=config.num_trials)


def _last_widened(storage: StudyStorage, study: optuna.Study) -> optuna.Study:
    """Return the study at the end of the chain of those that were widened from a study; without any, that one."""
    wider = find_widened(storage, uuid_of(study))
    return study if wider is None else _last_widened(storage, storage.read_study(wider))


def _begun(storage: StudyStorage, summary: StudySummary, *, config: StudyConfig, total: int | None) -> Widening | None:
    """Return a widened study that has not got its trials yet; None where there is none."""
    came_from = summary.record.widened_from
    if came_from is None:
        return None
    wanted, num_known = came_from.total if total is None else total, summary.num_finished
    if came_from.num_missing(len(summary.trials)):
        trials = storage.read_by_uuid(came_from.uuid).get_trials(deepcopy=False)[: came_from.num_trials]
        num_known = sum(trial.state in FINISHED_STATES for trial in trials)
    elif num_known >= wanted:
        return None
    _require_more(wanted, num_known, came_from.name)
    return Widening(
        source_uuid=came_from.uuid,
        source_name=came_from.name,
        name=summary.name,
        is_begun=True,
        config=with_ranges(config, came_from.ranges, num_trials=wanted),
        original_ranges=came_from.original_ranges,
        first=came_from.first,
        num_finished=num_known,
    )


def _next(
    summary: StudySummary, *, config: StudyConfig, original_ranges: Mapping[str, Limits], total: int | None
) -> Widening:
    best = _best(summary)
    ranges = {**ranges_of_config(config), **summary.record.ranges}
    wider = _wider(summary, best, ranges)
    wanted = summary.num_finished + max(FEWEST_NEW, config.num_trials // 2) if total is None else total
    _require_more(wanted, summary.num_finished, summary.name)
    moved = {name: middle_of_new_part(ranges[name], wider[name]) for name in ranges if wider[name] != ranges[name]}
    known = {**best.params, **moved}
    base = summary.name if summary.record.widened_from is None else _SUFFIXED.sub("", summary.name)
    return Widening(
        source_uuid=summary.uuid,
        source_name=summary.name,
        name=base + _SUFFIX,
        is_begun=False,
        config=with_ranges(config, wider, num_trials=wanted),
        original_ranges=original_ranges,
        first={name: float(known[name]) for name in (*ranges, *config.search.further) if name in known},
        num_finished=summary.num_finished,
    )


def _require_more(total: int, num_finished: int, name: str) -> None:
    if total <= num_finished:
        raise WideningError(
            f"`--trials` leaves nothing to run beyond: the wider study begins with the {num_finished} finished "
            f"trials of {name!r}. Name more, or leave it out."
        )


def _best(summary: StudySummary) -> TrialSummary:
    if summary.best is None:
        raise WideningError(
            f"Study {summary.name!r} has no complete trial, so that nothing says which end to move. Run it first "
            "without --widen."
        )
    return summary.best


def _wider(summary: StudySummary, best: TrialSummary, ranges: Mapping[str, Limits]) -> dict[str, Limits]:
    """Return a study's ranges with those ends moved that its best trial lies near.

    Raises:
        WideningError: It lies near none, or none of them can be moved.
    """
    near = summary.near_ends
    if not near:
        searched = ", ".join(
            f"{name} {best.params[name]:.3g} of {low:g} to {high:g}"
            for name, (low, high) in ranges.items()
            if name in best.params
        )
        raise WideningError(
            f"The best trial of study {summary.name!r}, {best.number}, lies near no end of what was searched "
            f"({searched}). To run more trials: --name {shlex.quote(summary.name)} --trials N, without --widen."
        )
    moved = {end.name: beyond(end.limits, end.end, bounds=BOUNDS) for end in near}
    if all(moved[end.name] == end.limits for end in near):
        raise WideningError(
            f"Study {summary.name!r} cannot go on beyond {listed_ends(near)}: ranges end at {BOUNDS[0]:g} and "
            f"{BOUNDS[1]:g}."
        )
    return {**ranges, **moved}
