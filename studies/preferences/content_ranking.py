"""A study's trials ranked with another weight of content against style, without any network."""

from measures.quality import Exponents
from studies.errors import ExportError
from studies.preferences.calibrated_ranking import calibrated_qualities, load_parts
from studies.records.summaries import StudySummary
from studies.storage.study_storage import StudyStorage


def rank_by_content(storage: StudyStorage, summary: StudySummary, *, content_exponent: float) -> dict[int, float]:
    """Return C^w S^(1-w) A, the mean over the rung photos, of the trials that may be chosen, best first.

    These are the trials on the front of a study with two objectives, and all complete ones of a study with one. At the
    study's own exponent it is the quality that the judge gave.

    Args:
        storage: Where the study lives.
        summary: The study.
        content_exponent: w, in [0, 1]: 1 for content preservation alone, 0 for style match alone.

    Raises:
        ExportError: The exponent is outside its range, or no such trial has the scores of its photos.
        StorageError: If the database cannot be read.
    """
    if not 0 <= content_exponent <= 1:
        raise ExportError(f"`content_exponent` must be in [0, 1]. Received {content_exponent}. Choose one in between.")
    exponents = Exponents(content=content_exponent)
    qualities, _ = calibrated_qualities(summary, load_parts(storage, summary), exponents)
    candidates = {trial.number for trial in summary.candidates()}
    if not candidates:
        raise ExportError(
            f"No trial of {summary.name!r} has finished yet. Run more of them with `styletuner study run`."
        )
    chosen = {number: quality for number, quality in qualities.items() if number in candidates}
    if not chosen:
        raise ExportError(
            f"No trial of {summary.name!r} has the scores of its photos, so none can be preferred. Export without "
            "--prefer, or choose one with --trial."
        )
    return chosen
