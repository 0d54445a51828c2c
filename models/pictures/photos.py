"""Finds content photos in folders, files and zip archives, and reads them; the hash of its bytes identifies a photo."""

import hashlib
import io
import os
import threading
import zipfile
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, final

from PIL import Image as Pillow

from models.errors import ImageError, PhotosError
from models.pictures.images import PICTURE_SUFFIXES, Image, measure_picture, open_picture, read_image

MAX_READING_THREADS: Final = 8
"""Most threads that read files at once: beyond this a disk, not a core, is what they wait for."""

_MAX_FILE_BYTES: Final = 1 << 30  # 1 GiB: a film or an archive with a picture's suffix, and zip bombs
_JUNK_NAMES: Final = ("__macosx", "thumbs.db", "desktop.ini")  # what macOS and Windows leave behind
_NAMED_AT_MOST: Final = 5  # files named in one message; the rest is counted
_MEMBER_ERRORS: Final = (OSError, zipfile.BadZipFile, RuntimeError, NotImplementedError, EOFError, ValueError)


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


@dataclass(frozen=True, kw_only=True)
class SkippedFile:
    """A file that is left out; `reason` continues the sentence that `name` begins ("is truncated ...")."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} {self.reason}"


@dataclass(frozen=True, kw_only=True)
class _Location:
    """Where the bytes of a photo lie: a file, or a member of a zip archive."""

    name: str
    path: Path
    member: str | None = None


@final
class PhotoCollection:
    """All distinct photos found in some places, in the order of their hashes; made by `open_photos`.

    May be read from several threads. A file that turns out to be broken on decoding is added to `skipped` once.
    """

    def __init__(
        self, found: Sequence[tuple[Photo, _Location]], *, skipped: Sequence[SkippedFile], num_duplicates: int
    ) -> None:
        self.photos: Final = tuple(photo for photo, _ in found)
        self.num_duplicates: Final = num_duplicates
        self._locations = {photo.sha256: location for photo, location in found}
        self._skipped = {file.name: file for file in skipped}
        self._archives: dict[Path, zipfile.ZipFile] = {}
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
        return _describe(self.skipped)

    def read(self, photo: Photo) -> Image:
        """Reads a photo at full size.

        Args:
            photo: One of `photos`.

        Returns:
            Float32 RGB in [0, 1], shape (height, width, 3).

        Raises:
            ImageError: The file is gone, truncated or damaged.
        """
        return read_image(io.BytesIO(self._read_bytes(photo)), name=photo.name)

    def open(self, photo: Photo, *, at_least: int | None = None) -> Pillow.Image | None:
        """Decodes a photo for cropping, or notes in `skipped` why that is impossible.

        Args:
            photo: One of `photos`.
            at_least: Pixels; a large JPEG may come back smaller, with no side shorter than this. None: full size.

        Returns:
            An upright 8-bit RGB Pillow image, or None for a file that cannot be decoded.
        """
        try:
            return open_picture(io.BytesIO(self._read_bytes(photo)), name=photo.name, at_least=at_least)
        except ImageError as error:
            with self._lock:
                self._skipped.setdefault(photo.name, SkippedFile(name=photo.name, reason=_reason(photo.name, error)))
            return None

    def _read_bytes(self, photo: Photo) -> bytes:
        location = self._locations[photo.sha256]
        try:
            if location.member is None:
                return location.path.read_bytes()
            with self._lock:
                if location.path not in self._archives:
                    self._archives[location.path] = zipfile.ZipFile(location.path)
                archive = self._archives[location.path]
            return archive.read(location.member)
        except (*_MEMBER_ERRORS, KeyError) as error:
            raise ImageError(f"{photo.name!r} can no longer be read ({error}). Put the file back.") from error


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
    skipped: list[SkippedFile] = []
    locations: list[_Location] = []
    for path in paths:
        if not path.exists():
            raise PhotosError(f"`photos` must exist. Received {str(path)!r}. Check the path.")
        locations.extend(_locate(path, skipped))
    found, duplicates = _inspect_all(locations, skipped)
    if not found:
        places = ", ".join(repr(str(path)) for path in paths)
        told = f" {_describe(skipped)}." if skipped else ""
        raise PhotosError(f"`photos` must hold pictures (JPEG, PNG or WebP). Received {places} with none.{told}")
    return PhotoCollection(found, skipped=skipped, num_duplicates=duplicates)


def _locate(root: Path, skipped: list[SkippedFile]) -> Iterator[_Location]:
    if root.is_dir():
        yield from _walk(root, root.name, visited=set(), skipped=skipped)
    elif root.suffix.lower() == ".zip":
        yield from _list_archive(root, root.name, skipped)
    else:
        yield _Location(name=root.name, path=root)


def _walk(folder: Path, name: str, *, visited: set[Path], skipped: list[SkippedFile]) -> Iterator[_Location]:
    real = folder.resolve()
    if real in visited:
        return  # a link back to a folder above
    visited.add(real)
    try:
        children = sorted(folder.iterdir())
    except OSError as error:
        skipped.append(SkippedFile(name=name, reason=f"cannot be listed ({error.strerror})."))
        return
    for child in children:
        called = f"{name}/{child.name}" if name else child.name
        if _is_junk(child.name):
            continue
        if child.is_dir():
            yield from _walk(child, called, visited=visited, skipped=skipped)
        elif child.suffix.lower() == ".zip":
            yield from _list_archive(child, called, skipped)
        elif _is_picture_name(child.name) and child.is_file():
            yield _Location(name=called, path=child)
        else:
            skipped.append(SkippedFile(name=called, reason="is not a picture file."))


def _list_archive(path: Path, name: str, skipped: list[SkippedFile]) -> Iterator[_Location]:
    try:
        with zipfile.ZipFile(path) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
    except _MEMBER_ERRORS as error:
        skipped.append(SkippedFile(name=name, reason=f"is not a readable zip archive ({error})."))
        return
    for member in members:
        called = f"{name}/{member.filename}"
        if any(_is_junk(part) for part in PurePosixPath(member.filename).parts):
            continue
        if not _is_picture_name(member.filename):
            skipped.append(SkippedFile(name=called, reason="is not a picture file."))
        elif member.file_size > _MAX_FILE_BYTES:
            skipped.append(SkippedFile(name=called, reason=f"is larger than {_MAX_FILE_BYTES >> 20} MiB."))
        else:
            yield _Location(name=called, path=path, member=member.filename)


def _is_junk(name: str) -> bool:
    return (name.startswith(".") and name not in {".", ".."}) or name.lower() in _JUNK_NAMES


def _is_picture_name(name: str) -> bool:
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES


def _inspect_all(
    locations: Sequence[_Location], skipped: list[SkippedFile]
) -> tuple[list[tuple[Photo, _Location]], int]:
    archives = {place.path: zipfile.ZipFile(place.path) for place in locations if place.member is not None}
    try:
        with ThreadPoolExecutor(reading_threads()) as executor:
            results = list(executor.map(lambda place: _inspect(place, archives.get(place.path)), locations))
    finally:
        for archive in archives.values():
            archive.close()
    found: dict[str, tuple[Photo, _Location]] = {}
    for location, result in zip(locations, results, strict=True):
        if isinstance(result, SkippedFile):
            skipped.append(result)
        elif result.sha256 not in found or result.name < found[result.sha256][0].name:
            found[result.sha256] = (result, location)
    num_photos = sum(isinstance(result, Photo) for result in results)
    return [found[sha256] for sha256 in sorted(found)], num_photos - len(found)


def _inspect(location: _Location, archive: zipfile.ZipFile | None) -> Photo | SkippedFile:
    try:
        if archive is None and location.path.stat().st_size > _MAX_FILE_BYTES:
            return SkippedFile(name=location.name, reason=f"is larger than {_MAX_FILE_BYTES >> 20} MiB.")
        data = location.path.read_bytes() if archive is None else archive.read(location.member or "")
        height, width = measure_picture(io.BytesIO(data), name=location.name)
    except ImageError as error:
        return SkippedFile(name=location.name, reason=_reason(location.name, error))
    except _MEMBER_ERRORS as error:
        return SkippedFile(name=location.name, reason=f"cannot be read ({error}).")
    return Photo(name=location.name, sha256=hashlib.sha256(data).hexdigest(), height=height, width=width)


def reading_threads() -> int:
    """Number of threads that read and decode photos on this machine."""
    return min(MAX_READING_THREADS, os.cpu_count() or 1)


def _reason(name: str, error: ImageError) -> str:
    return str(error).removeprefix(f"{name!r} ")


def _describe(skipped: Sequence[SkippedFile]) -> str:
    if not skipped:
        return ""
    named = " ".join(str(file) for file in skipped[:_NAMED_AT_MOST])
    more = f" And {len(skipped) - _NAMED_AT_MOST} more." if len(skipped) > _NAMED_AT_MOST else ""
    return f"{len(skipped)} {'file' if len(skipped) == 1 else 'files'} skipped: {named}{more}"
