"""`styletuner study prefer`: ask a person which outputs are better, and rank the trials by the answers."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.command_line.options import PATH, storage_option

if TYPE_CHECKING:
    from studies.preferences.calibrated_ranking import CalibratedRanking
    from studies.preferences.calibration import Calibration
    from studies.records.summaries import StudySummary
    from studies.storage.study_storage import StudyStorage

NUM_CHOICES = 20
"""As many as a calibration needs at least."""

SHOWN_TRIALS = 5


@click.command(epilog="Example: styletuner study prefer quick-starry_night-1a2b3c --choices 40")
@click.argument("name")
@click.option("--choices", type=click.IntRange(min=1), default=NUM_CHOICES, show_default=True, help="Questions to ask.")
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
    by it with --calibrated.
    """
    if (everyone or as_json) and not report:
        raise click.UsageError("--everyone and --json say how to report. Add --report.")
    if everyone and rater is not None:
        raise click.UsageError("--everyone reports on all raters and --rater names one. Give one of them.")
    if report and any(_is_given(option) for option in ("choices", "picture", "seed")):
        raise click.UsageError("--report asks nothing. Leave --choices, --picture and --seed out.")
    from studies.preferences.answers import EVERYONE
    from studies.storage.study_storage import StudyStorage
    from tuner.people.rating import own_name

    who = EVERYONE if everyone else own_name() if rater is None else rater
    if report:
        with StudyStorage.open_read_only(storage) as studies:
            _report(studies, name, rater=who, as_json=as_json)
        return
    with StudyStorage.open(storage) as studies:
        _ask(studies, name, rater=who, picture=picture, seed=seed, num_choices=choices)


def _is_given(option: str) -> bool:
    source = click.get_current_context().get_parameter_source(option)
    return source is not click.core.ParameterSource.DEFAULT


def _ask(studies: "StudyStorage", name: str, *, rater: str, picture: Path, seed: int | None, num_choices: int) -> None:
    from studies.preferences.calibration import MIN_CHOICES
    from studies.records.summaries import summarise
    from tuner.people.rating import RatingSession

    summary = summarise(studies, name)
    session = RatingSession(studies, summary, rater=rater, picture=picture, seed=seed)
    for note in session.notes:
        click.echo(note, err=True)
    click.echo(session.introduction)
    given = session.run(num_choices, _read_line)
    click.echo(f"{_counted(given, 'answer')} of {rater} stored.")
    usable = session.num_usable()
    if usable < MIN_CHOICES:
        click.echo(f"{MIN_CHOICES - usable} more until they say how {rater} weighs content and style.")
        return
    _report(studies, name, rater=rater, as_json=False)


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
    click.echo("\n\n".join("\n".join(describe_ranking(ranking)) for ranking in rankings))


def _rank_by_each(studies: "StudyStorage", summary: "StudySummary") -> "Iterator[CalibratedRanking]":
    from studies.errors import CalibrationError
    from studies.preferences.answers import load_preferences
    from studies.preferences.calibrated_ranking import rank_calibrated

    for who in sorted({answer.who for answer in load_preferences(studies.read_engine, study_uuid=summary.uuid)}):
        try:
            yield rank_calibrated(studies, summary, rater=who)
        except CalibrationError as error:
            click.echo(f"{who}: {error}", err=True)


def describe_ranking(ranking: "CalibratedRanking") -> list[str]:
    """What a rater's choices say, in some lines: exponents, agreement, consistency, and the trials that lead."""
    found = ranking.calibration
    best = list(ranking.qualities.items())[:SHOWN_TRIALS]
    return [
        f"{ranking.rater}: {found.num_choices} choices, {found.num_ties} of them ties",
        f"content exponent   {_estimate(found.exponents.content, found.content_interval)}, judge "
        f"{found.default.content:.2f}; style has the rest",
        f"artefact exponent  {_estimate(found.exponents.artefacts, found.artefact_interval)}, judge "
        f"{found.default.artefacts:.2f}",
        describe_agreement(found),
        *_consistency(found),
        "Ranked by them: " + ", ".join(f"trial {number} ({quality:.3f})" for number, quality in best),
        *ranking.notes,
    ]


def describe_agreement(found: "Calibration") -> str:
    """How much of the choices the judge foretold, and how much the fitted exponents do."""
    if found.agreement_before is None:
        return "All choices were ties: there is no preference to agree with."
    if found.agreement_after is None:
        return f"The judge foretold {found.agreement_before:.0%} of the choices; one pair is too few to test these."
    verdict = "" if found.agreement_after > found.agreement_before else ": no better than the judge's own"
    return (
        f"The judge foretold {found.agreement_before:.0%} of the choices, these exponents {found.agreement_after:.0%} "
        f"(each foretold from other pairs){verdict}."
    )


def _estimate(value: float, interval: tuple[float, float]) -> str:
    from studies.preferences.calibration import INTERVAL

    return f"{value:.2f} ({100 * INTERVAL:.0f} %: {interval[0]:.2f} to {interval[1]:.2f})"


def _consistency(found: "Calibration") -> Iterator[str]:
    answers = found.consistency
    if answers.num_repeats:
        yield f"Pairs asked again: {answers.num_alike} of {answers.num_repeats} answered as before."
    if answers.num_contradictions or answers.num_circles:
        yield (
            f"Contradictions: {_counted(answers.num_contradictions, 'pair')} preferred both ways, "
            f"{_counted(answers.num_circles, 'circle')} (a over b over c over a). They widen the intervals."
        )


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
