"""Finds content photos in folders, files and zip archives, and reads them; the hash of its bytes identifies a photo."""

import hashlib
import io
import os
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final, final

from PIL import Image as Pillow

from models.errors import ImageError, PhotosError
from models.pictures.images import Image, measure_picture, open_picture, read_image
from models.pictures.photo_index import KnownPhoto, PhotoIndex, is_settled
from models.pictures.photo_places import PhotoPlace, find_places
from models.pictures.regular_files import explain
from models.pictures.skipped_files import SkippedFile, describe_skipped
from models.pictures.zip_archives import MEMBER_ERRORS, OpenArchives
from models.pretrained.files import cache_folder

MAX_READING_THREADS: Final = 8
"""Most threads that read files at once: beyond this a disk, not a core, is what they wait for."""

INDEX_NAME: Final = "photo_index.bin"
"""File of the cache folder that says what is known of photos that were read before."""

_PIECE_BYTES: Final = 1 << 20  # read at once as a file is hashed


@dataclass(frozen=True, kw_only=True)
class Photo:
    """A readable content photo: its name below the folder it was found in, hash of its bytes, and size in pixels."""

    name: str
    sha256: str
    height: int
    width: int

    @property
    def short_side(self) -> int:
        """The shorter of height and width, in pixels."""
        return min(self.height, self.width)


@final
class PhotoCollection:
    """All distinct photos found in some places, in the order of their hashes; made by `open_photos`.

    May be read from several threads. A file that turns out to be broken on decoding is added to `skipped` once.
    """

    def __init__(
        self, found: Sequence[tuple[Photo, PhotoPlace]], *, skipped: Sequence[SkippedFile], num_duplicates: int
    ) -> None:
        self.photos: Final = tuple(photo for photo, _ in found)
        self.num_duplicates: Final = num_duplicates
        self._places = {photo.sha256: place for photo, place in found}
        self._skipped = {file.name: file for file in skipped}
        self._archives = OpenArchives()
        self._lock = threading.Lock()

    @property
    def skipped(self) -> tuple[SkippedFile, ...]:
        """Every file left out so far, each once, in the order of their names."""
        with self._lock:
            return tuple(self._skipped[name] for name in sorted(self._skipped))

    @property
    def digest(self) -> str:
        """Hash of all photos' hashes: equal for equal contents, whatever the files are called."""
        return hashlib.sha256("".join(photo.sha256 for photo in self.photos).encode()).hexdigest()

    def describe_skipped(self) -> str:
        """Says in one line how many files were skipped and why, naming the first few; empty where none was."""
        return describe_skipped(self.skipped)

    def read(self, photo: Photo) -> Image:
        """Reads a photo at full size.

        Args:
            photo: One of `photos`.

        Returns:
            Float32 RGB in [0, 1], shape (height, width, 3).

        Raises:
            ImageError: The file is gone, truncated or damaged.
        """
        with self._opened(photo) as stream:
            return read_image(stream, name=photo.name)

    def open(self, photo: Photo, *, at_least: int | None = None) -> Pillow.Image | None:
        """Decodes a photo for cropping, or notes in `skipped` why that is impossible.

        Args:
            photo: One of `photos`.
            at_least: Pixels; a large JPEG may come back smaller, with no side shorter than this. None: full size.

        Returns:
            An upright 8-bit RGB Pillow image, or None for a file that cannot be decoded.
        """
        try:
            with self._opened(photo) as stream:
                return open_picture(stream, name=photo.name, at_least=at_least)
        except ImageError as error:
            with self._lock:
                self._skipped.setdefault(photo.name, SkippedFile.because(photo.name, error))
            return None

    @contextmanager
    def _opened(self, photo: Photo) -> Iterator[BinaryIO]:
        """Gives the bytes of a photo: a member's are unpacked first, for a picture is not read from start to end."""
        place = self._places[photo.sha256]
        try:
            if place.member is None:
                stream: BinaryIO = place.path.open("rb")
            else:
                with self._archives.open(place.path, place.member) as packed:
                    stream = io.BytesIO(packed.read())
        except PermissionError as error:
            raise ImageError(f"{photo.name!r} {explain(place.path, error)}") from error
        except MEMBER_ERRORS as error:
            raise ImageError(f"{photo.name!r} can no longer be read ({error}). Put the file back.") from error
        with stream:
            yield stream


