"""`study run` with several style images: a study each, one after the other, and a table of what came of them."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

import click

from measures.loss_weights import TERMS
from tuner.command_line.durations import format_seconds
from tuner.command_line.study.event_lines import EventLines, print_estimate, print_styles, print_sum
from tuner.command_line.study.progress import StudyProgress
from tuner.command_line.study.results import echo_estimate, echo_result, megabytes
from tuner.running.several_styles import StyleEnd, estimate_styles, plan_styles, run_styles
from tuner.running.shared_work import SharedWork
from tuner.running.style_outcomes import StyleOutcome

if TYPE_CHECKING:
    from tuner.configuration.settings import StudyConfig
    from tuner.running.observer import StudyObserver
    from tuner.running.request import StudyRequest
    from tuner.running.run_study import StudyEstimate


def estimate_several(request: "StudyRequest", configs: Sequence["StudyConfig"], *, as_json: bool) -> None:
    """Print what each style's study would cost, and all of them."""
    shared, found = SharedWork(), []
    planned = plan_styles(request, configs, say=_say, shared=shared)
    for study, estimate in estimate_styles(planned, say=_say, shared=shared):
        found.append(estimate)
        if as_json:
            print_estimate(found[-1], widen=False)
        else:
            click.echo(f"{found[-1].name} ({study.style}):")
            echo_estimate(found[-1], ends_at_total=study.request.ends_at_total)
    seconds, num_bytes = sum(each.cost.seconds for each in found), _bytes_of_all(found)
    if as_json:
        print_sum([each.name for each in found], seconds=seconds, num_bytes=num_bytes)
    elif request.ends_at_total:
        click.echo(
            f"All {len(found)} studies: at most {format_seconds(seconds)} with one worker, {megabytes(num_bytes)} MB "
            "of disk."
        )


def run_several(request: "StudyRequest", configs: Sequence["StudyConfig"], *, as_json: bool) -> None:
    """Run each style's study, print what came of it, and at the end, however it comes, the table.

    Raises:
        Exit: With status 1, once all are through: a study gave nothing.
    """
    shared = SharedWork()
    planned = plan_styles(request, configs, say=_say, shared=shared)
    observers: list[StudyProgress | EventLines] = []

    def observe(place: int) -> "StudyObserver":
        study = planned[place]
        _say(f"Style {place + 1} of {len(planned)}: {study.style}")
        progress = StudyProgress(study.request.config, num_workers=request.workers)
        observers.append(EventLines(progress) if as_json else progress)
        return observers[-1]

    outcomes: list[StyleOutcome] = []
    try:
        for end in run_styles(planned, observe=observe, shared=shared):
            outcomes.append(_outcome(end))
            if end.result is None:
                _say(f"{end.study.name}: {end.failure}")
            elif isinstance(lines := observers[-1], EventLines):
                lines.end(end.result)
            else:
                echo_result(end.result, storage=request.storage)
    finally:
        if as_json:
            print_styles(outcomes)
        elif outcomes:
            click.echo("\n".join(["", *table_of(outcomes)]))
    if any(outcome.failure is not None for outcome in outcomes):
        raise click.exceptions.Exit(1)


def _outcome(end: StyleEnd) -> StyleOutcome:
    if end.result is not None:
        return StyleOutcome.of(end.result.summary)
    return StyleOutcome.failed(end.study.name, style=str(end.study.style), failure=end.failure or "")


def table_of(outcomes: Sequence[StyleOutcome]) -> list[str]:
    """Return the lines of a table: a style each, its best weights, quality, baseline and what it took of others."""
    rows = [("study", "quality", "baseline", "content / style / tv weight", "best of other styles")]
    for outcome in outcomes:
        weights = " / ".join(f"{outcome.weights[term]:.4f}" for term in TERMS if term in outcome.weights)
        error = "" if outcome.standard_error is None else f" ± {outcome.standard_error:.3f}"
        quality = f"{_number(outcome.quality)}{error}"
        last = outcome.taken or "-"
        if outcome.failure is not None:
            last = f"no result: {next(iter(outcome.failure.splitlines()), '-')}"
        rows.append((outcome.study, quality, _number(outcome.baseline), weights or "-", last))
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"


def _bytes_of_all(found: Sequence["StudyEstimate"]) -> int:
    """Disk of all studies: they share their tables of crops and features."""
    own = sum(each.cost.num_bytes - each.cost.table_bytes for each in found)
    return own + max(each.cost.table_bytes for each in found)


def _say(text: str) -> None:
    click.echo(text, err=True)
