import io
import os
import shutil
import subprocess
import sys
import time
import tracemalloc
import zipfile
from pathlib import Path
from typing import BinaryIO

import numpy as np
import pytest
from PIL import Image as Pillow

from models.errors import ImageError, PhotosError
from models.pictures import photo_index, photos
from models.pictures.images import measure_picture
from models.pictures.photos import PhotoCollection, open_photos


def _picture(seed: int, height: int = 40, width: int = 50) -> Pillow.Image:
    return Pillow.fromarray(np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8))


def _encoded(seed: int, file_format: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    _picture(seed).save(buffer, format=file_format)
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three pictures, two of them nested."""
    root = tmp_path / "holiday"
    (root / "beach" / "day one").mkdir(parents=True)
    (root / "a.PNG").write_bytes(_encoded(0))
    (root / "beach" / "b.jpeg").write_bytes(_encoded(1, "JPEG"))
    (root / "beach" / "day one" / "c.webp").write_bytes(_encoded(2, "WEBP"))
    return root


def _names(collection: PhotoCollection) -> set[str]:
    return {photo.name for photo in collection.photos}


def test_finds_nested_pictures_of_every_format_with_their_sizes(folder: Path) -> None:
    collection = open_photos([folder])
    assert _names(collection) == {"holiday/a.PNG", "holiday/beach/b.jpeg", "holiday/beach/day one/c.webp"}
    assert [photo.sha256 for photo in collection.photos] == sorted(photo.sha256 for photo in collection.photos)
    assert {(photo.height, photo.width, photo.short_side) for photo in collection.photos} == {(40, 50, 40)}
    assert collection.skipped == ()
    assert collection.describe_skipped() == ""


def test_reads_pixels(folder: Path) -> None:
    collection = open_photos([folder / "a.PNG"])
    image = collection.read(collection.photos[0])
    np.testing.assert_array_equal(image, np.asarray(_picture(0), dtype=np.float32) / np.float32(255))


def test_zip_archive_holds_the_same_photos_as_the_folder(folder: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "zipped"), "zip", folder))
    zipped, plain = open_photos([archive]), open_photos([folder])
    assert zipped.digest == plain.digest
    for one, other in zip(zipped.photos, plain.photos, strict=True):
        np.testing.assert_array_equal(zipped.read(one), plain.read(other))
    assert _names(zipped) == {"zipped.zip/a.PNG", "zipped.zip/beach/b.jpeg", "zipped.zip/beach/day one/c.webp"}


def test_junk_of_macos_and_windows_is_ignored_silently(folder: Path, tmp_path: Path) -> None:
    (folder / ".DS_Store").write_bytes(b"junk")
    (folder / "._a.png").write_bytes(b"junk")
    (folder / "Thumbs.db").write_bytes(b"junk")
    with zipfile.ZipFile(tmp_path / "mac.zip", "w") as archive:
        archive.writestr("trip/x.png", _encoded(7))
        archive.writestr("__MACOSX/trip/._x.png", b"junk")
        archive.writestr("trip/.DS_Store", b"junk")
    collection = open_photos([folder, tmp_path / "mac.zip"])
    assert len(collection.photos) == 4
    assert collection.skipped == ()


def test_equal_contents_count_once_and_names_and_order_do_not_matter(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "renamed"
    other.mkdir()
    for number, path in enumerate(sorted(folder.rglob("*.*"), reverse=True)):
        shutil.copy(path, other / f"{number}{path.suffix}")
    both = open_photos([other, folder])
    assert both.photos == open_photos([folder, other]).photos
    assert both.num_duplicates == 3
    assert both.digest == open_photos([folder]).digest == open_photos([other]).digest


def test_files_that_are_no_pictures_are_skipped_and_named_once(folder: Path) -> None:
    (folder / "notes.txt").write_text("hello")
    (folder / "fake.jpg").write_text("no picture")
    (folder / "broken.zip").write_bytes(b"PK no archive")
    collection = open_photos([folder, folder])
    assert [file.name for file in collection.skipped] == ["holiday/broken.zip", "holiday/fake.jpg", "holiday/notes.txt"]
    assert "not a readable zip archive" in collection.skipped[0].reason
    assert str(collection.skipped[1]).startswith("holiday/fake.jpg is not a picture in a known format.")
    assert collection.describe_skipped().startswith("3 files skipped: holiday/broken.zip is not")
    assert len(collection.photos) == 3


def test_truncated_photo_is_found_when_decoded_and_named_once(folder: Path) -> None:
    data = _encoded(3, "JPEG")
    (folder / "cut.jpg").write_bytes(data[: len(data) // 2])
    collection = open_photos([folder])
    cut = next(photo for photo in collection.photos if photo.name.endswith("cut.jpg"))
    assert collection.open(cut) is None
    assert collection.open(cut, at_least=16) is None
    assert [file.name for file in collection.skipped] == ["holiday/cut.jpg"]
    assert collection.skipped[0].reason.startswith("is truncated or damaged")
    with pytest.raises(ImageError, match=r"holiday/cut.jpg' is truncated"):
        collection.read(cut)


def test_many_skipped_files_are_counted_and_the_first_named(folder: Path) -> None:
    for number in range(8):
        (folder / f"{number}.txt").touch()
    described = open_photos([folder]).describe_skipped()
    assert described.startswith("8 files skipped: holiday/0.txt is not a picture file.")
    assert described.endswith("And 3 more.")


def test_damaged_member_of_an_intact_archive_is_skipped(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "photos.zip", "w") as archive:
        archive.writestr("good.png", _encoded(0))
        archive.writestr("bad.png", _encoded(1))
    data = bytearray((tmp_path / "photos.zip").read_bytes())
    place = data.rindex(_encoded(1)[100:140])
    data[place] ^= 0xFF
    (tmp_path / "photos.zip").write_bytes(data)
    collection = open_photos([tmp_path / "photos.zip"])
    assert _names(collection) == {"photos.zip/good.png"}
    assert "Bad CRC-32" in collection.skipped[0].reason


def test_photo_that_disappears_is_an_error_that_names_it(folder: Path) -> None:
    collection = open_photos([folder / "a.PNG"])
    (folder / "a.PNG").unlink()
    with pytest.raises(ImageError, match=r"'a.PNG' can no longer be read.*Put the file back"):
        collection.read(collection.photos[0])


def test_link_back_to_a_folder_above_ends(folder: Path) -> None:
    (folder / "beach" / "loop").symlink_to(folder, target_is_directory=True)
    collection = open_photos([folder])
    assert (len(collection.photos), collection.num_duplicates) == (3, 0)


def test_missing_and_empty_places_are_errors(tmp_path: Path) -> None:
    with pytest.raises(PhotosError, match="Received nothing"):
        open_photos([])
    with pytest.raises(PhotosError, match=r"must exist. Received '.*nowhere'"):
        open_photos([tmp_path / "nowhere"])
    with pytest.raises(PhotosError, match=r"must hold pictures.* with none\.$"):
        open_photos([tmp_path])
    (tmp_path / "broken.zip").write_bytes(b"PK")
    with pytest.raises(PhotosError, match=r"with none\. 1 file skipped: broken.zip is not a readable zip"):
        open_photos([tmp_path / "broken.zip"])
    with pytest.raises(PhotosError, match=r"[^.]\.$"):
        open_photos([tmp_path / "broken.zip"])


@pytest.fixture
def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of the photos that are opened to be measured; files count as settled at once."""
    names: list[str] = []

    def measure(stream: BinaryIO, *, name: str) -> tuple[int, int]:
        names.append(name)
        return measure_picture(stream, name=name)

    monkeypatch.setattr(photos, "measure_picture", measure)
    monkeypatch.setattr(photo_index, "SETTLED_NANOSECONDS", 0)
    return names


def test_known_photos_are_not_opened_again_in_folders_and_archives(
    folder: Path, tmp_path: Path, opened: list[str]
) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "zipped"), "zip", folder))
    (folder / "notes.png").write_text("no picture")
    first = open_photos([folder, archive])
    assert len(opened) == 7
    second = open_photos([archive, folder])
    assert opened[7:] == ["holiday/notes.png"]
    assert (second.photos, second.skipped, second.num_duplicates) == (first.photos, first.skipped, 3)
    assert {photo.name for photo in open_photos([archive]).photos} > {"zipped.zip/a.PNG"}
    assert len(opened) == 8


