import os
import stat
from pathlib import Path

import pytest

from groundwork.whole_files import write_whole, written_whole


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_what_is_there_is_replaced_by_a_file_that_follows_the_umask(tmp_path: Path, umask: int, mode: int) -> None:
    path = tmp_path / "a.txt"
    path.write_text("a longer text than the new one")
    before = os.umask(umask)
    try:
        write_whole(path, b"new")
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == mode
    assert list(tmp_path.iterdir()) == [path]


def test_missing_folders_are_made(tmp_path: Path) -> None:
    write_whole(tmp_path / "nowhere" / "a.txt", b"new")
    assert (tmp_path / "nowhere" / "a.txt").read_bytes() == b"new"


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_whole(tmp_path / "folder", b"new")
    with pytest.raises(ZeroDivisionError), written_whole(tmp_path / "b.txt") as temporary:
        temporary.write_text(str(1 / 0))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_the_path_to_write_to_has_the_suffix(tmp_path: Path) -> None:
    with written_whole(tmp_path / "net.keras") as temporary:
        assert temporary.suffix == ".keras"
        temporary.write_bytes(b"net")
    assert (tmp_path / "net.keras").read_bytes() == b"net"
