"""A study's trials as a table: one flat row each, with the same columns, for whoever computes with them."""

from typing import Any

from measures.loss_weights import TERMS
from measures.quality import PART_NAMES
from studies.records.summaries import StudySummary, TrialSummary
from studies.records.trial_words import state_word


def trial_table(summary: StudySummary) -> list[dict[str, Any]]:
    """Return a row a trial, by number; None where a trial has nothing in a column.

    Columns: number, state in a word, quality, its standard error and parts, the value of each objective where there are
    several, `weight_` and a loss term, the parameters by name, `quality_at_` and the images seen at each rung, images
    seen, seconds, when it started and finished (UTC), why it ended, what lowered its quality in words, whether it is
    the baseline, which trial it runs again, the quality that a scout foretold, from which trial of another style's
    study its setting comes, and whose published defaults it tries, in words.
    """
    parameters = sorted({name for trial in summary.trials for name in trial.params})
    rungs = sorted({images for trial in summary.trials for images in trial.qualities})
    return [_row(summary, trial, parameters, rungs) for trial in summary.trials]


def _row(summary: StudySummary, trial: TrialSummary, parameters: list[str], rungs: list[int]) -> dict[str, Any]:
    several = summary.objectives if len(summary.objectives) > 1 else ()
    values = dict(zip(several, trial.values, strict=False))
    return {
        "number": trial.number,
        "state": state_word(trial.state),
        "quality": trial.quality,
        "standard_error": trial.parts.get("standard_error"),
        **{part: trial.parts.get(part) for part in PART_NAMES},
        **{f"objective_{name}": values.get(name) for name in several},
        **{f"weight_{term}": trial.weights.get(term) for term in TERMS},
        **{name: trial.params.get(name) for name in parameters},
        **{f"quality_at_{images}": trial.qualities.get(images) for images in rungs},
        "images_seen": trial.images_seen,
        "seconds": trial.seconds,
        "started": trial.started,
        "finished": trial.finished,
        "reason": trial.reason,
        "lowered_by": trial.reasons() or None,
        "is_baseline": trial.is_baseline,
        "retry_of": trial.retry_of,
        "foretold": trial.foretold,
        "taken_from": None if trial.taken_from is None else trial.taken_from.in_words(),
        "published": None if trial.published is None else trial.published.in_words(),
    }
