"""Files that are written whole or not at all: who follows one sees the old content or the new one, never a part."""

import os
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """Give a path to write to; what was written appears under its name only when the block ends well.

    It is on the disk then, and follows the umask like any new file.

    Args:
        path: What is there is replaced. Missing folders are made.

    Yields:
        A path in the same folder, with the same suffix.

    Raises:
        OSError: It cannot be written; nothing is left behind.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".writing-{uuid.uuid4().hex}{path.suffix}")
    try:
        yield temporary
        with temporary.open("rb+") as stream:
            os.fsync(stream.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file in one step; see `written_whole`."""
    with written_whole(path) as temporary:
        temporary.write_bytes(content)
