"""Trials in words, the same on every screen, sheet and page: their states, counts and numbers."""

import shlex
from collections.abc import Mapping, Sequence
from typing import Any, Final

from measures.search_ranges import NearEnd
from studies.records.attribute_values import number_of
from studies.records.published_defaults import PublishedSetting
from studies.records.taken_from import TakenFrom

STATE_WORDS: Final[Mapping[str, str]] = {
    "COMPLETE": "complete",
    "PRUNED": "pruned",
    "FAIL": "failed",
    "RUNNING": "running",
    "WAITING": "waiting",
}
"""By Optuna's name of the state."""

MAX_LISTED: Final = 12
"""Trials that a line names before it counts the rest: three digits each, they fit a line of 80 characters."""


def state_word(state: str) -> str:
    """Return the word for a state by Optuna's name of it."""
    return STATE_WORDS.get(state, state.lower())


def counted_states(num_by_state: Mapping[str, int]) -> str:
    """Return how many trials are in which state: "2 complete, 1 failed"; empty without trials."""
    return ", ".join(f"{count} {state_word(state)}" for state, count in num_by_state.items() if count)


def listed_numbers(numbers: Sequence[int]) -> str:
    """Return the first `MAX_LISTED` numbers and a count: "4, 0, 7 and 37 more"; empty without any."""
    more = len(numbers) - MAX_LISTED
    return ", ".join(map(str, numbers[:MAX_LISTED])) + (f" and {more} more" if more > 0 else "")


def listed_trials(numbers: Sequence[int]) -> str:
    """Return trials by number, as `listed_numbers` does: "trials 4, 0, 7 and 37 more"; empty without any."""
    return f"trial{'' if len(numbers) == 1 else 's'} {listed_numbers(numbers)}" if numbers else ""


def ties_in_words(tied_with_best: Sequence[int]) -> str:
    """Return which trials are as good as the best one, as a line; empty without any."""
    if not tied_with_best:
        return ""
    return f"As good within the standard error over the photos: {listed_trials(tied_with_best)}"


def origin_in_words(
    *,
    is_baseline: bool,
    foretold: float | None,
    published: PublishedSetting | None = None,
    taken_from: TakenFrom | None = None,
) -> str:
    """Return why a trial was run with its weights; empty where the sampler drew them or a person enqueued them."""
    if published is not None:
        return f"baseline: {published.in_words()}" if is_baseline else published.in_words()
    if foretold is not None:
        return f"suggested by the scout (foretold {foretold:.3f})"
    if is_baseline:
        return "baseline"
    return "" if taken_from is None else taken_from.in_words()


def further_by_name(parameters: Mapping[str, Any]) -> dict[str, str]:
    """Return what a trial has of its own besides its loss weights, by name: {"style size": "384 px"}."""
    size, tilt, rate = (number_of(parameters.get(name)) for name in ("style_size", "style_tilt", "learning_rate"))
    found = {} if size is None else {"style size": f"{size:.0f} px"}
    found |= {} if tilt is None else {"tilt": f"{tilt:+.2f}"}
    return found | ({} if rate is None else {"learning rate": f"{rate:.2g}"})


def further_in_words(parameters: Mapping[str, Any]) -> str:
    """Return the same as a phrase: "style size 384 px"; empty where only the loss weights are searched."""
    return ", ".join(f"{name} {value}" for name, value in further_by_name(parameters).items())


def near_ends_in_words(near_ends: Sequence[NearEnd], *, study: str, has_scout: bool = False) -> str:
    """Return which ends of the searched ranges the best trial lies near, and how to go on, as a line; empty if none.

    Args:
        near_ends: Of the best trial.
        study: Its name.
        has_scout: Whether its trials start from a scout, which knows nothing beyond.
    """
    if not near_ends:
        return ""
    beyond = (
        f"start a study with a wider `search.{near_ends[0].name}`"
        if has_scout
        else f"styletuner study run ... --name {shlex.quote(study)} --widen"
    )
    return (
        f"The best lies near an end of what was searched: {listed_ends(near_ends)}. A better one may lie beyond: "
        f"{beyond}"
    )


def listed_ends(near_ends: Sequence[NearEnd]) -> str:
    """Return values near an end with their ranges: "style_to_content 9.5 of 0.05 to 10"."""
    return ", ".join(f"{near.name} {near.value:.3g} of {near.limits[0]:g} to {near.limits[1]:g}" for near in near_ends)
