"""Zip archives of photos: what they hold is listed and read in pieces, and nothing in them is trusted."""

import lzma
import stat
import struct
import threading
import zipfile
import zlib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from types import TracebackType
from typing import BinaryIO, Final, Self, cast, final

from models.pictures.skipped_files import SkippedFile, is_printable, printable

MAX_FILE_BYTES: Final = 1 << 30
"""1 GiB: a film or an archive with a picture's suffix."""

MAX_UNPACKED_RATIO: Final = 100
"""Unpacked to packed size of a large member; photos, packed by themselves, stay near 1 and a bitmap of a drawing at 10
to 50. Deflate ends at 1,032."""

SMALL_BYTES: Final = 64 << 20
"""64 MiB: a member that unpacks to this may have any ratio, so a bitmap of one colour counts as a picture."""

MEMBER_ERRORS: Final = (
    OSError,
    zipfile.BadZipFile,
    RuntimeError,
    EOFError,
    ValueError,
    OverflowError,
    MemoryError,
    struct.error,
    zlib.error,
    lzma.LZMAError,
)
"""What `zipfile` raises at a damaged archive or member."""

_MAX_NAME_BYTES: Final = 255  # of one part of a path, on every common file system
_MAX_SHOWN: Final = 80  # characters of such a name in a message
_ENCRYPTED: Final = 0x1  # APPNOTE 4.4.4: general purpose bit 0
_UNIX_MODE: Final = 16  # upper half of the external attributes


@final
@dataclass(frozen=True, kw_only=True)
class ArchiveMember:
    """A file in an archive; `position` among its members tells those of equal name apart."""

    name: str
    position: int
    info: zipfile.ZipInfo


@final
class OpenArchives:
    """Archives that stay open between members, each opened once; may be read from several threads."""

    def __init__(self) -> None:
        self._opened: dict[Path, zipfile.ZipFile] = {}
        self._lock = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for archive in self._opened.values():
            archive.close()

    def open(self, path: Path, member: ArchiveMember) -> BinaryIO:
        """Opens a member; it is unpacked as it is read, and never to more than the archive's directory says.

        Raises:
            OSError, zipfile.BadZipFile and others of `MEMBER_ERRORS`: The archive or the member is gone or damaged;
                at a member's end too, where its checksum stands.
        """
        with self._lock:
            if path not in self._opened:
                self._opened[path] = zipfile.ZipFile(path)
        return cast("BinaryIO", self._opened[path].open(member.info))


def list_members(path: Path) -> list[ArchiveMember]:
    """Lists the files in an archive, without folders; those of a name that came before get a number behind it.

    Raises:
        OSError, zipfile.BadZipFile and others of `MEMBER_ERRORS`: It is no zip archive, or a damaged one.
    """
    with zipfile.ZipFile(path) as archive:
        infos = archive.infolist()
    seen: Counter[str] = Counter()
    members = []
    for position, info in enumerate(infos):
        if info.is_dir() or stat.S_ISDIR(info.external_attr >> _UNIX_MODE):
            continue
        seen[info.filename] += 1
        number = f" ({seen[info.filename]})" if seen[info.filename] > 1 else ""
        members.append(ArchiveMember(name=f"{info.filename}{number}", position=position, info=info))
    return members


def refuse_member(member: ArchiveMember, *, name: str) -> SkippedFile | None:
    """Says why a member is not read, as far as the archive's directory tells.

    Args:
        member: What is looked at.
        name: What it is called.
    """
    info = member.info
    if not is_printable(info.filename) or any(
        len(part.encode()) > _MAX_NAME_BYTES for part in PurePosixPath(info.filename).parts
    ):
        shown = printable(name)
        shown = shown if len(shown) <= _MAX_SHOWN else f"{shown[:_MAX_SHOWN]}..."
        return SkippedFile(name=shown, reason="has a name that no file can have. Pack it under another.")
    if stat.S_ISLNK(info.external_attr >> _UNIX_MODE):
        return SkippedFile(name=name, reason="is a link. Pack the file that it leads to.")
    if info.flag_bits & _ENCRYPTED:
        return SkippedFile(name=name, reason="is encrypted. Unpack the archive and name the folder.")
    if info.file_size > MAX_FILE_BYTES:
        return SkippedFile(name=name, reason=f"is larger than {MAX_FILE_BYTES >> 20} MiB.")
    if info.file_size > max(SMALL_BYTES, MAX_UNPACKED_RATIO * info.compress_size):
        ratio = info.file_size // max(1, info.compress_size)
        return SkippedFile(name=name, reason=f"would unpack to {ratio} times its size, as zip bombs do.")
    return None
