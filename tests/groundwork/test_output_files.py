"""One rule for every output: what may be written over, under which name, and what is said where it may not."""

import os
import socket
from pathlib import Path

import pytest

from groundwork.errors import OutputError
from groundwork.output_files import check_folder, check_output, free_path, is_same_or_inside

UNWRITABLE = Path("/proc")
"""Here even the superuser makes no file."""


def is_ours(path: Path) -> bool:
    return path.read_bytes().startswith(b"ours")


def check(path: Path, *, kept: tuple[Path, ...] = ()) -> None:
    check_output(path, called="`--sheet`", suffixes=(".png",), is_ours=is_ours, kept=kept)


@pytest.mark.parametrize("name", ["a.png", "A.PNG", "new/folder/a.png"])
def test_a_new_file_may_be_written_and_nothing_is_left_behind(tmp_path: Path, name: str) -> None:
    check(tmp_path / name)
    assert not list(tmp_path.iterdir())


def test_a_file_of_ours_may_be_replaced(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"ours, older")
    check(tmp_path / "a.png")
    assert (tmp_path / "a.png").read_bytes() == b"ours, older"


@pytest.mark.parametrize("name", ["styletuner.db", "a.jpg", "a", "a.png.db-wal"])
def test_suffix_that_does_not_fit(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError, match=rf"`--sheet` .*{name} must end in .png. Choose"):
        check(tmp_path / name)


def test_foreign_file(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(b"a photo")
    with pytest.raises(OutputError, match=r"a\.png is there and was not made by the same command. Choose another name"):
        check(tmp_path / "a.png")


def test_folder(tmp_path: Path) -> None:
    (tmp_path / "a.png").mkdir()
    with pytest.raises(OutputError, match=r"a\.png is a folder. Name a file in it"):
        check(tmp_path / "a.png")


@pytest.mark.parametrize("kind", ["pipe", "socket", "dangling link"])
def test_what_is_no_file_is_not_opened(tmp_path: Path, kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "a.png"
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        monkeypatch.chdir(tmp_path)  # a socket's path must be short
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind("a.png")
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(OutputError, match="is there"):
        check(path)
    assert free_path(path, is_ours=is_ours) == tmp_path / "a-2.png"


@pytest.mark.parametrize("link", ["none", "symbolic", "hard", "folder"])
def test_what_is_needed_is_not_written_over_under_any_name(tmp_path: Path, link: str) -> None:
    (tmp_path / "kept").mkdir()
    needed = tmp_path / "kept" / "a.png"
    needed.write_bytes(b"ours, and read by the command")
    path = tmp_path / "b.png"
    if link == "none":
        path = tmp_path / "kept" / ".." / "kept" / "a.png"
    elif link == "symbolic":
        path.symlink_to(needed)
    elif link == "hard":
        path.hardlink_to(needed)
    else:
        (tmp_path / "linked").symlink_to(tmp_path / "kept")
        path = tmp_path / "linked" / "a.png"
    with pytest.raises(OutputError, match=r"would overwrite .*kept/a\.png, which is needed"):
        check(path, kept=(needed,))
    assert free_path(path, is_ours=is_ours, kept=[needed]).name in {"a-2.png", "b-2.png"}


def test_nothing_is_written_into_a_folder_that_is_needed(tmp_path: Path) -> None:
    (tmp_path / "artifacts").mkdir()
    with pytest.raises(OutputError, match="artifacts, which is needed"):
        check(tmp_path / "artifacts" / "new.png", kept=(tmp_path / "artifacts",))
    assert not is_same_or_inside(tmp_path / "artifacts.png", tmp_path / "artifacts")


@pytest.mark.parametrize("where", ["file/a.png", "file/deeper/a.png", "x" * 300 + ".png"])
def test_place_where_nothing_can_be_written(tmp_path: Path, where: str) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(OutputError, match=r"`--sheet` .* cannot be written: .*\. Choose a folder"):
        check(tmp_path / where)


@pytest.mark.skipif(not UNWRITABLE.is_dir(), reason="no such folder on this system")
@pytest.mark.parametrize("name", ["", "new"])
def test_folder_that_takes_no_file(name: str) -> None:
    with pytest.raises(OutputError, match=r"`--output` /proc.* cannot be written to"):
        check_folder(UNWRITABLE / name, called="`--output`")
    with pytest.raises(OutputError, match=r"`--sheet` /proc.* cannot be written"):
        check(UNWRITABLE / name / "a.png")


def test_folder_that_can_be_made(tmp_path: Path) -> None:
    check_folder(tmp_path / "new" / "deeper", called="`--output`")
    assert not list(tmp_path.iterdir())


def test_numbers_go_on_past_what_is_there(tmp_path: Path) -> None:
    path = tmp_path / "a.png"
    assert free_path(path, is_ours=is_ours) == path
    path.write_bytes(b"a photo")
    (tmp_path / "a-2.png").write_bytes(b"another")
    (tmp_path / "a-3.png").write_bytes(b"ours")
    assert free_path(path, is_ours=is_ours).name == "a-3.png"
    assert free_path(path).name == "a-4.png"
