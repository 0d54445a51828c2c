"""Restyling photos with a finished network."""

from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath

import click
import keras

from models.images import resize_short_side, write_image
from models.photos import open_photos
from models.style_network import stylise
from tuner.errors import NetworkFileError


def load_network(path: Path) -> keras.Model:
    """Load a finished network.

    Raises:
        NetworkFileError: The file is missing, or holds no style network.
    """
    if not path.is_file():
        raise NetworkFileError(f"Network {path} does not exist. Train one: styletuner train best.yaml -o {path}")
    try:
        network = keras.saving.load_model(path, compile=False)
    except (ValueError, OSError, TypeError, KeyError) as error:
        reason = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise NetworkFileError(f"{path} is no saved network: {reason}") from error
    if tuple(network.input_shape) != (None, None, None, 3) or tuple(network.output_shape)[-1] != 3:  # noqa: PLR2004
        raise NetworkFileError(f"{path} is no style network: it maps {network.input_shape} to {network.output_shape}.")
    return network


def stylise_photos(
    network: keras.Model, photos: Sequence[Path], *, output: Path, size: int | None, suffix: str
) -> Iterator[Path]:
    """Restyle photos one by one and yield where each picture was written.

    Two photos of one name get different pictures: a number is put behind the second.

    Raises:
        PhotosError: There are no photos.
        ImageError: A photo cannot be read any more, or a picture cannot be written.
        NetworkError: A photo is smaller than 16 px.
    """
    collection = open_photos(photos)
    if collection.skipped:
        click.echo(collection.describe_skipped(), err=True)
    taken: set[str] = set()
    for photo in sorted(collection.photos, key=lambda photo: photo.name):
        image = collection.read(photo)
        if size is not None:
            image = resize_short_side(image, size)
        path = output / _unused(PurePosixPath(photo.name).stem, suffix, taken)
        write_image(path, stylise(network, image[None])[0])
        yield path


def _unused(stem: str, suffix: str, taken: set[str]) -> str:
    name, number = f"{stem}{suffix}", 2
    while name in taken:
        name, number = f"{stem}-{number}{suffix}", number + 1
    taken.add(name)
    return name
