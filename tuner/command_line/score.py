"""`styletuner score`: perceptual quality of any pictures."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tuner.command_line.counted_progress import CountedProgress
from tuner.command_line.options import PATH

if TYPE_CHECKING:
    from measures.quality import PhotoQuality, Quality
    from objectives.judging.reasons import Reason
    from objectives.judging.scoring import OutputsScore


@click.command(epilog="Example: styletuner score --photo photos/ --style painting.jpg network_a/ network_b/")
@click.option(
    "--photo",
    type=PATH,
    required=True,
    help="The content photo that all pictures were made from, or a folder in which each picture's photo has its name.",
)
@click.option("--style", type=PATH, required=True, help="The style image.")
@click.option("--each", is_flag=True, help="List each picture below its folder.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: a list of objects, best first.")
@click.argument("pictures", type=PATH, nargs=-1, required=True)
def score(photo: Path, style: Path, each: bool, as_json: bool, pictures: tuple[Path, ...]) -> None:
    """Score PICTURES, made by any method, against their photos and a style image; best first.

    The pictures of a folder are judged together, as outputs of one network; a file is judged by itself. Quality and its
    parts lie in [0, 1], higher is better; behind them stands what lowered the quality. A folder's mean quality has its
    standard error and its spread over photos beside it. Folders of the same photos that these cannot tell from the best
    are marked as tied.
    """
    from tuner.installation.environment import load_networks

    load_networks()
    from measures.quality import PART_SHORT_LABELS
    from models.pictures.images import read_style_image
    from objectives.judging.scoring import PictureScorer
    from tuner.scoring.output_files import list_outputs
    from tuner.scoring.picture_matching import find_picture_sets, match_photos
    from tuner.scoring.score_ties import tied_with_first

    scorer = PictureScorer(read_style_image(style))
    matched = match_photos(find_picture_sets(pictures), photo)
    total = sum(len(photo_of) for _, photo_of in matched)
    with _counted(total) as count:
        scores = [
            scorer.score(found.name, list_outputs(photo_of, style=style), on_picture=count)
            for found, photo_of in matched
        ]
    scores.sort(key=lambda scored: -scored.quality.quality)
    _echo_notes(scores)
    tied = tied_with_first(scores)
    if as_json:
        rows = [{**scored.to_dict(), "tied_with_best": place in tied} for place, scored in enumerate(scores)]
        click.echo(json.dumps(rows, indent=2))
        return
    click.echo(f"quality  error  spread  {'  '.join(PART_SHORT_LABELS.values())}  picture")
    for place, scored in enumerate(scores):
        name = f"{scored.name}, tied with the best" if place in tied else scored.name
        click.echo(_row(name, scored.quality, scored.reasons))
        for picture in scored.pictures if each and scored.pictures[0].picture != scored.name else ():
            click.echo(_row(f"  {picture.picture}", picture.quality, picture.reasons))


@contextmanager
def _counted(total: int) -> Iterator[Callable[[], None]]:
    """Shows how many pictures are scored; what is yielded is called after each."""
    done = itertools.count()
    with CountedProgress("scoring", things="pictures") as progress:

        def count() -> None:
            progress.show(next(done), total)

        try:
            count()
            yield count
        except KeyboardInterrupt:
            raise KeyboardInterrupt("Nothing was scored; the same command begins anew.") from None


def _row(name: str, quality: "Quality | PhotoQuality", reasons: "Iterable[Reason]") -> str:
    from measures.quality import PART_SHORT_LABELS, Quality

    doubt = (quality.standard_error, quality.spread) if isinstance(quality, Quality) else (None, None)
    shown = ["-" if number is None else f"{number:.3f}" for number in doubt]
    parts = [f"{part:{len(PART_SHORT_LABELS[label])}.3f}" for label, part in quality.parts().items()]
    row = "  ".join([f"{quality.quality:7.3f}", f"{shown[0]:>5}", f"{shown[1]:>6}", *parts, name])
    words = "; ".join(reason.text for reason in reasons)
    return f"{row}  ({words})" if words else row


def _echo_notes(scores: "Iterable[OutputsScore]") -> None:
    """Each thing that was done before pictures were compared, once, with how many pictures it was done to."""
    counts: dict[str, list[str]] = {}
    for picture in (picture for scored in scores for picture in scored.pictures):
        for remark in filter(None, picture.note.split("; ")):
            counts.setdefault(remark, []).append(picture.picture)
    for remark, names in counts.items():
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        click.echo(f"{names[0]}{others}: {remark}", err=True)
