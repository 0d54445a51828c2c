"""Restyling photos with a finished network."""

from collections.abc import Iterator
from pathlib import Path

import keras

from models.errors import ImageError
from models.networks.style_network import MINIMUM_SIZE, stylise
from models.pictures.decoding import MAX_PIXELS
from models.pictures.images import Image, resize_short_side, write_image
from models.pictures.photos import Photo, PhotoCollection
from models.pictures.skipped_files import SkippedFile
from tuner.checkpointed.saved_networks import read_network
from tuner.errors import NetworkFileError
from tuner.finished.picture_files import PictureFiles


def load_network(path: Path) -> keras.Model:
    """Load a finished network.

    Raises:
        NetworkFileError: The file is missing, or holds no style network.
    """
    if not path.is_file():
        raise NetworkFileError(f"Network {path} does not exist. Train one: styletuner train best.yaml -o {path}")
    network = read_network(path)
    if tuple(network.input_shape) != (None, None, None, 3) or tuple(network.output_shape)[-1] != 3:  # noqa: PLR2004
        raise NetworkFileError(f"{path} is no style network: it maps {network.input_shape} to {network.output_shape}.")
    return network


def stylise_photos(
    network: keras.Model, collection: PhotoCollection, *, files: PictureFiles, size: int | None
) -> Iterator[Path | SkippedFile]:
    """Restyle photos one by one, and yield for each where its picture was written, or why it was skipped.

    Args:
        network: A style network.
        collection: The photos.
        files: Where the pictures go; folders that are not there are made.
        size: Pixels that a photo's shorter side is resized to; None: left as it is.

    Raises:
        ImageError: A picture cannot be written.
    """
    for photo in sorted(collection.photos, key=lambda photo: photo.name):
        try:
            image = _read(collection, photo, size=size)
        except ImageError as error:
            yield SkippedFile.because(photo.name, error)
            continue
        path = files.choose(photo)
        write_image(path, stylise(network, image[None])[0], software=files.mark(photo))
        yield path


def _read(collection: PhotoCollection, photo: Photo, *, size: int | None) -> Image:
    """Read a photo at the size at which it is restyled.

    Raises:
        ImageError: It cannot be read, or is too small or too large at that size.
    """
    if size is not None and photo.height * photo.width * (size / photo.short_side) ** 2 > MAX_PIXELS:
        raise ImageError(f"{photo.name!r} would have more than {MAX_PIXELS} pixels. Use a smaller --size.")
    image = collection.read(photo)
    if size is not None:
        image = resize_short_side(image, size)
    height, width = image.shape[:2]
    if min(height, width) < MINIMUM_SIZE:
        raise ImageError(f"{photo.name!r} is {width} x {height} pixels, under {MINIMUM_SIZE}. Use --size.")
    return image
