"""Settings that were trained longer than a study's trials, as a table."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from studies.records.validation import Validation, ValidationRun


def long_run_table(found: "Validation") -> list[str]:
    """Return a line with heads, then one for each setting, best first."""
    lengths = sorted({images for run in found.runs for images in run.qualities})
    columns = "  ".join(f"{images:>7,}" for images in lengths)
    heads = f"trial  style : content  tv : content  own quality{'  at ' if lengths else ''}{columns}"
    return [heads, *(_row(run, found, lengths) for run in found.ranked())]


def _row(run: "ValidationRun", found: "Validation", lengths: list[int]) -> str:
    from studies.records.trial_words import further_in_words

    qualities = run.qualities
    cells = "  ".join(f"{qualities[images]:>7.3f}" if images in qualities else f"{'-':>7}" for images in lengths)
    remarks = [words] if (words := further_in_words(run.further)) else []
    remarks += [run.diverged] if run.diverged else []
    remarks += ["the study's best"] if run.trial == found.winner else []
    remarks += ["baseline"] if run.trial == found.baseline else []
    start = f"{run.trial:>5}  {run.style_to_content:>15.3g}  {run.tv_to_content:>12.3g}  {run.trial_quality:>11.3f}"
    return "  ".join([f"{start}     {cells}", *remarks])
