"""`styletuner study check`: what is wrong with a storage's studies, files and tables, and mending it."""

import json
from typing import TYPE_CHECKING

import click

from tuner.command_line.options import storage_option, storage_words

if TYPE_CHECKING:
    from studies.checking.checking import Checked
    from studies.checking.finding import Finding


@click.command(epilog="Example: styletuner study check --repair")
@click.argument("name", required=False)
@click.option("--repair", is_flag=True, help="Mend what can be mended, and say what was done.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@storage_option
def check(name: str | None, repair: bool, as_json: bool, storage: str) -> None:
    """Look for lost, damaged and orphaned files, trials and claims of dead workers, old tables and stray rows.

    Of all studies, or of study NAME alone. Without --repair nothing is changed. Studies may run meanwhile: what is
    theirs is not touched. Files that no study names are moved to a folder beside that of the artifacts, not deleted.
    Exits with 1 where something is wrong still.
    """
    import optuna

    from studies.checking.checking import check_storage

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    checked = check_storage(storage, name, repair=repair)
    if as_json:
        click.echo(json.dumps(checked.as_dict(), indent=2))
    else:
        _echo(checked, storage=storage, name=name)
    if checked.left:
        raise click.exceptions.Exit(1)


def _echo(checked: "Checked", *, storage: str, name: str | None) -> None:
    from studies.checking.finding import MENDED_BY

    for finding, told in checked.done:
        click.echo(f"DONE {_headed(finding)}\n     -> {told}")
    for finding in checked.left:
        click.echo(f"FIX  {_headed(finding)}\n     -> {finding.advice}")
    num_studies = len(checked.studies)
    looked = f"{checked.storage}: {num_studies} stud{'y' if num_studies == 1 else 'ies'}, {checked.num_files} files"
    num_mendable = sum(finding.mend is not None for finding in checked.left)
    click.echo(f"{looked}; {'nothing' if not checked.left else len(checked.left)} left that is wrong.")
    if checked.not_looked_for is not None:
        click.echo(f"Not looked for: {checked.not_looked_for}.")
    if num_mendable:
        command = MENDED_BY if name is None else MENDED_BY.replace("--repair", f"{name} --repair")
        click.echo(f"Mend {num_mendable} of it: {command}{storage_words(storage)}")


def _headed(finding: "Finding") -> str:
    return finding.text if finding.study is None else f"{finding.study}: {finding.text}"
