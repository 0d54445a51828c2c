"""`styletuner study list` and `show`: what studies a storage has, and what came out of one."""

import json
import shlex
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from groundwork.whole_files import write_whole
from measures.versions import JUDGE_VERSION
from studies.records.extension_words import extension_in_words
from studies.records.final_words import final_mark, final_table, ties_or_final_in_words
from studies.records.published_words import published_in_words
from studies.records.scout_words import scout_in_words
from studies.records.trial_words import (
    counted_states,
    further_in_words,
    listed_trials,
    near_ends_in_words,
    origin_in_words,
    state_word,
)
from studies.records.validation_words import validation_in_words
from tuner.command_line.options import HELP, PATH, calibrated_option, chosen_rater, storage_option
from tuner.command_line.study.ranking_lines import describe_ranking
from tuner.command_line.study.sheet_files import check_sheet

if TYPE_CHECKING:
    from studies.preferences.calibrated_ranking import CalibratedRanking
    from studies.records.summaries import StudySummary, TrialSummary
    from studies.storage.study_storage import StudyStorage

_LISTED: Final = ("COMPLETE", "PRUNED")  # Optuna's names of the states of ended trials


@click.command(name="list", context_settings=HELP, epilog="Example: styletuner study list --storage styletuner.db")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@storage_option
def list_studies(as_json: bool, storage: str) -> None:
    """List the studies of a storage."""
    from studies.records.summaries import list_studies as read_studies
    from studies.storage.study_storage import StudyStorage

    with StudyStorage.open_read_only(storage) as studies:
        summaries = read_studies(studies)
        headlines = [headline(_with_interrupted(studies, summary)) for summary in summaries]
    if as_json:
        click.echo(json.dumps([summary.as_dict() for summary in summaries], indent=2))
        return
    if not summaries:
        click.echo("No study yet. Start one: styletuner study run quick --style painting.jpg --photos photos/")
    for line in headlines:
        click.echo(line)


@click.command(
    context_settings=HELP, epilog="Example: styletuner study show quick-starry_night-1a2b3c --sheet sheet.png"
)
@click.argument("name")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--sheet", type=PATH, help="Write the contact sheet, best trial first, to this PNG file.")
@calibrated_option
@storage_option
def show(name: str, as_json: bool, sheet: Path | None, calibrated: bool, rater: str | None, storage: str) -> None:
    """Show a study's ended trials, best first: state, quality with its parts, weights, and what lowered the quality.

    Marked are trials whose quality cannot be told from the best one's, and the Pareto front of a study of content and
    style. From ten complete trials on it also says how important each parameter is, and where that is no more than
    chance.
    """
    from studies.preferences.calibrated_ranking import rank_calibrated
    from studies.records.importances import find_importances
    from studies.records.summaries import summarise
    from studies.storage.study_storage import StudyStorage

    who = chosen_rater(calibrated, rater)
    with StudyStorage.open_read_only(storage) as studies:
        check_sheet(sheet, studies)
        summary = summarise(studies, name)
        ranking = None if who is None else rank_calibrated(studies, summary, rater=who)
        importances = find_importances(studies.read_study(name))
        if as_json:
            calibrated_ranking = {} if ranking is None else {"calibrated": ranking.as_dict()}
            shares = {"importances": None if importances is None else importances.as_dict()}
            click.echo(json.dumps({**summary.as_dict(), **calibrated_ranking, **shares}, indent=2))
        else:
            _echo_trials(_with_interrupted(studies, summary), ranking)
            if importances is not None:
                click.echo(importances.in_words())
        if sheet is not None:
            write_contact_sheet(studies, summary, sheet)
            click.echo(f"Contact sheet: {sheet}", err=True)


def _with_interrupted(studies: "StudyStorage", summary: "StudySummary") -> "StudySummary":
    """Return the study with running trials of dead workers counted as interrupted; its next run has them run again."""
    from studies.claims.reaping import abandoned_trials

    num_running = summary.num_by_state.get("RUNNING", 0)
    if not (num_running and summary.uuid):
        return summary
    num_dead = min(num_running, len(abandoned_trials(studies, summary.uuid)))
    counts = {**summary.num_by_state, "RUNNING": num_running - num_dead, "INTERRUPTED": num_dead}
    return replace(summary, num_by_state=counts)


def _echo_trials(summary: "StudySummary", ranking: "CalibratedRanking | None") -> None:
    """One line a trial, best first: by quality, or by calibrated quality the trials that have one."""
    click.echo(headline(summary))
    trials, calibrated = _with_lost(summary), dict(ranking.qualities) if ranking is not None else {}
    if ranking is not None:
        click.echo("\n".join(describe_ranking(ranking, study=summary.name)))
        trials.sort(key=lambda trial: (trial.number not in calibrated, -calibrated.get(trial.number, 0.0)))
    from measures.quality import PART_SHORT_LABELS

    heads = "  ".join(PART_SHORT_LABELS.values())
    click.echo(f"trial  state     quality  {heads}   content / style / tv weight      images")
    front = {trial.number for trial in summary.front()}
    tied = "tied with the best" if ranking is None else "tied with the judge's best"
    for trial in trials:
        remarks = [words] if (words := further_in_words(trial.params)) else []
        remarks += [f"calibrated {calibrated[trial.number]:.3f}"] if trial.number in calibrated else []
        origin = origin_in_words(
            is_baseline=trial.is_baseline,
            foretold=trial.foretold,
            published=trial.published,
            taken_from=trial.taken_from,
        )
        remarks += filter(None, [origin])
        remarks += ["on the front"] if trial.number in front else []
        remarks += [final_mark(summary, trial.number)] if summary.final is not None else []
        remarks += [tied] if summary.final is None and trial.number in summary.tied_with_best else []
        click.echo("  ".join([_row(trial), *filter(None, [*remarks, trial.reason, trial.reasons()])]))
    for line in final_table(summary):
        click.echo(line)
    if (found := summary.record.validation) is not None:
        best = None if summary.best is None else summary.best.number
        click.echo("\n".join(validation_in_words(found, best=best)))
    for extension in summary.record.extensions:
        click.echo("\n".join(extension_in_words(extension, summary)))
    others = {state: count for state, count in summary.num_by_state.items() if state not in _LISTED}
    if any(others.values()):
        click.echo(f"Not listed: {counted_states(others)}")