def test_no_file_is_opened_at_a_second_start(folder: Path) -> None:
    """As the system sees it, in a process of its own."""
    program = (
        "import sys\nfrom pathlib import Path\nfrom models.pictures import photo_index, photos\n"
        "photo_index.SETTLED_NANOSECONDS = 0\nopened = []\n"
        "sys.addaudithook(lambda event, given: opened.append(str(given[0])) if event == 'open' else None)\n"
        "for _ in range(2):\n"
        "    photos.open_photos([Path(sys.argv[1])])\n"
        "    print(sum(path.startswith(sys.argv[1]) for path in opened))\n"
    )
    finished = subprocess.run([sys.executable, "-c", program, str(folder)], capture_output=True, text=True, check=True)
    assert finished.stdout.split() == ["3", "3"]


def test_a_changed_photo_is_read_again_though_its_size_and_time_are_as_before(folder: Path, opened: list[str]) -> None:
    path = folder / "a.PNG"
    before = open_photos([folder])
    status = path.stat()
    path.write_bytes(_encoded(0)[:-4] + b"\0\0\0\0")
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (path.stat().st_size, path.stat().st_mtime_ns) == (status.st_size, status.st_mtime_ns)
    after = open_photos([folder])
    assert opened[3:] == ["holiday/a.PNG"]
    assert before.digest != after.digest


