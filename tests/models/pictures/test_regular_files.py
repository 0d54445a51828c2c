import os
import socket
from pathlib import Path

import pytest

from models.errors import ImageError
from models.pictures.images import is_transparent, measure_picture, open_picture, read_image, read_style_image
from models.pictures.regular_files import find_status, require_regular_file


def _make(folder: Path, kind: str) -> Path:
    path = folder / "x.png"
    match kind:
        case "folder":
            path.mkdir()
        case "pipe":
            os.mkfifo(path)
        case "link to a pipe":
            os.mkfifo(folder / "pipe")
            path.symlink_to("pipe")
        case "device":
            path.symlink_to("/dev/zero")
        case "dangling":
            path.symlink_to("gone.png")
        case "circle":
            path.symlink_to("x.png")
        case "below a file":
            (folder / "file").touch()
            path = folder / "file" / "x.png"
        case "long":
            path = folder / f"{300 * 'x'}.png"
        case "zero byte":
            path = folder / "x\0.png"
    return path


READERS = (require_regular_file, read_image, measure_picture, open_picture, read_style_image, is_transparent)


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize(
    ("kind", "reason"),
    [
        ("missing", "does not exist. Check the path."),
        ("folder", "is a folder"),
        ("pipe", "is a named pipe"),
        ("link to a pipe", "is a named pipe"),
        ("device", "is a device"),
        ("dangling", "is a dangling link to 'gone.png'"),
        ("circle", "is a link that leads in a circle"),
        ("below a file", "does not exist"),
        ("long", "cannot be read .File name too long"),
        ("zero byte", "cannot be read .*null byte"),
    ],
)
def test_what_is_no_file_is_named_and_not_waited_for(tmp_path: Path, kind: str, reason: str, read: object) -> None:
    path = _make(tmp_path, kind)
    with pytest.raises(ImageError, match=reason):
        read(path)


def test_a_socket_is_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with socket.socket(socket.AF_UNIX) as opened:
        opened.bind("x.png")
        with pytest.raises(ImageError, match=r"'x\.png' is a socket"):
            read_image(Path("x.png"))


def test_files_and_links_to_them_have_a_status(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"four")
    (tmp_path / "b").symlink_to("a")
    assert require_regular_file(tmp_path / "a").st_size == require_regular_file(tmp_path / "b").st_size == 4
    assert find_status(tmp_path).st_ino == tmp_path.stat().st_ino


def test_what_may_not_be_read_is_named(unprivileged_folder: Path) -> None:
    (unprivileged_folder / "closed").mkdir()
    (unprivileged_folder / "closed" / "a.png").write_bytes(b"")
    (unprivileged_folder / "link.png").symlink_to("closed/a.png")
    (unprivileged_folder / "b.png").write_bytes(b"")
    (unprivileged_folder / "b.png").chmod(0)
    (unprivileged_folder / "closed").chmod(0)
    for name in ("link.png", "b.png"):
        with pytest.raises(ImageError, match=f"{name}' may not be read. Change its permissions"):
            read_image(unprivileged_folder / name)
