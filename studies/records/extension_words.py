"""What trials came to that were trained on, in words."""

import shlex
from typing import Final

from studies.records.summaries import StudySummary, TrialSummary
from studies.records.validation import Validation, ValidationRun

ROUNDING: Final = 0.005
"""Quality by which a run and its repetition may differ: half of the last digit that people compare."""


def extension_in_words(extension: Validation, summary: StudySummary) -> list[str]:
    """Return a line for each trial that was trained on, the best at its end first.

    Args:
        extension: The longer runs.
        summary: Of the study.
    """
    trials = {trial.number: trial for trial in summary.trials}
    known = [run for run in extension.ranked() if run.trial in trials]
    return [_run_in_words(run, extension, trials[run.trial], summary) for run in known]


def _run_in_words(run: ValidationRun, extension: Validation, trial: TrialSummary, summary: StudySummary) -> str:
    begun = f"Trial {run.trial}, trained on to {extension.images:,} images,"
    ended = run.diverged if run.diverged else f"has {extension.quality_of(run):.3f}"
    return "; ".join([f"{begun} {ended}", *_own_length(run, extension, trial, summary), *_differs(run, trial)])


def _own_length(run: ValidationRun, extension: Validation, trial: TrialSummary, summary: StudySummary) -> list[str]:
    """Return where it stands after as many images as a complete trial has, if its own run ended before."""
    quality = run.qualities.get(extension.short_run)
    if trial.state != "PRUNED" or quality is None:
        return []
    others = [other.quality or 0.0 for other in summary.trials if other.state == "COMPLETE"]
    place = 1 + sum(other > quality for other in others)
    told = [
        f"pruned at {trial.images_seen or 0:,} with {trial.quality:.3f}, it has {quality:.3f} after a whole trial's "
        f"{extension.short_run:,}, place {place} beside the {len(others)} complete ones"
    ]
    export = f"for its weights: styletuner study export {shlex.quote(summary.name)} --trial {run.trial}"
    return [*told, export] if place == 1 and others else told


def _differs(run: ValidationRun, trial: TrialSummary) -> list[str]:
    """Return that its scores are not those of the trial's own run, if they are not."""
    again = run.qualities.get(trial.images_seen or 0)
    if again is None or trial.quality is None or abs(again - trial.quality) <= ROUNDING:
        return []
    return [
        f"after {trial.images_seen:,} images it had {trial.quality:.3f} in the study and {again:.3f} now: another "
        "machine, other versions of the libraries, or a GPU, whose sums vary"
    ]
