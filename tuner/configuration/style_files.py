"""Which pictures are meant by the names of style images: files, folders, and patterns such as `*.jpg`."""

import glob
from collections.abc import Iterator, Sequence
from pathlib import Path

from models.errors import PhotosError
from models.pictures.photo_places import find_places
from tuner.errors import ConfigError


def find_styles(names: Sequence[str]) -> list[Path]:
    """Return the files that names stand for, in their order; of a folder and of a pattern in alphabetical order.

    What is a picture in a folder is found as content photos are, archives left out. A file is taken as it is named.

    Raises:
        ConfigError: A folder or a pattern has no pictures.
    """
    return [path for name in names for path in _files_of(name)]


def name_within(folder: Path, name: str) -> str:
    """Return a name that is relative to a folder as a path; the folder of a pattern is none, whatever it is called."""
    path = folder / name
    return str(Path(glob.escape(str(folder))) / name) if glob.has_magic(name) and not _is_there(path) else str(path)


def _files_of(name: str) -> Iterator[Path]:
    path = Path(name)
    if _is_folder(path):
        yield from _pictures_in(path)
    elif not _is_there(path) and glob.has_magic(name):
        found = sorted(glob.glob(name, recursive=True))  # noqa: PTH207  `Path.glob` takes no absolute pattern
        if not found:
            raise ConfigError(f"`style` {name!r} matches no file. Check the pattern.")
        for match in map(Path, found):
            yield from _pictures_in(match) if _is_folder(match) else [match]
    else:
        yield path


def _pictures_in(folder: Path) -> list[Path]:
    try:
        places, _ = find_places([folder])
    except PhotosError as error:
        raise ConfigError(f"`style` {str(folder)!r} cannot be searched. {error}") from error
    pictures = [place.path for place in places if place.member is None]
    if not pictures:
        raise ConfigError(f"The folder {str(folder)!r} has no pictures to take the style from. Name a picture file.")
    return pictures


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except (OSError, ValueError):  # a name too long, or with a NUL: what reads it says so
        return False


def _is_there(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return True
