"""Which of a study's trials are trained longer: the best, the baseline, and between them some by rank."""

from collections.abc import Sequence
from typing import Final

from studies.records.summaries import StudySummary, TrialSummary
from studies.records.trial_record import TrialRecord
from studies.records.trial_words import state_word
from studies.storage.study_storage import StudyStorage
from tuner.errors import ValidatingError
from tuner.validating.run_lengths import FEWEST_SETTINGS

_KEPT: Final = ("COMPLETE", "PRUNED")


def choose_trials(
    summary: StudySummary, *, baselines: Sequence[int], num_settings: int
) -> tuple[tuple[TrialSummary, ...], int | None]:
    """Choose complete trials, fewer where there are no more.

    Args:
        summary: The study.
        baselines: Numbers of the trials that ran the weights which the study began with.
        num_settings: How many to choose.

    Returns:
        The trials, best first, and the number of the baseline if it is among them.

    Raises:
        ValidatingError: There are fewer than two complete trials.
    """
    complete = [trial for trial in summary.ranked() if trial.state == "COMPLETE" and trial.weights]
    if summary.best is None or len(complete) < FEWEST_SETTINGS:
        raise ValidatingError(
            f"Study {summary.name!r} must have {FEWEST_SETTINGS} complete trials to compare. Received {len(complete)}. "
            "Run more of them with `styletuner study run`."
        )
    ranked = [trial.number for trial in complete]
    baseline = next((number for number in ranked if number in baselines), None)
    # With several objectives the best is on the front, where the highest quality need not be.
    chosen = set(choose_ranks(ranked, fixed=(summary.best.number, baseline), num_chosen=num_settings))
    return tuple(trial for trial in complete if trial.number in chosen), baseline if baseline in chosen else None


def named_trials(summary: StudySummary, numbers: Sequence[int]) -> tuple[TrialSummary, ...]:
    """Return the trials of some numbers, each once, if they can be trained on.

    Raises:
        ValidatingError: There is no such trial, or it has no quality: it waits, runs, or failed.
    """
    known = {trial.number: trial for trial in summary.trials}
    for number in numbers:
        trial = known.get(number)
        if trial is None:
            raise ValidatingError(
                f"Study {summary.name!r} has no trial {number}; its {len(known)} trials are counted from 0. See "
                f"`styletuner study show {summary.name}`."
            )
        if trial.state not in _KEPT or trial.quality is None:
            raise ValidatingError(
                f"Trial {number} of study {summary.name!r} must be complete or pruned to be trained on. It is "
                f"{state_word(trial.state)}: see `styletuner study show {summary.name}`."
            )
    return tuple(known[number] for number in dict.fromkeys(numbers))


def choose_ranks(ranked: Sequence[int], *, fixed: Sequence[int | None], num_chosen: int) -> tuple[int, ...]:
    """Choose some of a ranking: those fixed, the first ones first, and others evenly over the ranks that are left.

    Args:
        ranked: Numbers, best first.
        fixed: Numbers to choose before others; what is None or not in the ranking is left out.
        num_chosen: How many to choose.
    """
    chosen = [number for number in dict.fromkeys(fixed) if number in ranked][:num_chosen]
    left = [number for number in ranked if number not in chosen]
    num_more = min(num_chosen - len(chosen), len(left))
    # The middle of each of so many equal shares of the ranks, of two middles the better: of one share the median.
    middles = [left[((2 * share + 1) * len(left) - 1) // (2 * num_more)] for share in range(num_more)]
    return tuple(number for number in ranked if number in {*chosen, *middles})


def baseline_trials(storage: StudyStorage, name: str) -> list[int]:
    """Return the numbers of the trials that ran the weights which a study began with."""
    trials = storage.read_study(name).get_trials(deepcopy=False)
    return [trial.number for trial in trials if TrialRecord.parse(trial.user_attrs).is_baseline]
