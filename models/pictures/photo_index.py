"""What is known of photos that were read before: their hashes and sizes, kept in one file of the user's cache.

An entry is found by what the file system says of a file, so that an unchanged photo need not be opened, and no path is
stored. The file is written whole. One that is missing, damaged or of another version counts as empty: everything in it
can be read again. Of two processes that write at the same moment the later wins, and what it lacks is read again.
"""

import hashlib
import os
import struct
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple, final

from groundwork.whole_files import write_whole

KEPT_DAYS: Final = 30
"""Days after which an entry that nobody asked for is dropped."""

SETTLED_NANOSECONDS: Final = 2_000_000_000
"""Two seconds, the coarsest clock of a common file system (FAT): a file that changed less than this ago may change once
more without a trace, so it is not noted yet."""

_MAGIC: Final = b"styletuner photo index 1\n"
_ENTRY: Final = struct.Struct("<16s32siii")  # key, SHA-256, height, width, day last seen
_SECONDS_PER_DAY: Final = 86_400


@final
@dataclass(frozen=True, kw_only=True)
class KnownPhoto:
    """What a photo's bytes say: their SHA-256 in hexadecimal digits, and height and width in pixels."""

    sha256: str
    height: int
    width: int


class _Entry(NamedTuple):
    sha256: bytes
    height: int
    width: int
    day: int


@final
class PhotoIndex:
    """The photos known on this machine; for one thread."""

    def __init__(self, path: Path, *, today: int | None = None) -> None:
        """Reads the index.

        Args:
            path: Its file, which need not exist.
            today: Days since 1970; None for the clock's.
        """
        self._path = path
        self._today = int(time.time() // _SECONDS_PER_DAY) if today is None else today
        self._entries = _read(path)
        self._changed: dict[bytes, _Entry] = {}

    def find(self, key: bytes) -> KnownPhoto | None:
        """What is known under a key of `photo_key`; None if nothing is."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        if entry.day != self._today:
            self._changed[key] = self._entries[key] = entry._replace(day=self._today)
        return KnownPhoto(sha256=entry.sha256.hex(), height=entry.height, width=entry.width)

    def add(self, key: bytes, photo: KnownPhoto) -> None:
        """Notes a photo under a key of `photo_key`."""
        entry = _Entry(bytes.fromhex(photo.sha256), photo.height, photo.width, self._today)
        self._changed[key] = self._entries[key] = entry

    def save(self) -> None:
        """Writes what is new, if anything, beside what others wrote meanwhile; a cache that refuses is done without."""
        if not self._changed:
            return
        entries = {**_read(self._path), **self._changed}
        kept = (_ENTRY.pack(key, *entry) for key, entry in entries.items() if abs(self._today - entry.day) <= KEPT_DAYS)
        content = b"".join(kept)
        try:
            write_whole(self._path, _MAGIC + hashlib.sha256(content).digest() + content)
        except OSError:
            return
        self._changed.clear()


def photo_key(path: str, status: os.stat_result, *, member: int | None = None) -> bytes:
    """What a photo is found by, 16 bytes: a file that was written, replaced or moved gets another.

    Args:
        path: Resolved path of the file, or of the archive that holds it.
        status: Of that file.
        member: Position in the archive.
    """
    stamps = (status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino, member)
    return hashlib.blake2b(os.fsencode(path) + repr(stamps).encode(), digest_size=16).digest()


def is_settled(status: os.stat_result, *, now: int) -> bool:
    """Returns whether a file last changed so long before `now`, in nanoseconds, that any later change will show."""
    return max(status.st_mtime_ns, status.st_ctime_ns) + SETTLED_NANOSECONDS < now


def _read(path: Path) -> dict[bytes, _Entry]:
    try:
        stored = path.read_bytes()
    except OSError:
        return {}
    start = len(_MAGIC) + hashlib.sha256().digest_size
    content = stored[start:]
    if stored[:start] != _MAGIC + hashlib.sha256(content).digest():
        return {}
    return {key: _Entry(*rest) for key, *rest in _ENTRY.iter_unpack(content)}
