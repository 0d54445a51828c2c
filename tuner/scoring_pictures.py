"""The pictures that `styletuner score` is given: which belong together, and which photo each was made from."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, final

import numpy as np
import PIL.Image

from models.images import read_image
from objectives.scoring import Output
from tuner.errors import PictureMatchError

SUFFIXES: Final = frozenset({".bmp", ".gif", ".jpeg", ".jpg", ".png", ".tif", ".tiff", ".webp"})
"""What counts as a picture in a folder; a file that is named is read whatever it is called."""

OPAQUE: Final = 255
"""Of an alpha channel."""


@final
@dataclass(frozen=True, kw_only=True)
class PictureSet:
    """Pictures that are judged together: a folder's, as outputs of one network, or a single file.

    Attributes:
        name: As it was given.
        files: At least one.
    """

    name: str
    files: tuple[Path, ...]


def find_picture_sets(paths: Iterable[Path]) -> list[PictureSet]:
    """Each file is a set of its own, each folder's pictures are one.

    Raises:
        PictureMatchError: A folder holds no picture.
    """
    return [PictureSet(name=str(path), files=_files(path)) for path in paths]


def match_photo(picture: Path, photos: Path) -> Path:
    """Find the photo that a picture was made from.

    Args:
        picture: "cat.png", "cat-2.jpg" and "cat_starry.png" belong to the photo "cat.jpg".
        photos: The one photo of all pictures, or a folder of photos, which is searched by name.

    Returns:
        The photo of the same stem, else that of the longest stem with which the picture's begins.

    Raises:
        PictureMatchError: No photo of the folder fits, or two fit as well.
    """
    if not photos.is_dir():
        return photos
    candidates = _files(photos)
    fitting = [photo for photo in candidates if picture.stem.startswith(photo.stem)]
    longest = max((len(photo.stem) for photo in fitting), default=0)
    best = [photo for photo in fitting if len(photo.stem) == longest]
    if not best:
        raise PictureMatchError(
            f"No photo in {photos} has the name of {picture}. Name each output like its photo, such as "
            f"{candidates[0].stem}.png or {candidates[0].stem}-starry.png."
        )
    if len(best) > 1:
        raise PictureMatchError(
            f"{picture} fits two photos, {best[0].name} and {best[1].name}. Leave one of them in {photos}."
        )
    return best[0]


def read_outputs(files: Sequence[Path], photos: Path) -> list[Output]:
    """Read pictures with their photos.

    Raises:
        PictureMatchError: See `match_photo`.
        ImageError: A file is no readable picture.
    """
    matched = [(file, match_photo(file, photos)) for file in files]
    read = {photo: read_image(photo) for photo in {photo for _, photo in matched}}
    return [
        Output(name=str(file), picture=read_image(file), photo_name=str(photo), photo=read[photo])
        for file, photo in matched
    ]


def is_transparent(path: Path) -> bool:
    """Return whether a picture has see-through pixels, which are read as white."""
    with PIL.Image.open(path) as picture:
        if not picture.has_transparency_data:
            return False
        opacity = np.asarray(picture.convert("RGBA"))[..., 3]
    return bool(opacity.min() < OPAQUE)


def _files(path: Path) -> tuple[Path, ...]:
    if not path.is_dir():
        return (path,)
    found = sorted(file for file in path.iterdir() if file.is_file() and file.suffix.lower() in SUFFIXES)
    if not found:
        raise PictureMatchError(f"There is no picture in {path}. Name a folder with PNG, JPEG or WebP files.")
    return tuple(found)
