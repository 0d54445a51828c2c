"""Running an abandoned trial again: once with the same parameters, from scratch."""

from typing import Any

import optuna
from optuna.trial import FrozenTrial, TrialState

from studies.records.attributes import ABANDONED, FAILURE, INTERRUPTED, NUM_RETRIES, RETRY_OF

MAX_RETRIES = 1
"""A trial killed twice may be what kills its worker (memory); an interrupt is the user's doing and costs nothing."""


def mark_interrupted(trial: optuna.Trial, reason: str) -> None:
    """Note on a running trial that the user stopped it, so that a later resume runs it again whatever happens next.

    Call it where the objective catches KeyboardInterrupt, before raising it again: afterwards Optuna has failed the
    trial, and a finished trial takes no more attributes.
    """
    trial.set_user_attr(FAILURE, reason)
    trial.set_user_attr(ABANDONED, INTERRUPTED)


def enqueue_retry(study: optuna.Study, trial: FrozenTrial, *, cause: str) -> bool:
    """Enqueue a trial's parameters once more, unless that was done or its retries are spent.

    Not safe when two processes do it at once: hold the storage's exclusive lock.

    Args:
        study: The study the trial is in.
        trial: A trial that nobody runs any more.
        cause: `KILLED` or `INTERRUPTED`.

    Returns:
        Whether a trial was enqueued. A trial that was stopped before it had parameters has nothing to run again.
    """
    parameters = _parameters(trial)
    num_retries = trial.user_attrs.get(NUM_RETRIES, 0) + (cause != INTERRUPTED)
    if not parameters or num_retries > MAX_RETRIES or _has_retry(study, trial.number):
        return False
    study.enqueue_trial(parameters, user_attrs={RETRY_OF: trial.number, NUM_RETRIES: num_retries})
    return True


def enqueue_missing_retries(study: optuna.Study) -> list[int]:
    """Enqueue retries of failed trials that were marked as abandoned but whose process ended before it could do so.

    Returns:
        The numbers of the failed trials.
    """
    failed = study.get_trials(deepcopy=False, states=(TrialState.FAIL,))
    marked = [trial for trial in failed if ABANDONED in trial.user_attrs]
    return [trial.number for trial in marked if enqueue_retry(study, trial, cause=trial.user_attrs[ABANDONED])]


def _has_retry(study: optuna.Study, number: int) -> bool:
    return any(trial.user_attrs.get(RETRY_OF) == number for trial in study.get_trials(deepcopy=False))


def _parameters(trial: FrozenTrial) -> dict[str, Any]:
    # An enqueued trial carries its parameters here until it has suggested them.
    return {**trial.system_attrs.get("fixed_params", {}), **trial.params}
