"""`styletuner dashboard`: optuna-dashboard on a storage."""

import click

from studies.storage.addresses import DEFAULT_STORAGE


@click.command(epilog="Example: styletuner dashboard styletuner.db")
@click.argument("storage", default=DEFAULT_STORAGE, metavar="[STORAGE]")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on; there is no login.")
@click.option("--port", type=click.IntRange(0, 65535), default=8080, show_default=True, help="0 takes any free port.")
def dashboard(storage: str, host: str, port: int) -> None:
    """Open optuna-dashboard on STORAGE (a SQLite file or a database URL), each trial with its pictures."""
    from dashboards.note_saving import save_notes
    from dashboards.server import serve
    from studies.storage.study_storage import StudyStorage

    if not StudyStorage.is_writable(storage):
        with StudyStorage.open_read_only(storage) as studies:
            click.echo("The studies cannot be written: they are shown as they are, with the notes they have.", err=True)
            serve(studies, host=host, port=port)
        return
    with StudyStorage.open(storage) as studies:
        save_notes(studies, report=lambda line: click.echo(line, err=True))
        serve(studies, host=host, port=port)
