"""`styletuner study`: run, list, show, export, enqueue and delete studies."""

import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.command_line.configuration_options import ConfigurationFlags, styles_options
from tuner.command_line.durations import Minutes
from tuner.command_line.options import HELP, PATH, storage_option
from tuner.command_line.several_values import SeveralStyles
from tuner.command_line.study.check import check
from tuner.command_line.study.export import export
from tuner.command_line.study.extend import extend
from tuner.command_line.study.prefer import prefer
from tuner.command_line.study.rescore import rescore
from tuner.command_line.study.show import list_studies, show
from tuner.command_line.study.validate import validate

if TYPE_CHECKING:
    from tuner.running.request import StudyRequest


@click.group(context_settings=HELP, epilog="Example: styletuner study run quick --style painting.jpg --photos photos/")
def study() -> None:
    """Run, list, show, re-score, validate, extend, export, check and delete studies; ask people about them."""


for command in (list_studies, show, prefer, rescore, validate, extend, export, check):
    study.add_command(command)


@study.command(
    cls=SeveralStyles,
    epilog="Example: styletuner study run quick --style starry_night.jpg --photos photos/ --trials 16",
)
@styles_options
@click.option(
    "--trials",
    type=click.IntRange(min=1),
    help="Trials of the study in all. Those that pay for its starter or scout are not run.",
)
@click.option(
    "--time",
    "minutes",
    type=Minutes(),
    metavar="DURATION",
    help="End this run after e.g. 45m or 1h30m; without --trials with as many trials as it holds.",
)
@click.option(
    "--finalists",
    type=click.IntRange(min=1),
    help="Train so many of the best trials again in the end, with two further seeds each: the best mean wins. "
    "1 for none.  [default: as configured]",
)
@click.option("--name", help="The study's name.  [default: preset, style image and a hash of the configuration]")
@click.option("--new", is_flag=True, help="Start a study beside one that exists under this name.")
@click.option("--widen", is_flag=True, help="Go on beyond the range where the best trial lies near an end of it.")
@click.option(
    "--start",
    type=click.Choice(["noise", "starter", "scout"]),
    help="What trials start from: noise, one network that all share, or one for all weights.  [default: as configured]",
)
@click.option(
    "--trainer",
    metavar="TRAINER",
    help="Search with the content and style terms of lengstrom, jcjohnson, pytorch-examples, gordicaleksa or magenta; "
    "see docs/trainers.md.",
)
@click.option("--scout", is_flag=True, help="The same as --start scout.")
@click.option("--scout-file", type=PATH, help="Start from a scout that `styletuner scout train` has trained.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Processes on this machine, or on the cluster.",
)
@click.option("--cluster", metavar="ADDRESS", help="Run the workers on a Ray cluster: auto, or ray://HOST:10001.")
@click.option(
    "--gpus-per-worker",
    type=click.FloatRange(min=0),
    help="With --cluster: GPUs of each worker, or a share of one.  [default: one where it has any]",
)
@click.option("--dry-run", is_flag=True, help="Check everything, estimate time and disk, and change nothing.")
@click.option("-o", "--output", type=PATH, help="Folder for the best weights' config and the contact sheet.")
@click.option("--json", "as_json", is_flag=True, help="Print what happens as lines of JSON.")
@storage_option
def run(
    source: str,
    styles: tuple[Path, ...],
    photos: tuple[Path, ...],
    trials: int | None,
    minutes: float | None,
    finalists: int | None,
    seed: int | None,
    weights_source: str | None,
    name: str | None,
    new: bool,
    widen: bool,
    start: str | None,
    trainer: str | None,
    scout: bool,
    scout_file: Path | None,
    settings: tuple[str, ...],
    workers: int,
    cluster: str | None,
    gpus_per_worker: float | None,
    dry_run: bool,
    output: Path | None,
    as_json: bool,
    storage: str,
) -> None:
    """Start or resume a study: short training runs with sampled loss weights, scored, the bad ones pruned early.

    CONFIG is a YAML file, PRESET one of demo, quick and gpu. Flags go over the file, the file over its preset. Run the
    same command again to resume: finished trials are kept, an interrupted one is run again.

    With --finalists 3, as in quick and gpu, the best three are trained again in the end, with two further seeds each,
    and judged on the report photos: the best mean wins the study (docs/finalists.md).

    Where the best trial lies near an end of what was searched, the same command with --widen goes on beyond it, in a
    study of its own that begins with all trials of the first. It runs half as many new ones; --trials N means N in all.

    With --start starter the study first trains one network at equal weights, as long as a trial, and all trials start
    from it. With --start scout it first trains one network for all weights, at the price of some of its trials; the
    others start from what it has for their weights, and the first of them try what it foretells to be best.

    With --trainer the study searches with the content and style terms that this trainer has: its loss network, layers
    and their shares; total variation stays ours. Its published weights are the first trial, and what is found can be
    given to it: styletuner study export NAME --as TRAINER.

    A study ends at its trials, or before: --time ends a run in time, with what it has by then; --set
    search.stop.images=N bounds what is trained on in all, search.stop.stagnation=N ends it when N trials in a row
    brought nothing better, search.stop.quality=Q when one is as good. The same command again goes on, with --time for
    as long again.

    Several style images after --style, a folder of them or a pattern have a study each, one after the other; each
    begins with what those before it found best. --time is for all of them, --trials for each.

    With --cluster the workers run on the machines of a Ray cluster, which share a PostgreSQL database and, by
    STYLETUNER_ARTIFACTS, a folder or bucket of pictures. Ray places them and starts anew what dies.
    """
    from tuner.configuration.loading import load_styles, merge
    from tuner.running.request import StudyRequest
    from tuner.running.workers.cluster_request import ClusterRequest
    from tuner.scouting.scout_files import read_scout_record

    if gpus_per_worker is not None and cluster is None:
        raise click.UsageError("--gpus-per-worker says what the workers of a cluster get. Add --cluster.")
    if widen and new:
        raise click.UsageError("--widen goes on from a study and --new starts without any. Give one of them.")
    flags = ConfigurationFlags(style=styles, photos=photos, seed=seed, weights_source=weights_source, settings=settings)
    if scout and start not in (None, "scout"):
        raise click.UsageError(f"--scout is --start scout, and --start is {start}. Give one of them.")
    search = {
        "trials": trials,
        "start": "scout" if scout else start,
        "stop": {"minutes": minutes},
        "finalists": finalists,
    }
    overrides = flags.overrides({"search": search, "loss": {"trainer": trainer}})
    given = None if scout_file is None else read_scout_record(scout_file)
    if given is not None:
        # What is said by hand is then found not to fit.
        overrides = merge(given.settings(), overrides)
    configs = load_styles(source, overrides=overrides)
    total = None if (overrides.get("search") or {}).get("trials") is None else configs[0].num_trials
    request = StudyRequest(
        config=configs[0],
        storage=storage,
        name=name,
        new=new,
        workers=workers,
        output=output,
        widen=widen,
        total=total,
        scout=given,
        counts_trials=minutes is None or total is not None or widen,
        owns_process=True,
        cluster=None
        if cluster is None
        else ClusterRequest(address=cluster, num_workers=workers, gpus_per_worker=gpus_per_worker),
    )
    if len(configs) > 1:
        from tuner.command_line.study.several_studies import estimate_several, run_several

        (estimate_several if dry_run else run_several)(request, configs, as_json=as_json)
    elif dry_run:
        _print_estimate(request, as_json=as_json)
    else:
        _run(request, as_json=as_json)


