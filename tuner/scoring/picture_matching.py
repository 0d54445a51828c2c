"""The pictures that `styletuner score` is given: which belong together, and which photo each was made from."""

import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import final

from models.errors import ImageError
from models.pictures.images import measure_picture
from models.pictures.photo_places import is_picture_name
from models.pictures.regular_files import find_status, require_regular_file
from objectives.judging.scoring import check_sizes
from tuner.errors import PictureMatchError


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
        ImageError: A path leads to neither a folder nor a file.
    """
    return [PictureSet(name=str(path), files=_files(path)) for path in paths]


def match_photo(picture: Path, photos: Sequence[Path]) -> Path:
    """Find the photo that a picture was made from, by its name.

    Args:
        picture: "cat.png", "cat-2.jpg" and "cat_starry.png" belong to the photo "cat.jpg".
        photos: At least one, of one folder.

    Returns:
        The photo of the same stem, else that of the longest stem with which the picture's begins, if what follows is
        neither a letter nor a digit: "10.png" was not made from "1.jpg".

    Raises:
        PictureMatchError: No photo fits, or two fit as well.
    """
    folder = photos[0].parent
    fitting = [photo for photo in photos if _begins_with(picture.stem, photo.stem)]
    longest = max((len(photo.stem) for photo in fitting), default=0)
    best = [photo for photo in fitting if len(photo.stem) == longest]
    if not best:
        raise PictureMatchError(
            f"No photo in {folder} has the name of {picture}. Name each output like its photo, such as "
            f"{photos[0].stem}.png or {photos[0].stem}-starry.png."
        )
    if len(best) > 1:
        raise PictureMatchError(
            f"{picture} fits two photos, {best[0].name} and {best[1].name}. Leave one of them in {folder}."
        )
    return best[0]


def match_photos(sets: Sequence[PictureSet], photos: Path) -> list[tuple[PictureSet, dict[Path, Path]]]:
    """Find the photo of every picture of some sets, and see that all files can be pictures of them.

    Only headers are read, so that a fault in the last set is found before the first is scored.

    Args:
        sets: What `find_picture_sets` found.
        photos: The one photo of all pictures, or a folder of photos, which is searched by name: see `match_photo`.

    Returns:
        Each set with the photo of each of its files.

    Raises:
        PictureMatchError: See `match_photo`.
        ImageError: A file is no picture, or the photos' path leads to neither a folder nor a file.
        QualityError: A picture is too small, or has other proportions than its photo.
    """
    candidates, is_one = _files(photos), not _is_folder(photos)
    matched = [
        (found, {file: photos if is_one else match_photo(file, candidates) for file in found.files}) for found in sets
    ]
    for _, photo_of in matched:
        for file, photo in photo_of.items():
            check_sizes(str(file), measure_picture(file), measure_picture(photo))
    return matched


def _begins_with(stem: str, start: str) -> bool:
    return stem.startswith(start) and not stem[len(start) : len(start) + 1].isalnum()


def _files(path: Path) -> tuple[Path, ...]:
    if not _is_folder(path):
        return (path,)
    found = sorted(file for file in path.iterdir() if is_picture_name(file.name) and _is_file(file))
    if not found:
        raise PictureMatchError(f"There is no picture in {path}. Name a folder with PNG, JPEG or WebP files.")
    return tuple(found)


def _is_folder(path: Path) -> bool:
    """Tells a folder from a file, once, so that what is neither is named before pictures are matched."""
    if stat.S_ISDIR(find_status(path).st_mode):
        return True
    require_regular_file(path)
    return False


def _is_file(path: Path) -> bool:
    try:
        require_regular_file(path)
    except ImageError:
        return False
    return True
