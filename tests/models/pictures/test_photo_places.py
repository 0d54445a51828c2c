import inspect
import os
import sys
import zipfile
from pathlib import Path

import pytest

from models.errors import PhotosError
from models.pictures import decoding
from models.pictures.photo_places import find_places, is_picture_name


def _named(paths: list[Path]) -> tuple[list[str], dict[str, str]]:
    places, skipped = find_places(paths)
    return sorted(place.name for place in places), {file.name: file.reason for file in skipped}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    root = tmp_path / "photos"
    root.mkdir()
    (root / "a.png").touch()
    return root


@pytest.mark.parametrize("suffix", [".jpg", ".JPEG", ".png", ".webp", ".bmp", ".tif", ".tiff", ".gif"])
def test_pictures_are_known_by_their_suffix(suffix: str) -> None:
    assert is_picture_name(f"a{suffix}")
    assert not is_picture_name(suffix)
    assert not is_picture_name(f"a{suffix}x")


def test_what_is_no_file_is_skipped_and_named(folder: Path) -> None:
    os.mkfifo(folder / "pipe.png")
    os.mkfifo(folder / "pipe.zip")
    (folder / "zeros.png").symlink_to("/dev/zero")
    (folder / "gone.png").symlink_to("nowhere.png")
    (folder / "gone").symlink_to("nowhere")
    (folder / "circle").symlink_to("circle")
    names, reasons = _named([folder])
    assert names == ["photos/a.png"]
    assert {name.removeprefix("photos/"): reason.split(".")[0] for name, reason in reasons.items()} == {
        "pipe.png": "is a named pipe, which would be waited for",
        "pipe.zip": "is a named pipe, which would be waited for",
        "zeros.png": "is a device",
        "gone.png": "is a dangling link to 'nowhere",
        "gone": "is a dangling link to 'nowhere'",
        "circle": "is a link that leads in a circle",
    }


def test_links_to_folders_are_followed_once(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    (tmp_path / "other" / "b.png").touch()
    for name in ("one", "two"):
        (folder / name).symlink_to(tmp_path / "other")
    (tmp_path / "other" / "up").symlink_to(folder)
    (folder / "itself").symlink_to(".")
    names, reasons = _named([folder])
    assert names == ["photos/a.png", "photos/one/b.png"]
    assert reasons == {}


def test_a_folder_may_be_deeper_than_functions_may_call_each_other(folder: Path) -> None:
    deep = folder.joinpath(*300 * "d")
    deep.mkdir(parents=True)
    (deep / "b.png").touch()
    limit = sys.getrecursionlimit()
    sys.setrecursionlimit(len(inspect.stack()) + 200)
    try:
        names, _ = _named([folder])
    finally:
        sys.setrecursionlimit(limit)
    assert names == ["photos/a.png", f"photos/{300 * 'd/'}b.png"]


def test_what_may_not_be_read_is_skipped_and_the_rest_is_found(unprivileged_folder: Path) -> None:
    for name in ("closed", "open"):
        (unprivileged_folder / name).mkdir()
        (unprivileged_folder / name / "a.png").touch()
    (unprivileged_folder / "link").symlink_to("closed/a.png")
    (unprivileged_folder / "link.png").symlink_to("closed/a.png")
    (unprivileged_folder / "closed").chmod(0)
    names, reasons = _named([unprivileged_folder])
    root = unprivileged_folder.name
    assert names == [f"{root}/open/a.png"]
    assert reasons == {
        f"{root}/closed": "cannot be listed (Permission denied).",
        f"{root}/link": "may not be read. Change its permissions.",
        f"{root}/link.png": "may not be read. Change its permissions.",
    }
    with pytest.raises(PhotosError, match=r"must exist\. Received '.*link\.png', which may not be read"):
        find_places([unprivileged_folder / "link.png"])


def test_heic_says_what_to_do_and_avif_counts_where_pillow_reads_it(folder: Path) -> None:
    for name in ("b.heic", "c.HEIF", "d.avif", "e.txt"):
        (folder / name).touch()
    with zipfile.ZipFile(folder / "z.zip", "w") as archive:
        archive.writestr("f.heic", b"")
    names, reasons = _named([folder])
    assert ("photos/d.avif" in names) == decoding.READS_AVIF
    assert reasons["photos/b.heic"] == reasons["photos/c.HEIF"] == reasons["photos/z.zip/f.heic"] == decoding.NO_HEIC
    assert reasons["photos/e.txt"] == "is not a picture file."


def test_names_that_are_no_utf8_can_be_shown(folder: Path) -> None:
    Path(os.fsdecode(os.fsencode(folder) + b"/caf\xe9\n.png")).touch()
    names, _ = _named([folder])
    assert names == ["photos/a.png", "photos/caf\ufffd\ufffd.png"]
    assert names[1].encode()


def test_places_that_do_not_exist_are_an_error_and_a_pipe_is_skipped(tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to("nowhere")
    for name, reason in (("gone.png", "is a dangling link"), ("missing", "does not exist")):
        with pytest.raises(PhotosError, match=rf"must exist\. Received '.*{name}', which {reason}"):
            find_places([tmp_path / name])
    os.mkfifo(tmp_path / "pipe")
    names, reasons = _named([tmp_path / "pipe"])
    assert (names, list(reasons)) == ([], ["pipe"])


def test_a_place_is_found_again_by_the_same_key_by_whatever_way(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(folder)
    keys = [find_places([path])[0][0].key for path in (folder, tmp_path / "link", folder / "a.png")]
    assert keys[0] == keys[1] == keys[2]
    (folder / "a.png").write_bytes(b"changed")
    assert find_places([folder])[0][0].key != keys[0]