def _print_estimate(request: "StudyRequest", *, as_json: bool) -> None:
    from tuner.command_line.study.event_lines import print_estimate
    from tuner.command_line.study.results import echo_estimate
    from tuner.running.run_study import estimate_study

    found = estimate_study(request, say=lambda text: click.echo(text, err=True))
    if as_json:
        print_estimate(found, widen=request.widen)
        return
    echo_estimate(found, ends_at_total=request.ends_at_total)


def _run(request: "StudyRequest", *, as_json: bool) -> None:
    from tuner.command_line.study.event_lines import EventLines
    from tuner.command_line.study.progress import StudyProgress
    from tuner.command_line.study.results import echo_result
    from tuner.running.run_study import run_study

    progress = StudyProgress(request.config, num_workers=request.workers)
    lines = EventLines(progress) if as_json else None
    try:
        result = run_study(request, observer=lines or progress)
    except KeyboardInterrupt:
        if not request.new or progress.study_name is None:
            raise
        advice = f"Run the command again to go on, with --name {shlex.quote(progress.study_name)} in place of --new."
        raise KeyboardInterrupt(advice) from None
    if lines is not None:
        lines.end(result)
    else:
        echo_result(result, storage=request.storage)


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
    from studies.preferences.answers import load_preferences
    from studies.storage.database_errors import storage_errors
    from studies.storage.study_identity import uuid_of
    from studies.storage.study_storage import StudyStorage
    from tuner.running.deletion import delete_idle_study, require_idle

    with StudyStorage.open(storage) as studies:
        study = studies.load_study(name)
        study_uuid = uuid_of(study)
        require_idle(studies, study_uuid)
        num_choices = len(load_preferences(studies.engine, study_uuid=study_uuid))
        choices = f", and {num_choices} choices that people made" if num_choices else ""
        with storage_errors(studies.url):
            num_trials = len(study.get_trials(deepcopy=False))
        if not yes:
            click.confirm(f"Delete study {name} with its {num_trials} trials and their pictures{choices}?", abort=True)
        delete_idle_study(studies, study_uuid)
    click.echo(f"Deleted {name}.")
