"""What a file's content is known by."""

import hashlib
from pathlib import Path


def sha256_of(path: Path) -> str:
    """Return the hash of a file's content, in hexadecimal; the file is read piece by piece.

    Raises:
        OSError: It cannot be read.
    """
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
