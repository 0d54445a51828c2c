"""What long runs say of a study, in words."""

from collections.abc import Iterator, Mapping

from measures.long_runs import Verdict
from measures.rank_agreement import FEW, INTERVAL
from studies.records.validation import LongOutcome, Validation


def validation_in_words(validation: Validation, *, best: int | None) -> list[str]:
    """Return what long runs say, in one to three lines.

    Args:
        validation: The runs.
        best: The study's best trial by now; None without any.
    """
    outcome = validation.outcome()
    conditions = f"{validation.images:,} images, crops of {validation.crop_size} px"
    if outcome is None:
        num_done, total = len(validation.wanted) - len(validation.missing), len(validation.wanted)
        return [f"Validation over {conditions}: {num_done} of {total} settings done. Validate again to go on."]
    lines = [f"Validated over {conditions}: {_winner_in_words(validation, outcome)}{_outdated(validation, best)}"]
    lines.append(_order_in_words(outcome, num_settings=len(validation.runs)))
    return [*lines, *filter(None, [validated_drift_in_words(validation)])]


def validated_drift_in_words(validation: Validation) -> str:
    """Return how the best ratio of the runs moved as they got longer, as a line; empty while they are not done."""
    outcome = validation.outcome()
    if outcome is None or not outcome.best_style_to_content:
        return ""
    return "Best style : content by length: " + ", ".join(_drift(outcome.best_style_to_content))


def loss_in_words(validation: Validation) -> str:
    """Return that the study's winner lost, and how to export who won; empty if it did not."""
    outcome = validation.outcome()
    if outcome is None or outcome.verdict is not Verdict.LOST:
        return ""
    conditions = f"{validation.images:,} images at {validation.crop_size} px"
    told = f"Warning: over {conditions} {_winner_in_words(validation, outcome)}."
    return f"{told} For that one: --trial {outcome.challenger}"


def _winner_in_words(validation: Validation, outcome: LongOutcome) -> str:
    runs = {run.trial: run for run in validation.runs}
    winner = next(run for run in validation.runs if run.trial == validation.winner)
    challenger = runs[outcome.challenger]
    named = f"trial {winner.trial}, the study's best,"
    if all(run.diverged for run in validation.runs):
        return f"{named} diverged, and so did all others"
    if winner.diverged:
        return f"{named} diverged; trial {challenger.trial} has {validation.quality_of(challenger):.3f}"
    if challenger.diverged:
        return f"{named} has {validation.quality_of(winner):.3f}; all others diverged"
    error = "" if outcome.lead_error is None else f" ± {outcome.lead_error:.3f}"
    quality, by = f"{validation.quality_of(winner):.3f}", f"{abs(outcome.lead):.3f}{error}"
    if outcome.verdict is Verdict.WON:
        return f"{named} still wins with {quality}, {by} ahead of trial {challenger.trial}"
    if outcome.verdict is Verdict.LOST:
        return f"{named} loses with {quality}, {by} behind trial {challenger.trial}"
    other = f"trial {challenger.trial} with {validation.quality_of(challenger):.3f}"
    return f"{named} has {quality} and cannot be told from {other}"


def _outdated(validation: Validation, best: int | None) -> str:
    if best is None or best == validation.winner:
        return ""
    return f"; trial {best} is the best by now, validate again"


def _order_in_words(outcome: LongOutcome, *, num_settings: int) -> str:
    begun = f"Order of {num_settings} settings against that of their trials: Kendall's tau-b"
    if outcome.kendall_tau is None or outcome.tau_interval is None:
        return f"{begun} has no value, one side finds all alike"
    low, high = outcome.tau_interval
    few = f"; {num_settings} settings tell little" if num_settings < FEW else ""
    return f"{begun} {outcome.kendall_tau:.2f} ({100 * INTERVAL:.0f} %: {low:.2f} to {high:.2f}{few})"


def _drift(best: Mapping[int, float]) -> Iterator[str]:
    """Each ratio once, with the lengths at which it is the best one after another."""
    told: list[tuple[str, list[int]]] = []
    for images, ratio in best.items():
        shown = f"{ratio:.2g}"
        if told and told[-1][0] == shown:
            told[-1][1].append(images)
        else:
            told.append((shown, [images]))
    for shown, lengths in told:
        upto = f" to {lengths[-1]:,}" if len(lengths) > 1 else ""
        yield f"{shown} at {lengths[0]:,}{upto} images"
