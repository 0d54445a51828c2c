import hashlib
from pathlib import Path

import pytest

from groundwork.file_hashes import sha256_of


@pytest.mark.parametrize("content", [b"", b"sky", bytes(range(256)) * 8192], ids=["empty", "short", "2 MiB"])
def test_hash_is_of_the_whole_content(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(content)
    assert sha256_of(path) == hashlib.sha256(content).hexdigest()


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="none"):
        sha256_of(tmp_path / "none.bin")
