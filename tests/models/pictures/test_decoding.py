import io
import struct
import tracemalloc
import zlib
from collections import Counter
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from PIL import Image as Pillow
from PIL import ImageFile, ImageOps

from models.errors import ImageError
from models.pictures import decoding
from models.pictures.decoding import software_of
from models.pictures.images import measure_picture, open_picture, read_image, write_image
from tests.objectives.drawn_pictures import draw_photo

DAMAGES = 150  # of each kind and format
FORMATS = {
    "png": ("PNG", {}),
    "palette png": ("PNG", {}),
    "jpeg": ("JPEG", {}),
    "progressive jpeg": ("JPEG", {"progressive": True}),
    "webp": ("WEBP", {}),
    "lossless webp": ("WEBP", {"lossless": True}),
    "tiff": ("TIFF", {}),
    "deflated tiff": ("TIFF", {"compression": "tiff_deflate"}),
    "lzw tiff": ("TIFF", {"compression": "tiff_lzw"}),
    "bmp": ("BMP", {}),
    "gif": ("GIF", {}),
    **({"avif": ("AVIF", {})} if decoding.READS_AVIF else {}),
}
WITH_CHECKSUMS = ("png", "palette png")


def _picture(height: int = 48, width: int = 64) -> Pillow.Image:
    rows, columns = np.mgrid[0:height, 0:width]
    ramps = np.stack([4 * columns, 5 * rows, rows * columns], axis=-1) % 236
    return Pillow.fromarray((ramps + np.random.default_rng(0).integers(0, 20, ramps.shape)).astype(np.uint8))


def _encoded(name: str, picture: Pillow.Image | None = None, **options: object) -> bytes:
    file_format, own_options = FORMATS[name]
    picture = picture or _picture()
    buffer = io.BytesIO()
    (picture.convert("P") if name == "palette png" else picture).save(
        buffer, format=file_format, **own_options, **options
    )
    return buffer.getvalue()


def _outcome(data: bytes, whole: np.ndarray) -> str:
    """Whatever is not an `ImageError` fails the test."""
    for look in (measure_picture, open_picture):
        with suppress(ImageError):
            look(io.BytesIO(data))
    try:
        read = read_image(io.BytesIO(data))
    except ImageError:
        return "refused"
    return "same" if np.array_equal(read, whole) else "other"


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", FORMATS)
def test_a_damaged_picture_is_refused_or_at_least_ends_nothing(name: str) -> None:
    data, generator, outcomes = _encoded(name), np.random.default_rng(1), Counter[str]()
    whole = read_image(io.BytesIO(data))
    for num_bytes in (1, 12):
        for _ in range(DAMAGES):
            damaged = bytearray(data)
            for place in generator.integers(len(data), size=num_bytes):
                damaged[place] ^= int(generator.integers(1, 256))
            outcomes[_outcome(bytes(damaged), whole)] += 1
    assert outcomes["refused"] > 0
    if name in WITH_CHECKSUMS:
        assert outcomes["other"] == 0


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("name", FORMATS)
def test_a_truncated_picture_is_refused_whatever_the_format(name: str) -> None:
    data, generator = _encoded(name), np.random.default_rng(2)
    whole = read_image(io.BytesIO(data))
    outcomes = Counter(_outcome(data[: generator.integers(len(data))], whole) for _ in range(DAMAGES))
    assert outcomes["other"] == 0
    assert outcomes["refused"] > 0.9 * DAMAGES


def test_every_byte_of_a_pngs_pixels_counts(tmp_path: Path) -> None:
    data = _encoded("png")
    start = data.index(b"IDAT") + 4
    for place in range(start, len(data) - 20, 97):
        damaged = bytearray(data)
        damaged[place] ^= 0x10
        (tmp_path / "a.png").write_bytes(damaged)
        for read in (read_image, open_picture):
            with pytest.raises(ImageError, match=r"a\.png' is truncated or damaged"):
                read(tmp_path / "a.png")


@pytest.mark.parametrize("name", [name for name in FORMATS if name not in {"bmp", "gif"}])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_pictures_are_measured_and_decoded_upright_as_pillow_turns_them(name: str, orientation: int) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    data = _encoded(name, exif=exif)
    with Pillow.open(io.BytesIO(data)) as picture:
        expected = ImageOps.exif_transpose(picture).convert("RGB")
    np.testing.assert_array_equal(np.asarray(open_picture(io.BytesIO(data))), np.asarray(expected))
    assert measure_picture(io.BytesIO(data)) == (expected.height, expected.width)