def test_a_photo_that_just_changed_is_not_noted(folder: Path, opened: list[str], cache: Path) -> None:
    os.utime(folder / "a.PNG", ns=(0, time.time_ns() + 10**12))
    open_photos([folder])
    open_photos([folder])
    assert opened[3:] == ["holiday/a.PNG"]
    assert (cache / photos.INDEX_NAME).is_file()


def test_a_spoilt_index_is_written_anew(folder: Path, opened: list[str], cache: Path) -> None:
    first = open_photos([folder])
    index = cache / photos.INDEX_NAME
    index.write_bytes(index.read_bytes()[:-1])
    assert open_photos([folder]).photos == first.photos
    assert len(opened) == 6
    open_photos([folder])
    assert len(opened) == 6


def test_a_cache_folder_that_cannot_be_made_is_done_without(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("STYLETUNER_CACHE", str(tmp_path / "file" / "cache"))
    assert len(open_photos([folder]).photos) == 3


def test_many_zeros_in_an_archive_take_no_memory(folder: Path) -> None:
    with zipfile.ZipFile(folder / "zeros.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(2):
            archive.writestr(f"{number}.png", bytes(50_000_000))
    tracemalloc.start()
    try:
        collection = open_photos([folder])
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 20_000_000
    assert [file.name for file in collection.skipped] == ["holiday/zeros.zip/0.png", "holiday/zeros.zip/1.png"]


def test_an_archive_that_disappears_meanwhile_is_an_error_that_names_the_photo(folder: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "zipped"), "zip", folder))
    collection = open_photos([archive])
    archive.unlink()
    with pytest.raises(ImageError, match=r"'zipped.zip/.*' can no longer be read.*Put the file back"):
        collection.read(collection.photos[0])


def test_a_photo_that_may_not_be_read_says_so_in_the_words_of_links(unprivileged_folder: Path) -> None:
    for name in ("closed.png", "open.png"):
        (unprivileged_folder / name).write_bytes(_encoded(len(name)))
    with zipfile.ZipFile(unprivileged_folder / "closed.zip", "w") as archive:
        archive.writestr("a.png", _encoded(7))
    for name in ("closed.png", "closed.zip"):
        (unprivileged_folder / name).chmod(0)
    collection = open_photos([unprivileged_folder])
    root = unprivileged_folder.name
    assert {str(file) for file in collection.skipped} == {
        f"{root}/{name} may not be read. Change its permissions." for name in ("closed.png", "closed.zip")
    }
    (unprivileged_folder / "open.png").chmod(0)
    with pytest.raises(ImageError, match=r"open\.png' may not be read\. Change its permissions\.$"):
        collection.read(collection.photos[0])
