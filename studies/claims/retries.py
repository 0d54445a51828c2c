"""Running an abandoned trial again, from scratch with the same parameters: how often, and when."""

import enum
from typing import Any, Final, final

import optuna
from optuna.trial import FrozenTrial

from studies.records.attributes import (
    ABANDONED,
    BASELINE,
    FAILURE,
    FORETOLD,
    INTERRUPTED,
    KILLED,
    NUM_RETRIES,
    PUBLISHED,
    RETRY_OF,
    TAKEN_FROM,
)
from studies.records.trial_parameters import parameters_of

KILLS_BEFORE_LAST: Final = 2
"""Kills after which a trial has one more try, when the rest of its study is done; killed in that it is dropped.

It may be what kills its worker (memory), and would keep a study from its end for ever. An interrupt is the user's doing
and costs nothing.
"""


@final
class RetryTime(enum.Enum):
    """When an abandoned trial is run again."""

    AT_ONCE = "at once"
    LAST = "last"
    """When only such trials are missing."""
    NEVER = "never"


def retry_time(num_kills: int) -> RetryTime:
    """Return when a trial is run again whose parameters were killed so often."""
    if num_kills == KILLS_BEFORE_LAST:
        return RetryTime.LAST
    return RetryTime.AT_ONCE if num_kills < KILLS_BEFORE_LAST else RetryTime.NEVER


def mark_interrupted(trial: optuna.Trial, reason: str) -> None:
    """Note on a running trial that the user stopped it, so that a later resume runs it again whatever happens next.

    Call it where the objective catches KeyboardInterrupt, before raising it again: afterwards Optuna has failed the
    trial, and a finished trial takes no more attributes.
    """
    trial.set_user_attr(FAILURE, reason)
    trial.set_user_attr(ABANDONED, INTERRUPTED)


def mark_killed(trial: optuna.Trial, reason: str) -> None:
    """Note on a running trial that fails now that it may not be to blame (memory ran out): it counts as killed."""
    trial.set_user_attr(FAILURE, reason)
    trial.set_user_attr(ABANDONED, KILLED)


def enqueue_retry(study: optuna.Study, trial: FrozenTrial, *, num_kills: int) -> None:
    """Enqueue a trial's parameters once more.

    Not safe when two processes do it at once: hold the storage's exclusive lock.

    Args:
        study: The study the trial is in.
        trial: A trial with parameters that nobody runs any more, and that was not enqueued before.
        num_kills: How often its parameters were killed.
    """
    kept = (BASELINE, FORETOLD, PUBLISHED, TAKEN_FROM)
    marks: dict[str, Any] = {name: trial.user_attrs[name] for name in kept if name in trial.user_attrs}
    study.enqueue_trial(parameters_of(trial), user_attrs={RETRY_OF: trial.number, NUM_RETRIES: num_kills, **marks})