def _with_chunk(png: bytes, kind: bytes, content: bytes, *, before: bytes) -> bytes:
    chunk = struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
    place = png.index(before) - 4
    return png[:place] + chunk + png[place:]


@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_orientation_may_stand_before_or_behind_a_pngs_pixels(before: bytes) -> None:
    exif = Pillow.Exif()
    exif[0x0112] = 6
    data = _with_chunk(_encoded("png"), b"eXIf", exif.tobytes().removeprefix(b"Exif\0\0"), before=before)
    assert measure_picture(io.BytesIO(data)) == (64, 48)
    assert open_picture(io.BytesIO(data)).size == (48, 64)


@pytest.mark.filterwarnings("ignore::UserWarning")
@pytest.mark.parametrize("content", [b"", b"garbage", b"MM\0*\0\0\0\x08\xff\xff" + b"\x01\x12" * 40])
@pytest.mark.parametrize("before", [b"IDAT", b"IEND"])
def test_broken_exif_data_around_an_intact_picture_leave_it_as_it_lies(content: bytes, before: bytes) -> None:
    data = _with_chunk(_encoded("png"), b"eXIf", content, before=before)
    assert measure_picture(io.BytesIO(data)) == (48, 64)
    np.testing.assert_array_equal(np.asarray(open_picture(io.BytesIO(data))), np.asarray(_picture()))


@pytest.mark.parametrize("name", FORMATS)
def test_measuring_decodes_nothing(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    data = _encoded(name)
    loaded = []
    monkeypatch.setattr(ImageFile.ImageFile, "load", loaded.append)
    assert measure_picture(io.BytesIO(data)) == (48, 64)
    assert not loaded


def test_measuring_a_large_png_takes_no_memory() -> None:
    data = _encoded("png", Pillow.new("RGB", (4000, 3000)))
    tracemalloc.start()
    try:
        assert measure_picture(io.BytesIO(data)) == (3000, 4000)
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert most < 1 << 20


@pytest.mark.skipif(not decoding.READS_AVIF, reason="this Pillow was built without AVIF")
def test_avif_is_a_picture_where_pillow_reads_it(tmp_path: Path) -> None:
    (tmp_path / "a.avif").write_bytes(_encoded("avif"))
    assert read_image(tmp_path / "a.avif").shape == (48, 64, 3)
    assert ".avif" in decoding.PICTURE_SUFFIXES


@pytest.mark.parametrize("name", ["a.heic", "a.jpg"])
def test_heic_is_named_with_what_to_do_whatever_it_is_called(tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_bytes(struct.pack(">I", 24) + b"ftypheic\0\0\0\0mif1heic" + bytes(200))
    for source in (tmp_path / name, io.BytesIO((tmp_path / name).read_bytes())):
        with pytest.raises(ImageError, match=r"is HEIC, which is not supported\. Convert it to JPEG"):
            read_image(source)


def test_a_picture_of_numbers_that_are_none_is_black_there(tmp_path: Path) -> None:
    Pillow.fromarray(np.array([[np.nan, 1.0]], dtype=np.float32)).save(tmp_path / "a.tif")
    np.testing.assert_array_equal(read_image(tmp_path / "a.tif")[..., 0], [[0, 1]])
    np.testing.assert_array_equal(np.asarray(open_picture(tmp_path / "a.tif"))[..., 0], [[0, 255]])


class TestSoftware:
    @pytest.mark.parametrize("name", ["a.png", "a.jpg", "a.webp", "a.tiff"])
    def test_is_read_back_and_changes_no_pixel(self, tmp_path: Path, name: str) -> None:
        image = draw_photo(1, height=40, width=48)
        write_image(tmp_path / name, image, software="a program, version 2")
        write_image(tmp_path / f"plain-{name}", image)
        assert software_of(tmp_path / name) == "a program, version 2"
        assert software_of(tmp_path / f"plain-{name}") is None
        np.testing.assert_array_equal(read_image(tmp_path / name), read_image(tmp_path / f"plain-{name}"))

    @pytest.mark.parametrize("content", [b"", b"a program, version 2"])
    def test_of_no_picture_is_not_known(self, tmp_path: Path, content: bytes) -> None:
        (tmp_path / "a.png").write_bytes(content)
        assert software_of(tmp_path / "a.png") is None
        assert software_of(tmp_path / "missing.png") is None
