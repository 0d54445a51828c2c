"""`styletuner scout`: one network for all loss weights; what it foretells, as a table, as suggestions, as a picture."""

import csv
import io
import json
import shlex
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from tuner.command_line.configuration_options import ConfigurationFlags, configuration_options
from tuner.command_line.counted_progress import CountedProgress
from tuner.command_line.options import HELP, PATH

if TYPE_CHECKING:
    from collections.abc import Callable

    from measures.ratio_space import Positions
    from tuner.scouting.scout import Scout
    from tuner.scouting.sweeping import Foretold
    from tuner.search.judged_set import JudgedSet
    from tuner.search.study_pictures import StudyPictures

SWEEP_SETTINGS: Final = 1000

COLUMNS: Final = (
    "style_to_content",
    "tv_to_content",
    "quality",
    "standard_error",
    "content_preservation",
    "style_match",
    "artefact_factor",
)


@click.group(context_settings=HELP, epilog="Example: styletuner scout sheet waves.scout.keras -o sheet.png")
def scout() -> None:
    """Train one network that takes the loss weights as an input, and ask it what each setting would paint.

    A scout shows the whole search space after one training, for the price of a few short runs. What it foretells of
    single settings is in docs/fidelity.md.
    """


@scout.command(
    epilog="Example: styletuner scout train quick --style painting.jpg --photos photos/ -o waves.scout.keras"
)
@configuration_options
@click.option("--images", type=click.IntRange(min=1), help="Images to train on.  [default: `scout.images`]")
@click.option("-o", "--output", type=PATH, required=True, help="The scout to write, a .keras file.")
def train(
    source: str,
    style: Path | None,
    photos: tuple[Path, ...],
    seed: int | None,
    weights_source: str | None,
    settings: tuple[str, ...],
    images: int | None,
    output: Path,
) -> None:
    """Train the scout of the study that CONFIG|PRESET describes.

    An interrupted training resumes from its checkpoint when the same command is run again; a scout that is trained
    already is left as it is, and one of another training is not written over.
    """
    from tuner.checkpointed.network_files import NetworkFiles
    from tuner.configuration.loading import load_config
    from tuner.installation.environment import load_networks
    from tuner.running.preparation import find_pictures
    from tuner.scouting.scout_files import COMMAND

    flags = ConfigurationFlags(style=style, photos=photos, seed=seed, weights_source=weights_source, settings=settings)
    wanted = load_config(source, overrides=flags.overrides({"scout": {"images": images}}))
    config, pictures = find_pictures(wanted, say=_say)
    files = NetworkFiles(output, command=COMMAND)
    files.check(kept=[pictures.style_path])
    load_networks()
    from tuner.configuration.network_checks import check_networks
    from tuner.scouting.scout_training import train_scout

    check_networks(config)
    train_scout(config, pictures, files=files, report=_say)
    click.echo(f"{output}\nLook at it: styletuner scout sheet {shlex.quote(str(output))} -o sheet.png")


def asking_options(function: Any) -> Any:
    """Add the argument SCOUT, and where its pictures lie now, to a command."""
    decorators = (
        click.argument("path", type=PATH, metavar="SCOUT.keras"),
        click.option("--style", type=PATH, help="Where the scout's style image lies now.  [default: where it was]"),
        click.option(
            "--photos", type=PATH, multiple=True, help="Where its photos lie now.  [default: where they were]"
        ),
    )
    for decorator in reversed(decorators):
        function = decorator(function)
    return function


@scout.command(epilog="Example: styletuner scout sweep waves.scout.keras --settings 1000 -o sweep.csv")
@asking_options
@click.option(
    "--settings",
    "num_settings",
    type=click.IntRange(min=1, max=100_000),
    default=SWEEP_SETTINGS,
    show_default=True,
    help="How many, spread evenly over both ratios.",
)
@click.option("-o", "--output", type=PATH, help="The table to write, a .csv file.  [default: standard output]")
def sweep(path: Path, style: Path | None, photos: tuple[Path, ...], num_settings: int, output: Path | None) -> None:
    """Judge what the scout paints of the study's rung photos at many settings: a table, best first."""
    from groundwork.output_files import check_output
    from groundwork.whole_files import write_whole
    from tuner.scouting.sweeping import spread_positions

    if output is not None:
        check_output(output, called="`--output`", suffixes=(".csv",), is_ours=_is_table, kept=[path])
    asked, _, judged = _open(path, style=style, photos=photos)
    found = _sweep(asked, judged, spread_positions(num_settings))
    table = io.StringIO(newline="")
    writer = csv.DictWriter(table, COLUMNS, lineterminator="\n")
    writer.writeheader()
    for foretold in sorted(found, key=lambda one: -one.quality.quality):
        writer.writerow({name: "" if value is None else f"{value:.5g}" for name, value in foretold.to_dict().items()})
    if output is None:
        click.echo(table.getvalue(), nl=False)
    else:
        write_whole(output, table.getvalue().encode())
        click.echo(str(output))


