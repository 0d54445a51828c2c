"""`styletuner study prefer`: ask a person which outputs are better, and rank the trials by the answers."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.command_line.options import PATH, storage_option
from tuner.command_line.study.ranking_lines import counted, describe_ranking

if TYPE_CHECKING:
    from studies.preferences.calibrated_ranking import CalibratedRanking
    from studies.records.summaries import StudySummary
    from studies.storage.study_storage import StudyStorage
    from tuner.people.rating import RatingSession

NUM_CHOICES = 20
"""As many as a calibration needs at least."""


@click.command(epilog="Example: styletuner study prefer quick-starry_night-1a2b3c --choices 40")
@click.argument("name")
@click.option("--choices", type=click.IntRange(min=1), default=NUM_CHOICES, show_default=True, help="Questions to ask.")
@click.option(
    "--repeat",
    type=click.IntRange(min=1),
    help="Ask so many earlier questions again instead, sides swapped: how often do you agree with yourself?",
)
@click.option("--rater", help="Who answers.  [default: your user name]")
@click.option(
    "--picture",
    type=PATH,
    default=Path("question.png"),
    show_default=True,
    help="PNG file that shows the question; keep it open in a viewer that follows changes.",
)
@click.option("--seed", type=click.IntRange(min=0), help="Of the questions and the sides.  [default: drawn anew]")
@click.option("--report", is_flag=True, help="Ask nothing, tell what the answers so far say.")
@click.option("--everyone", is_flag=True, help="With --report: all raters together, and each of them.")
@click.option("--json", "as_json", is_flag=True, help="With --report: print JSON.")
@storage_option
def prefer(
    name: str,
    choices: int,
    repeat: int | None,
    rater: str | None,
    picture: Path,
    seed: int | None,
    report: bool,
    everyone: bool,
    as_json: bool,
    storage: str,
) -> None:
    """Answer which of two outputs of the same photo is better, and have the trials ranked by your answers.

    From 20 answers on they give your own weighting of content, style and faults. `study show` and `study export` rank
    by it with --calibrated. Some questions come twice, so that --report says how often you agree with
    yourself, beside how often the judge does.
    """
    if (everyone or as_json) and not report:
        raise click.UsageError("--everyone and --json say how to report. Add --report.")
    if everyone and rater is not None:
        raise click.UsageError("--everyone reports on all raters and --rater names one. Give one of them.")
    if report and any(_is_given(option) for option in ("choices", "repeat", "picture", "seed")):
        raise click.UsageError("--report asks nothing. Leave --choices, --repeat, --picture and --seed out.")
    if repeat is not None and _is_given("choices"):
        raise click.UsageError("--choices asks new questions and --repeat earlier ones again. Give one of them.")
    from studies.preferences.answers import EVERYONE
    from studies.records.summaries import summarise
    from studies.storage.study_storage import StudyStorage
    from tuner.people.rating import RatingSession, own_name

    who = EVERYONE if everyone else own_name() if rater is None else rater
    if report:
        with StudyStorage.open_read_only(storage) as studies:
            _report(studies, name, rater=who, as_json=as_json)
        return
    with StudyStorage.open(storage) as studies:
        summary = summarise(studies, name)
        session = RatingSession(studies, summary, rater=who, picture=picture, seed=seed)
        given = _ask(session, num_choices=choices, num_repeats=repeat)
        _tell_given(studies, summary, session, rater=who, num_given=given)


def _is_given(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is not click.core.ParameterSource.DEFAULT


def _ask(session: "RatingSession", *, num_choices: int, num_repeats: int | None) -> int:
    """Ask new questions, or earlier ones again; return how many were answered."""
    for note in session.notes:
        click.echo(note, err=True)
    click.echo(session.introduction)
    if num_repeats is None:
        return session.run(num_choices, _read_line)
    if 0 < session.num_repeatable < num_repeats:
        click.echo(f"{counted(session.num_repeatable, 'pair')} asked about so far: each comes once more.")
    return session.run_again(num_repeats, _read_line)


def _tell_given(
    studies: "StudyStorage", summary: "StudySummary", session: "RatingSession", *, rater: str, num_given: int
) -> None:
    from studies.preferences.calibration import MIN_CHOICES

    click.echo(f"{counted(num_given, 'answer')} of {rater} stored.")
    usable = session.num_usable()
    if usable < MIN_CHOICES:
        click.echo(f"{MIN_CHOICES - usable} more until they say how {rater} weighs content and style.")
        return
    _report(studies, summary.name, rater=rater, as_json=False)


def _read_line(prompt: str) -> str | None:
    click.echo(prompt, nl=False)
    line = sys.stdin.readline()
    if line:
        return line
    click.echo()
    return None


def _report(studies: "StudyStorage", name: str, *, rater: str, as_json: bool) -> None:
    from studies.preferences.answers import EVERYONE
    from studies.preferences.calibrated_ranking import rank_calibrated
    from studies.records.summaries import summarise

    summary = summarise(studies, name)
    rankings = [rank_calibrated(studies, summary, rater=rater)]
    if rater == EVERYONE:
        rankings += _rank_by_each(studies, summary)
    if as_json:
        click.echo(json.dumps([ranking.as_dict() for ranking in rankings], indent=2))
        return
    click.echo("\n\n".join("\n".join(describe_ranking(ranking, study=name)) for ranking in rankings))


def _rank_by_each(studies: "StudyStorage", summary: "StudySummary") -> "Iterator[CalibratedRanking]":
    from studies.errors import CalibrationError
    from studies.preferences.answers import load_preferences
    from studies.preferences.calibrated_ranking import rank_calibrated

    for who in sorted({answer.who for answer in load_preferences(studies.read_engine, study_uuid=summary.uuid)}):
        try:
            yield rank_calibrated(studies, summary, rater=who)
        except CalibrationError as error:
            click.echo(f"{who}: {error}", err=True)
