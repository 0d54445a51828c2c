"""Where photos may lie: files found in folders, nested or linked, and members of zip archives."""

import os
import stat
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Final, final

from models.errors import ImageError, PhotosError
from models.pictures.decoding import NO_AVIF, NO_HEIC, PICTURE_SUFFIXES
from models.pictures.photo_index import photo_key
from models.pictures.regular_files import explain, find_status, require_regular_file
from models.pictures.skipped_files import SkippedFile, printable
from models.pictures.zip_archives import MAX_FILE_BYTES, MEMBER_ERRORS, ArchiveMember, list_members, refuse_member

_JUNK_NAMES: Final = ("__macosx", "thumbs.db", "desktop.ini")  # what macOS and Windows leave behind
_REASONS_BY_SUFFIX: Final = {".heic": NO_HEIC, ".heif": NO_HEIC, ".avif": NO_AVIF}


@final
@dataclass(frozen=True, kw_only=True)
class PhotoPlace:
    """Where the bytes of a photo lie: a file, or a member of a zip archive.

    Attributes:
        name: What the photo is called: its path from the folder or archive that was named.
        path: The file or archive.
        status: Of the file or archive, when it was found.
        key: What the photo is found by in the index.
        member: Which of the archive's; None for a file.
    """

    name: str
    path: Path
    status: os.stat_result
    key: bytes
    member: ArchiveMember | None = None


def find_places(paths: Sequence[Path]) -> tuple[list[PhotoPlace], list[SkippedFile]]:
    """Finds what may be photos, by names alone: no picture is opened.

    Args:
        paths: Folders, picture files and .zip archives, in any order.

    Returns:
        The places, and the files left out; what macOS and Windows leave behind is in neither.

    Raises:
        PhotosError: A path leads nowhere.
    """
    skipped: list[SkippedFile] = []
    places: list[PhotoPlace] = []
    for path in paths:
        try:
            status = find_status(path)
        except ImageError as error:
            reason = str(error).removeprefix(f"{str(path)!r} ")
            raise PhotosError(f"`photos` must exist. Received {str(path)!r}, which {reason}") from error
        if stat.S_ISDIR(status.st_mode):
            places.extend(_walk(path, skipped))
        else:
            places.extend(_locate(path, printable(path.name), os.path.realpath(path), skipped))
    return places, skipped


def is_picture_name(name: str) -> bool:
    """Returns whether a file counts as a picture when a folder or an archive is searched."""
    return PurePosixPath(name).suffix.lower() in PICTURE_SUFFIXES


def _walk(root: Path, skipped: list[SkippedFile]) -> Iterator[PhotoPlace]:
    visited: set[tuple[int, int]] = set()
    waiting = deque([(root, printable(root.name), os.path.realpath(root))])
    while waiting:
        folder, name, real = waiting.popleft()
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in visited:
                continue  # linked to from elsewhere, or from below itself
            visited.add((status.st_dev, status.st_ino))
            children = sorted(folder.iterdir())
        except OSError as error:
            skipped.append(SkippedFile(name=name, reason=f"cannot be listed ({error.strerror})."))
            continue
        for child in children:
            called = printable(f"{name}/{child.name}" if name else child.name)
            place = (child, called, f"{real}/{child.name}")
            if _is_junk(child.name):
                continue
            if _is_folder(child):
                waiting.append(place)
            elif is_picture_name(child.name) or child.suffix.lower() == ".zip":
                yield from _locate(*place, skipped)
            else:
                skipped.append(_leads_nowhere(child, called) or _no_picture(called))


def _is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False  # a link that may not be followed; `_locate` says so


def _locate(path: Path, name: str, real: str, skipped: list[SkippedFile]) -> Iterator[PhotoPlace]:
    """Yields the place of a file, or those of an archive's members."""
    try:
        status = require_regular_file(path, name=name)
    except ImageError as error:
        skipped.append(SkippedFile.because(name, error))
        return
    if path.suffix.lower() == ".zip":
        yield from _search_archive(path, name, status, real=real, skipped=skipped)
    elif status.st_size > MAX_FILE_BYTES:
        skipped.append(SkippedFile(name=name, reason=f"is larger than {MAX_FILE_BYTES >> 20} MiB."))
    else:
        yield PhotoPlace(name=name, path=path, status=status, key=photo_key(real, status))


def _search_archive(
    path: Path, name: str, status: os.stat_result, *, real: str, skipped: list[SkippedFile]
) -> Iterator[PhotoPlace]:
    try:
        members = list_members(path)
    except PermissionError as error:
        skipped.append(SkippedFile(name=name, reason=explain(path, error)))
        return
    except MEMBER_ERRORS as error:
        skipped.append(SkippedFile(name=name, reason=f"is not a readable zip archive ({error})."))
        return
    for member in members:
        if any(_is_junk(part) for part in PurePosixPath(member.info.filename).parts):
            continue
        called = f"{name}/{member.name}"
        refused = refuse_member(member, name=called)
        if refused is not None:
            skipped.append(refused)
        elif not is_picture_name(member.info.filename):
            skipped.append(_no_picture(called))
        else:
            key = photo_key(real, status, member=member.position)
            yield PhotoPlace(name=called, path=path, status=status, key=key, member=member)


def _is_junk(name: str) -> bool:
    return (name.startswith(".") and name not in {".", ".."}) or name.lower() in _JUNK_NAMES


def _leads_nowhere(path: Path, name: str) -> SkippedFile | None:
    try:
        find_status(path, name=name)
    except ImageError as error:
        return SkippedFile.because(name, error)
    return None


def _no_picture(name: str) -> SkippedFile:
    return SkippedFile(
        name=name, reason=_REASONS_BY_SUFFIX.get(PurePosixPath(name).suffix.lower(), "is not a picture file.")
    )