def _with_lost(summary: "StudySummary") -> "list[TrialSummary]":
    """Trials by quality, then the ended ones that have none: their value was lost from the database."""
    lost = [trial for trial in summary.trials if trial.state in _LISTED and trial.quality is None]
    return [*summary.ranked(), *lost]


def _row(trial: "TrialSummary") -> str:
    from measures.loss_weights import TERMS
    from measures.quality import PART_SHORT_LABELS

    parts = trial.parts or {}
    columns = [("quality", trial.quality), *((label, parts.get(part)) for part, label in PART_SHORT_LABELS.items())]
    cells = [f"{'-' if number is None else format(number, '.3f'):>{len(head)}}" for head, number in columns]
    weights = trial.weights or {}
    named = " / ".join(f"{weights[key]:.4f}" for key in TERMS if key in weights)
    images = "-" if trial.images_seen is None else str(trial.images_seen)
    return f"{trial.number:>5}  {state_word(trial.state):<8}  {'  '.join(cells)}   {named:<28}  {images:>6}"


def headline(summary: "StudySummary") -> str:
    """What a study has and what is best in it, in one to ten lines."""
    counts = counted_states(summary.num_by_state)
    version = summary.record.judge_version
    judge = f"; judge version {version}" if version else ""
    best = summary.best
    if best is None:
        first = f"{summary.name}: {counts or 'no trial yet'}{judge}; no trial was completed."
        return "\n".join([first, *_about_origins(summary)])
    lines = [f"{summary.name}: {counts}{judge}", *_about_origins(summary)]
    lines += [f"Best: trial {best.number}, quality {best.quality:.3f}{_give_or_take(best)}, weights {_weights(best)}"]
    ends = near_ends_in_words(summary.near_ends, study=summary.name, has_scout=summary.scout is not None)
    lines += filter(None, [ties_or_final_in_words(summary), ends, published_in_words(summary)])
    front = listed_trials([trial.number for trial in summary.front()])
    if front:
        lines += [f"Front of {' and '.join(summary.objectives)}, most {summary.objectives[0]} first: {front}"]
    return "\n".join(lines)


def _give_or_take(trial: "TrialSummary") -> str:
    """How far the quality is to be trusted: its standard error, and the spread over photos behind it."""
    error, spread = trial.parts.get("standard_error"), trial.parts.get("spread")
    shown = f" ± {error:.3f}" if error is not None else ""
    return f"{shown} (spread over photos {spread:.3f})" if spread is not None else shown


def _about_origins(summary: "StudySummary") -> Iterator[str]:
    """What its trials come from, and whether another judge than the installed one scored them."""
    if summary.record.scout is not None and summary.scout is not None:
        yield scout_in_words(summary.record.scout, summary.scout, rescored_from=summary.record.rescored_from)
    if summary.record.starter is not None:
        yield summary.record.starter.in_words()
    widened = summary.record.widened_from
    if widened is not None:
        missing = widened.num_missing(len(summary.trials))
        again = f"styletuner study run ... --name {shlex.quote(widened.name)} --widen"
        yield widened.in_words() + (f"; not all of them are there: {again}" if missing else "")
    version, came_from = summary.record.judge_version, summary.record.rescored_from
    if came_from is not None:
        missing = came_from.num_missing(len(summary.trials))
        more = f"; {missing} trials are missing: styletuner study rescore {shlex.quote(came_from.name)}"
        yield f"Re-scored from {came_from.name} (judge version {came_from.judge_version})" + (more if missing else "")
    if version and version != JUDGE_VERSION:
        again = f"styletuner study rescore {shlex.quote(summary.name)}"
        yield f"The installed judge has version {JUDGE_VERSION}. Score its outputs again: {again}"


def _weights(trial: "TrialSummary") -> str:
    from measures.loss_weights import weights_in_words

    shown = weights_in_words(trial.weights) if trial.weights else "-"
    return ", ".join([shown, *filter(None, [further_in_words(trial.params)])])


def write_contact_sheet(studies: "StudyStorage", summary: "StudySummary", path: Path) -> None:
    """Write the contact sheet of a study to a PNG file, making its folder.

    Raises:
        SheetError: The study has no pictures yet.
    """
    from dashboards.study_sheet import study_contact_sheet

    write_whole(path, study_contact_sheet(studies, summary))
