"""What a study's final says, in words."""

from collections.abc import Iterator

from studies.records.final import Finalist, FinalOutcome, StudyFinal
from studies.records.summaries import StudySummary
from studies.records.trial_words import ties_in_words


def ties_or_final_in_words(summary: StudySummary) -> str:
    """Return who is as good as the best trial, as a line: by the final, else by the trials' own runs; empty if none."""
    return ties_in_words(summary.tied_with_best) if summary.final is None else final_in_words(summary.final)


def final_in_words(outcome: FinalOutcome) -> str:
    """Return who won a final, and who ties with the winner or comes next, as a line."""
    winner, others = outcome.winner, outcome.finalists[1:]
    tied = [f"trial {found.trial} with {found.mean:.3f}" for found in others if found.is_tied]
    untied = [f"trial {found.trial} {_behind(found)}" for found in others if not found.is_tied]
    told = f"; cannot be told from {' and '.join(tied)}" if tied else ""
    error = "" if outcome.error is None else f" ± {outcome.error:.3f}"
    verb = "leads in the final" if tied or outcome.num_missing else "wins the final"
    to_go = [f"{_runs(outcome.num_missing)} to go"] if outcome.num_missing else []
    return "; ".join(
        [
            f"Final: trial {winner.trial} {verb} with {winner.mean:.3f}{error} on the report photos{told}",
            *untied,
            *to_go,
        ]
    )


def final_mark(summary: StudySummary, trial: int) -> str:
    """Return what a final says of one trial, in a few words; empty where it says nothing of it."""
    outcome = summary.final
    found = None if outcome is None else next((one for one in outcome.finalists if one.trial == trial), None)
    return "" if outcome is None or found is None else _mark(found, outcome)


def final_table(summary: StudySummary) -> list[str]:
    """Return the final of a study as lines: a table of its runs, or how far it is; none where it has none."""
    found = summary.record.final
    if found is None:
        return []
    outcome = found.outcome()
    to_go = [_to_go(found)] if found.missing else []
    return to_go if outcome is None else [*_table(found, outcome, summary), *to_go]


def _to_go(found: StudyFinal) -> str:
    to_go = f"{len(found.missing)} of {_runs(len(found.keys))} to go"
    return f"Final: {to_go}. Run the study again to go on, or with --finalists 1 to leave it at that."


def _table(found: StudyFinal, outcome: FinalOutcome, summary: StudySummary) -> Iterator[str]:
    yield f"Final: {len(found.seeds)} further seeds each, judged on {_photos(outcome.num_photos)}"
    heads = "  ".join(f"{f'seed {seed}':>7}" for seed in found.seeds)
    yield f"trial  own quality  {heads}     mean"
    for one in outcome.finalists:
        cells = "  ".join(f"{one.qualities[seed]:>{max(7, len(f'seed {seed}'))}.3f}" for seed in found.seeds)
        remark = _remark(one, outcome)
        yield f"{one.trial:>5}  {one.trial_quality:>11.3f}  {cells}  {one.mean:>7.3f}{f'  {remark}' if remark else ''}"
    if outcome.error is not None:
        yield (
            f"A mean is good to ± {outcome.error:.3f}: its standard error over seeds, from all these runs "
            f"({outcome.degrees} degrees of freedom); other photos are not in it, and the best of several means is "
            "too high, being the best"
        )
    if not outcome.decides:
        yield "A run of each finalist diverged: the final decides nothing"
    elif summary.final is None and summary.best is not None:
        yield f"Trial {summary.best.number}, the best by now, is not in it. Run the study again for another final."


def _mark(found: Finalist, outcome: FinalOutcome) -> str:
    remark = _remark(found, outcome)
    return f"{found.mean:.3f} in the final{f', {remark}' if remark else ''}"


def _remark(found: Finalist, outcome: FinalOutcome) -> str:
    if found.diverged:
        return found.diverged
    if found is outcome.winner:
        return "leads" if outcome.tied or outcome.num_missing else "wins"
    return "tied with the best" if found.is_tied else ""


def _runs(number: int) -> str:
    return f"{number} run{'' if number == 1 else 's'}"


def _behind(found: Finalist) -> str:
    return f"{found.diverged} in a run" if found.diverged else f"has {found.mean:.3f}"


def _photos(num_photos: int) -> str:
    return f"{num_photos} report photo{'' if num_photos == 1 else 's'}"
