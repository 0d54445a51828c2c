"""How many trials a time holds, from the speed that was measured."""

import math
import time
from dataclasses import dataclass
from typing import final

from tuner.configuration.setting_bounds import FEWEST_STARTED, MAX_TRIALS
from tuner.configuration.settings import StudyConfig
from tuner.errors import ShortTimeError
from tuner.running.estimation import Estimate
from tuner.running.stopping import SECONDS_PER_MINUTE, TimeLimit
from tuner.running.workers.worker_places import ONE_WORKER, WorkerPlaces


@final
@dataclass(frozen=True, kw_only=True)
class Plan:
    """What fits into the time of one run, with one worker or with several.

    Attributes:
        num_trials: Whole trials; pruning leaves room for more. None where they are trained on other machines.
        began: When the run began, in seconds since 1970.
        minutes: What it has in all.
        trial_seconds: Of a whole trial that has the machine, or its GPU, for itself; 0 where nobody knows.
        shared_seconds: Of one as it is run, beside those that it shares these with.
        start_seconds: Of what the trials start from, still to be trained.
        final_seconds: Of the final after them, which is held back.
    """

    num_trials: int | None
    began: float
    minutes: float
    trial_seconds: float
    shared_seconds: float
    start_seconds: float
    final_seconds: float = 0.0

    def in_words(self) -> str:
        """Return a line for people."""
        before = f", after {_minutes(self.start_seconds)} for what they start from" if self.start_seconds else ""
        after = f", before {_minutes(self.final_seconds)} for their final" if self.final_seconds else ""
        if self.num_trials is None:
            return (
                f"{self.minutes:g} minutes of trials, of which the cluster finds out how many they hold{before}{after}"
            )
        return (
            f"{self.minutes:g} minutes hold about {self.num_trials} trial{'' if self.num_trials == 1 else 's'} of "
            f"{_minutes(self.trial_seconds)}{before}{after}; more where some are pruned"
        )

    def limit(self) -> TimeLimit:
        """Return until when the run lasts."""
        return TimeLimit(
            began=self.began,
            until=self.began + self.minutes * SECONDS_PER_MINUTE,
            trial_seconds=self.shared_seconds,
            held_back=self.final_seconds,
        )


def plan_time(
    config: StudyConfig, cost: Estimate, *, began: float, is_begun: bool, places: WorkerPlaces = ONE_WORKER
) -> Plan:
    """Return what fits into the time that a run has left, now that its speed is known.

    Args:
        config: The study's, with `search.stop.minutes`.
        cost: As measured on this machine.
        began: When the run began, in seconds since 1970.
        is_begun: Whether the study has finished trials.
        places: Of the workers: those that share a GPU, or the cores, each take as many times longer.

    Raises:
        ShortTimeError: It is too short for a single trial, or in a study that begins for the baseline and one to be
            held against it, or for the first trials of the workers; says how long it must be.
    """
    minutes = config.search.stop.minutes or 0.0
    spent = time.time() - began
    beside = cost.start_seconds + cost.final_seconds
    left = minutes * SECONDS_PER_MINUTE - spent - beside
    num_trials = places.num_at_once * int(max(0.0, left) // cost.trial_seconds)
    fewest = max(1 if is_begun else FEWEST_STARTED, places.num_workers)
    shared_seconds = cost.trial_seconds * math.ceil(places.num_workers / places.num_at_once)
    if num_trials < fewest:
        rounds = math.ceil(fewest / places.num_at_once)
        needed = (spent + beside + rounds * cost.trial_seconds) / SECONDS_PER_MINUTE
        what = "GPUs" if places.gpus else "cores"
        shares = shared_seconds > cost.trial_seconds
        together = f" where {places.num_workers} workers share the {what}" if shares else ""
        start = f"what trials start from {_minutes(cost.start_seconds)} and " if cost.start_seconds else ""
        final = f", the final {_minutes(cost.final_seconds)}" if cost.final_seconds else ""
        advice = " or leave the final out (--finalists 1)" if cost.final_seconds else ""
        raise ShortTimeError(
            f"{minutes:g} minutes are too short: on this machine setting up takes {_minutes(spent)}, {start}a trial of "
            f"{config.rungs[-1]} images {_minutes(shared_seconds)}{together}{final}.\n"
            f"Give at least {int(needed) + 1} minutes (--time {int(needed) + 1}m), or take fewer `training.images`"
            f"{advice}."
        )
    return Plan(
        num_trials=min(num_trials, MAX_TRIALS // 2),
        began=began,
        minutes=minutes,
        trial_seconds=cost.trial_seconds,
        shared_seconds=shared_seconds,
        start_seconds=cost.start_seconds,
        final_seconds=cost.final_seconds,
    )


def plan_time_apart(config: StudyConfig, cost: Estimate, *, began: float) -> Plan:
    """Return what is known of a run whose trials are trained on other machines: not how fast they are.

    Args:
        config: The study's, with `search.stop.minutes`.
        cost: As measured on this machine, which trains what trials start from and the final.
        began: When the run began, in seconds since 1970.

    Raises:
        ShortTimeError: These leave no time for trials; says how long it must be.
    """
    minutes = config.search.stop.minutes or 0.0
    needed = (time.time() - began + cost.start_seconds + cost.final_seconds) / SECONDS_PER_MINUTE
    if needed >= minutes:
        fewest = int(needed) + 1
        raise ShortTimeError(
            f"{minutes:g} minutes are too short: setting up here, what trials start from and the final take "
            f"{needed:.1f} min.\nGive more than {fewest} minutes (--time {fewest + 1}m), or start from noise and leave "
            "the final out (--start noise --finalists 1)."
        )
    return Plan(
        num_trials=None,
        began=began,
        minutes=minutes,
        trial_seconds=0.0,
        shared_seconds=0.0,
        start_seconds=cost.start_seconds,
        final_seconds=cost.final_seconds,
    )


def _minutes(seconds: float) -> str:
    return f"{seconds / SECONDS_PER_MINUTE:.1f} min"
