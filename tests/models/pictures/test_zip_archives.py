import io
import stat
import struct
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow

from models.errors import PhotosError
from models.pictures import zip_archives
from models.pictures.photos import open_photos
from models.pictures.zip_archives import MEMBER_ERRORS, OpenArchives, list_members, refuse_member


def _encoded(seed: int, file_format: str = "PNG") -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (8, 9, 3), dtype=np.uint8)
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, format=file_format)
    return buffer.getvalue()


def _bitmap(seed: int) -> bytes:
    """Longer, packed, than what is unpacked to see its header; repeats itself, so that packing refers back."""
    generator = np.random.default_rng(seed)
    words = generator.integers(0, 256, (60, 12), dtype=np.uint8)
    pixels = words[generator.integers(0, 60, 8000)].reshape(160, 200, 3)
    buffer = io.BytesIO()
    Pillow.fromarray(pixels).save(buffer, format="BMP")
    return buffer.getvalue()


def _reason(path: Path, place: int = 0) -> str | None:
    member = list_members(path)[place]
    refused = refuse_member(member, name=member.name)
    return None if refused is None else str(refused)


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_no_damaged_byte_of_an_archive_ends_the_command(tmp_path: Path, method: int) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", method) as archive:
        for seed in range(2):
            archive.writestr(f"{seed}.bmp", _bitmap(seed))
    whole = path.read_bytes()
    hashes = {photo.sha256 for photo in open_photos([path]).photos}
    headers = [*range(50), *range(whole.index(b"PK\x01\x02"), len(whole))]
    kept = []
    for place in [*headers, *range(50, len(whole), len(whole) // 150)]:
        path.write_bytes(whole[:place] + bytes([whole[place] ^ (1 << place % 8)]) + whole[place + 1 :])
        try:
            collection = open_photos([path])
        except PhotosError:
            continue  # nothing is left
        kept.append(len(collection.photos))
        assert {photo.sha256 for photo in collection.photos} <= hashes
        assert all(collection.open(photo) is not None for photo in collection.photos)
        if place not in headers:
            assert len(collection.photos) + len(collection.skipped) == 2
    assert {1, 2} == set(kept)


def test_a_damaged_member_is_named_and_counted_like_a_damaged_file(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("good.png", _encoded(0))
        archive.writestr("bad.bmp", _encoded(1, "BMP"))
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.rindex(b"bad.bmp", 0, data.index(b"PK\x01\x02")) + 150] ^= 0xFF
    (tmp_path / "a.zip").write_bytes(data)
    collection = open_photos([tmp_path / "a.zip"])
    assert [photo.name for photo in collection.photos] == ["a.zip/good.png"]
    assert collection.describe_skipped().startswith("1 file skipped: a.zip/bad.bmp ")


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_members_of_equal_name_are_photos_of_their_own(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for seed in range(3):
            archive.writestr("cat.png", _encoded(seed))
    collection = open_photos([tmp_path / "a.zip"])
    assert {photo.name for photo in collection.photos} == {
        "a.zip/cat.png",
        "a.zip/cat.png (2)",
        "a.zip/cat.png (3)",
    }
    pictures = {collection.read(photo).tobytes() for photo in collection.photos}
    assert len(pictures) == 3


def test_zip_bombs_are_refused_by_their_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zip_archives, "SMALL_BYTES", 100_000)
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.png", bytes(100_001))
        archive.writestr("small.png", bytes(100_000))
        archive.writestr("dense.png", np.random.default_rng(0).bytes(100_001))
    assert "would unpack to" in (_reason(tmp_path / "a.zip", 0) or "")
    assert [_reason(tmp_path / "a.zip", place) for place in (1, 2)] == [None, None]
    monkeypatch.setattr(zip_archives, "MAX_FILE_BYTES", 1 << 16)
    assert "zeros.png is larger than" in (_reason(tmp_path / "a.zip", 0) or "")


def test_a_member_is_unpacked_to_no_more_than_its_directory_says(tmp_path: Path) -> None:
    """The size in the directory is a lie: the ratio would have refused the truth."""
    with zipfile.ZipFile(tmp_path / "a.zip", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros.png", bytes(10_000_000))
    data = (tmp_path / "a.zip").read_bytes()
    (tmp_path / "a.zip").write_bytes(data.replace(struct.pack("<L", 10_000_000), struct.pack("<L", 1000)))
    (member,) = list_members(tmp_path / "a.zip")
    with (
        OpenArchives() as archives,
        archives.open(tmp_path / "a.zip", member) as stream,
        pytest.raises(zipfile.BadZipFile),
    ):
        assert len(stream.read()) <= 1000


def test_what_is_no_picture_of_its_own_is_named(tmp_path: Path) -> None:
    link = zipfile.ZipInfo("link.png")
    link.create_system, link.external_attr = 3, (stat.S_IFLNK | 0o777) << 16
    folder = zipfile.ZipInfo("folder.png")
    folder.create_system, folder.external_attr = 3, (stat.S_IFDIR | 0o777) << 16
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr(link, "elsewhere.png")
        archive.writestr("line\nbreak.png", _encoded(0))
        archive.writestr(f"{300 * 'x'}.png", _encoded(1))
        archive.writestr("deep/er/", b"")
        archive.writestr(folder, b"")
        archive.writestr("../outside.png", _encoded(2))
    assert [member.position for member in list_members(tmp_path / "a.zip")] == [0, 1, 2, 5]
    collection = open_photos([tmp_path / "a.zip"])
    assert [photo.name for photo in collection.photos] == ["a.zip/../outside.png"]
    assert [str(file) for file in collection.skipped] == [
        "a.zip/line\ufffdbreak.png has a name that no file can have. Pack it under another.",
        "a.zip/link.png is a link. Pack the file that it leads to.",
        f"a.zip/{74 * 'x'}... has a name that no file can have. Pack it under another.",
    ]


def test_an_encrypted_member_is_named(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        archive.writestr("a.png", _encoded(0))
    data = bytearray((tmp_path / "a.zip").read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1  # general purpose flags in the directory
    data[data.index(b"PK\x03\x04") + 6] |= 1
    (tmp_path / "a.zip").write_bytes(data)
    assert _reason(tmp_path / "a.zip") == "a.png is encrypted. Unpack the archive and name the folder."


def test_what_is_no_archive_raises_one_of_the_named_errors(tmp_path: Path) -> None:
    (tmp_path / "a.zip").write_bytes(b"PK no archive")
    with pytest.raises(MEMBER_ERRORS):
        list_members(tmp_path / "a.zip")
