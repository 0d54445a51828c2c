"""How what a study found compares with what people use: published trainers' defaults among its trials, in words."""

from studies.records.summaries import StudySummary, TrialSummary
from studies.records.trial_words import state_word


def published_in_words(summary: StudySummary) -> str:
    """Return a line with the quality of published defaults and of what was found, and one with those not tried.

    Empty in a study that tries none.
    """
    lines = []
    tried = summary.published()
    if tried:
        best = summary.best
        found = ""
        if best is not None and best.quality is not None:
            whose = f"trial {best.number}" if best.published is None else f"trial {best.number}, which is among these"
            found = f"; found {best.quality:.3f} ({whose})"
        lines.append(f"Published defaults: {', '.join(map(_told, tried))}{found}")
    untried = [f"{one.trainer} ({one.why})" for one in summary.record.untried_defaults]
    if untried:
        lines.append(f"Not tried: {'; '.join(untried)}")
    return "\n".join(lines)


def _told(trial: TrialSummary) -> str:
    whose = "" if trial.published is None else trial.published.whose()
    if trial.state == "COMPLETE" and trial.quality is not None:
        return f"{whose} {trial.quality:.3f}"
    if trial.state == "PRUNED" and trial.quality is not None:
        return f"{whose} {trial.quality:.3f} when pruned after {trial.images_seen or 0} images"
    return f"{whose} {state_word(trial.state)}"
