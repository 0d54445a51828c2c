"""`styletuner stylize`: restyle photos with a finished network."""

from pathlib import Path

import click


@click.command(epilog="Example: styletuner stylize starry.keras in.jpg more/ -o out/")
@click.argument("network", type=click.Path(path_type=Path), metavar="NETWORK.keras")
@click.argument("photos", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Folder for the pictures, or a file for one."
)
@click.option(
    "--size", type=click.IntRange(min=16), help="Resize photos so that their shorter side has this many pixels."
)
@click.option(
    "--format",
    "suffix",
    type=click.Choice(["png", "jpg", "webp"]),
    help="Of the pictures.  [default: that of the file, or png]",
)
def stylize(network: Path, photos: tuple[Path, ...], output: Path, size: int | None, suffix: str | None) -> None:
    """Restyle photos (files, folders, .zip archives) with a finished network, each at its own size.

    A photo that cannot be restyled is skipped and named. No file is overwritten but an earlier picture of the same
    photo by the same network; others' names get a number.
    """
    from models.pictures.photos import open_photos
    from models.pictures.skipped_files import SkippedFile
    from tuner.installation.environment import load_networks

    load_networks()
    from tuner.finished.picture_files import PictureFiles
    from tuner.finished.stylising import load_network, stylise_photos

    model = load_network(network)
    collection = open_photos(photos)
    if collection.skipped:
        click.echo(collection.describe_skipped(), err=True)
    ending = None if suffix is None else f".{suffix}"
    files = PictureFiles(output=output, suffix=ending, network=network, photos=collection.photos)
    files.check()
    num_pictures = num_skipped = 0
    for ended in stylise_photos(model, collection, files=files, size=size):
        if isinstance(ended, SkippedFile):
            click.echo(f"Skipped: {ended}", err=True)
            num_skipped += 1
        else:
            click.echo(str(ended))
            num_pictures += 1
    if not num_pictures:
        raise click.UsageError("None of the photos could be restyled; the reasons stand above.")
    click.echo(_summary(files.folder, num_pictures, num_skipped, collection.num_duplicates), err=True)


def _summary(folder: Path, num_pictures: int, num_skipped: int, num_duplicates: int) -> str:
    counts = [f"{num_pictures} picture{'s' if num_pictures != 1 else ''} in {folder}"]
    if num_skipped:
        counts.append(f"{num_skipped} photo{'s' if num_skipped != 1 else ''} skipped")
    if num_duplicates:
        counts.append(f"{num_duplicates} left out, equal to another byte for byte")
    return "; ".join(counts)
