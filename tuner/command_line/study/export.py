"""`styletuner study export`: the best weights of a study as a config for full training."""

from pathlib import Path
from typing import TYPE_CHECKING, Final, final

import click

from tuner.command_line.options import PATH, calibrated_option, chosen_rater, storage_option

if TYPE_CHECKING:
    from studies.storage.study_storage import StudyStorage

PREFERENCES: Final = {"content": 0.75, "balanced": 0.5, "style": 0.25}
"""Content exponent by word: the judge's own default, and half way from it to content or style alone."""


@final
class ContentExponent(click.ParamType[float]):
    """A content exponent: a word for it, or a number from 0 to 1."""

    name = "|".join([*PREFERENCES, "0.0-1.0"])

    def convert(self, value: str | float, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Return the number that a word stands for."""
        if value in PREFERENCES:
            return PREFERENCES[str(value)]
        try:
            exponent = float(value)
        except ValueError:
            exponent = -1.0
        if not 0.0 <= exponent <= 1.0:
            self.fail(f"must be {', '.join(PREFERENCES)}, or a number from 0 to 1. Received {value!r}.", param, ctx)
        return exponent


@click.command(epilog="Example: styletuner study export quick-starry_night-1a2b3c -o best.yaml")
@click.argument("name")
@click.option("-o", "--output", type=PATH, default=Path("best.yaml"), show_default=True, help="YAML file to write.")
@click.option("--trial", type=click.IntRange(min=0), help="Export this trial instead of the best.")
@click.option("--top", type=click.IntRange(min=1), default=1, show_default=True, help="Export so many, best first.")
@click.option(
    "--prefer",
    type=ContentExponent(),
    help="Rank by quality with this weight of content against style: from the front of a study of content and style, "
    "else from all complete trials.  [default: the study's own]",
)
@click.option("--scout", type=PATH, help="Write the scout that its trials start from too, to this .keras file.")
@click.option("--starter", type=PATH, help="Write the starter that its trials start from too, to this .keras file.")
@click.option(
    "--as",
    "trainer_name",
    metavar="TRAINER",
    help="Write nothing: print the command line that gives the weights in lengstrom, jcjohnson, pytorch-examples, "
    "gordicaleksa or magenta.",
)
@click.option(
    "--photos", type=PATH, multiple=True, help="With --as: where the study's photos are now; may be repeated."
)
@calibrated_option
@storage_option
@click.pass_context
def export(
    context: click.Context,
    name: str,
    output: Path,
    trial: int | None,
    top: int,
    prefer: float | None,
    scout: Path | None,
    starter: Path | None,
    trainer_name: str | None,
    photos: tuple[Path, ...],
    calibrated: bool,
    rater: str | None,
    storage: str,
) -> None:
    """Write the best weights as a self-contained config for `styletuner train`, the style image beside it.

    With --as, print them as another trainer's command line takes them (docs/trainers.md).
    """
    from studies.records.exports import export_config, write_exports
    from studies.storage.study_storage import StudyStorage
    from tuner.checkpointed.network_files import NetworkFiles
    from tuner.command_line.study.export_as import asked_trainer, echo_command
    from tuner.scouting.scout_copies import check_kept_scout, write_kept_scout
    from tuner.scouting.scout_files import COMMAND
    from tuner.starting.starter_copies import check_starter_copy, copy_starter

    chosen = chosen_rater(calibrated, rater)
    _refuse_contradictions(trial, top=top, prefer=prefer, calibrated=calibrated)
    trainer = asked_trainer(context, trainer_name, photos)
    files = None if scout is None else NetworkFiles(scout, command=COMMAND, called="`--scout`")
    with StudyStorage.open_read_only(storage) as studies:
        if files is not None:
            check_kept_scout(studies, name, files, kept=[] if output is None else [output])
        if starter is not None:
            check_starter_copy(studies, name, starter, kept=(output,))
        ranking = None if prefer is None else _preferred(studies, name, prefer)
        ranking = ranking if chosen is None else _calibrated(studies, name, chosen)
        if ranking is not None:
            _tell_of_final(studies, name, ranking[0])
        if trainer is not None:
            (exported,) = export_config(studies, name, trial=trial, ranking=ranking)
            echo_command(studies, exported, trainer, photos)
            return
        paths = write_exports(studies, name, output, trial=trial, top=top, ranking=ranking)
        for path in paths:
            click.echo(str(path))
        if files is not None:
            write_kept_scout(studies, name, files)
            click.echo(str(files.network))
        if starter is not None:
            copy_starter(studies, name, starter)
            click.echo(str(starter))
        _warn_of_loser(studies, name, paths)
        if trial is None:
            _tell_of_ends(studies, name)
        _tell_of_drift(studies, name, paths[0])


def _refuse_contradictions(trial: int | None, *, top: int, prefer: float | None, calibrated: bool) -> None:
    if trial is not None and top != 1:
        raise click.UsageError("--trial names one trial and --top several. Give one of them.")
    if trial is not None and prefer is not None:
        raise click.UsageError("--trial names one trial and --prefer ranks them all. Give one of them.")
    if calibrated and (trial is not None or prefer is not None):
        raise click.UsageError("--calibrated ranks by people's choices. Leave --trial and --prefer out.")


def _warn_of_loser(studies: "StudyStorage", name: str, paths: list[Path]) -> None:
    """Say if a trial that was exported as the best lost when it was trained longer."""
    from studies.records.exported_config import read_exported
    from studies.records.study_record import StudyRecord
    from studies.records.validation_words import loss_in_words

    found = StudyRecord.parse(studies.read_study(name).user_attrs).validation
    warning = "" if found is None else loss_in_words(found)
    if found is not None and warning and found.winner in {read_exported(path).trial for path in paths}:
        click.echo(warning, err=True)


def _tell_of_drift(studies: "StudyStorage", name: str, path: Path) -> None:
    """Say where the best ratio may lie in full training: by the study's own long runs, else by other styles'."""
    from studies.records.drift_words import exported_drift_in_words
    from studies.records.exported_config import read_exported
    from studies.records.study_record import StudyRecord
    from studies.records.validation_words import validated_drift_in_words

    found = StudyRecord.parse(studies.read_study(name).user_attrs).validation
    own = "" if found is None else validated_drift_in_words(found)
    if told := own or exported_drift_in_words(read_exported(path)):
        click.echo(told, err=True)


def _tell_of_ends(studies: "StudyStorage", name: str) -> None:
    """Say so where a better trial may lie beyond what was searched."""
    from studies.records.summaries import summarise
    from studies.records.trial_words import near_ends_in_words

    summary = summarise(studies, name)
    if ends := near_ends_in_words(summary.near_ends, study=name, has_scout=summary.scout is not None):
        click.echo(ends, err=True)


def _tell_of_final(studies: "StudyStorage", name: str, first: int) -> None:
    """Say so where the study's final has another winner than what is exported."""
    from studies.records.summaries import summarise

    found = summarise(studies, name).final
    if found is not None and found.winner.trial != first:
        click.echo(
            f"The study's final has trial {found.winner.trial} first, not trial {first}; without --prefer and "
            "--calibrated that one is exported.",
            err=True,
        )


def _calibrated(studies: "StudyStorage", name: str, rater: str) -> list[int]:
    """Rank the trials by a person's choices, and say how far these are foretold."""
    from studies.preferences.calibrated_ranking import rank_calibrated
    from studies.records.summaries import summarise
    from tuner.command_line.study.ranking_lines import describe_agreement

    ranking = rank_calibrated(studies, summarise(studies, name), rater=rater)
    best = next(iter(ranking.qualities))
    found = ranking.calibration
    click.echo(
        f"By {found.num_choices} choices of {ranking.rater}, content against style {found.exponents.content:.2f} to "
        f"{1 - found.exponents.content:.2f}, trial {best} comes first. {describe_agreement(found)}",
        err=True,
    )
    return list(ranking.qualities)


def _preferred(studies: "StudyStorage", name: str, content_exponent: float) -> list[int]:
    """Rank the trials by a content exponent, and say which of how many comes first."""
    from studies.preferences.content_ranking import rank_by_content
    from studies.records.summaries import summarise

    summary = summarise(studies, name)
    qualities = rank_by_content(studies, summary, content_exponent=content_exponent)
    best = next(iter(qualities))
    among = "on the front" if len(summary.objectives) > 1 else "complete trials"
    click.echo(
        f"Content against style {content_exponent:g} to {1 - content_exponent:g}: trial {best} comes first, "
        f"at {qualities[best]:.3f}, of {len(qualities)} {among}.",
        err=True,
    )
    return list(qualities)