@scout.command(epilog="Example: styletuner scout suggest waves.scout.keras -k 3")
@asking_options
@click.option("-k", "--count", type=click.IntRange(min=1, max=20), default=3, show_default=True, help="How many.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of objects, best first.")
def suggest(path: Path, style: Path | None, photos: tuple[Path, ...], count: int, as_json: bool) -> None:
    """Name the best settings by the scout, none near another, with their foretold quality.

    The error is the standard error over the rung photos. How far the outputs of networks trained for one setting differ
    from what a scout foretells is in docs/fidelity.md.
    """
    from tuner.scouting.sweeping import best_apart, suggesting_positions

    asked, _, judged = _open(path, style=style, photos=photos)
    chosen = best_apart(asked.space, _sweep(asked, judged, suggesting_positions()), count)
    if as_json:
        rows = [{**one.to_dict(), "weights": one.values.loss_weights().to_dict()} for one in chosen]
        click.echo(json.dumps(rows, indent=2))
        return
    click.echo("quality  error  style : content  tv : content  weights (content style tv)")
    for one in chosen:
        click.echo(_suggestion(one))
    if len(chosen) < count:
        click.echo(f"No more than {len(chosen)} lie far enough apart.", err=True)


@scout.command(epilog="Example: styletuner scout fold waves.scout.keras --weights 1 2 0.1 -o waves.keras")
@click.argument("path", type=PATH, metavar="SCOUT.keras")
@click.option(
    "--weights",
    type=(float, float, float),
    required=True,
    metavar="CONTENT STYLE TV",
    help="Loss weights; only their ratios matter.",
)
@click.option("-o", "--output", type=PATH, required=True, help="The network to write, a .keras file.")
def fold(path: Path, weights: tuple[float, float, float], output: Path) -> None:
    """Take the style network of some loss weights out of the scout, for `styletuner stylize`."""
    from measures.loss_weights import LossWeights
    from tuner.checkpointed.network_files import NetworkFiles
    from tuner.installation.environment import load_networks

    content, style, variation = weights
    chosen = LossWeights.normalised(content=content, style=style, total_variation=variation)
    files = NetworkFiles(output, command="scout fold")
    files.check(kept=[path, NetworkFiles(path).record])
    load_networks()
    from tuner.scouting.folding import save_folded
    from tuner.scouting.scout import load_scout

    save_folded(load_scout(path), chosen, files=files)
    click.echo(f"{output}\nUse it: styletuner stylize {shlex.quote(str(output))} photo.jpg -o out/")


@scout.command(epilog="Example: styletuner scout sheet waves.scout.keras -o sheet.png")
@asking_options
@click.option(
    "--columns", type=click.IntRange(min=2, max=30), default=8, show_default=True, help="Values of style : content."
)
@click.option(
    "--rows", type=click.IntRange(min=2, max=30), default=4, show_default=True, help="Values of tv : content."
)
@click.option("--photo", "number", type=click.IntRange(min=1), default=1, show_default=True, help="Which rung photo.")
@click.option("-o", "--output", type=PATH, required=True, help="The picture to write, a .png file.")
def sheet(
    path: Path,
    style: Path | None,
    photos: tuple[Path, ...],
    columns: int,
    rows: int,
    number: int,
    output: Path,
) -> None:
    """Draw one photo restyled over a grid of both ratios, with the quality over all rung photos under each."""
    from dashboards.picture_titles import is_scout_sheet
    from groundwork.output_files import check_output
    from groundwork.whole_files import write_whole

    check_output(output, called="`--output`", suffixes=(".png",), is_ours=is_scout_sheet, kept=[path])
    asked, pictures, judged = _open(path, style=style, photos=photos)
    if number > len(judged):
        raise click.UsageError(f"--photo must be from 1 to {len(judged)}. Received {number}.")
    from tuner.scouting.grid_sheet import draw_grid
    from tuner.scouting.sweeping import grid_positions

    found = _sweep(asked, judged, grid_positions(columns, rows))
    write_whole(output, draw_grid(asked, pictures, judged, found, shape=(rows, columns), photo=number - 1))
    click.echo(str(output))


def _open(path: Path, *, style: Path | None, photos: Sequence[Path]) -> "tuple[Scout, StudyPictures, JudgedSet]":
    """Load a scout, its pictures, and the photos that it is judged on."""
    from tuner.installation.environment import load_networks

    load_networks()
    from tuner.scouting.scout import load_scout
    from tuner.search.judged_set import judged_set

    loaded = load_scout(path)
    pictures = loaded.open_pictures(style=style, photos=photos)
    return loaded, pictures, judged_set(loaded.config, pictures, pictures.split.rung)


def _sweep(asked: "Scout", judged: "JudgedSet", positions: "Positions") -> "list[Foretold]":
    from tuner.scouting.sweeping import sweep

    with _counted("judging settings") as on_setting:
        return sweep(asked, asked.space.at(positions), judged, on_setting=lambda done: on_setting(done, len(positions)))


@contextmanager
def _counted(what: str) -> "Iterator[Callable[[int, int], None]]":
    with CountedProgress(what, things="settings") as progress:
        try:
            yield progress.show
        except KeyboardInterrupt:
            raise KeyboardInterrupt("Nothing was written; the same command begins anew.") from None


def _suggestion(one: "Foretold") -> str:
    weights = one.values.loss_weights()
    error = one.quality.standard_error
    return (
        f"{one.quality.quality:7.3f}  {'-' if error is None else format(error, '.3f'):>5}  "
        f"{one.values.style_to_content:15.3g}  {one.values.tv_to_content:12.3g}  "
        f"{weights.content:.4g} {weights.style:.4g} {weights.total_variation:.4g}"
    )


def _is_table(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.readline().strip() == ",".join(COLUMNS).encode()


def _say(text: str) -> None:
    click.echo(text, err=True)