def open_photos(paths: Sequence[Path]) -> PhotoCollection:
    """Finds the photos in folders (nested), files and zip archives, and reads their hashes and sizes.

    Pictures with equal bytes count once. Hidden files, and what macOS and Windows leave behind, are ignored; every
    other file that is no picture is skipped and named in `PhotoCollection.skipped`.

    Args:
        paths: Folders, picture files and .zip archives, in any order.

    Returns:
        The collection; the same for the same contents, however the files are named and ordered.

    Raises:
        PhotosError: A path does not exist, or there is no photo at all.
    """
    if not paths:
        raise PhotosError("`photos` names no place to look. Received nothing. Name a folder, a zip archive or files.")
    places, skipped = find_places(paths)
    index = PhotoIndex(cache_folder() / INDEX_NAME)
    found, duplicates = _distinct(_look_up_or_inspect(places, index, skipped))
    index.save()
    if not found:
        named = ", ".join(repr(str(path)) for path in paths)
        told = f" {describe_skipped(skipped)}".rstrip()
        raise PhotosError(f"`photos` must hold pictures (JPEG, PNG or WebP). Received {named} with none.{told}")
    return PhotoCollection(found, skipped=skipped, num_duplicates=duplicates)


def _look_up_or_inspect(
    places: Sequence[PhotoPlace], index: PhotoIndex, skipped: list[SkippedFile]
) -> Iterator[tuple[Photo, PhotoPlace]]:
    """Yields the photos; those that the index does not know are opened, and noted in it."""
    now = time.time_ns()
    unknown = []
    for place in places:
        known = index.find(place.key)
        if known is None:
            unknown.append(place)
        else:
            yield _name(place, known), place
    for place, inspected in zip(unknown, _inspect_all(unknown), strict=True):
        if isinstance(inspected, SkippedFile):
            skipped.append(inspected)
            continue
        if is_settled(place.status, now=now):
            index.add(place.key, inspected)
        yield _name(place, inspected), place


def _inspect_all(places: Sequence[PhotoPlace]) -> list[KnownPhoto | SkippedFile]:
    with OpenArchives() as archives, ThreadPoolExecutor(reading_threads()) as executor:
        return list(executor.map(lambda place: _inspect(place, archives), places))


def _inspect(place: PhotoPlace, archives: OpenArchives) -> KnownPhoto | SkippedFile:
    """Reads a photo in pieces, so that a file that is no picture takes no memory whatever its size."""
    try:
        with place.path.open("rb") if place.member is None else archives.open(place.path, place.member) as stream:
            height, width = measure_picture(stream, name=place.name)
            stream.seek(0)
            sha256 = hashlib.sha256()
            while piece := stream.read(_PIECE_BYTES):
                sha256.update(piece)
    except ImageError as error:
        return SkippedFile.because(place.name, error)
    except OSError as error:
        return SkippedFile(name=place.name, reason=explain(place.path, error))
    except MEMBER_ERRORS as error:
        return SkippedFile(name=place.name, reason=f"cannot be read ({error}).")
    return KnownPhoto(sha256=sha256.hexdigest(), height=height, width=width)


def _name(place: PhotoPlace, known: KnownPhoto) -> Photo:
    return Photo(name=place.name, sha256=known.sha256, height=known.height, width=known.width)


def _distinct(photos: Iterable[tuple[Photo, PhotoPlace]]) -> tuple[list[tuple[Photo, PhotoPlace]], int]:
    """Each content once, under the first of its names in alphabetical order, and how many more there were."""
    found: dict[str, tuple[Photo, PhotoPlace]] = {}
    num_photos = 0
    for photo, place in photos:
        num_photos += 1
        if photo.sha256 not in found or photo.name < found[photo.sha256][0].name:
            found[photo.sha256] = (photo, place)
    return [found[sha256] for sha256 in sorted(found)], num_photos - len(found)


def reading_threads() -> int:
    """Number of threads that read and decode photos on this machine."""
    return min(MAX_READING_THREADS, os.cpu_count() or 1)
