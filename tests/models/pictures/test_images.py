import io
import subprocess
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageOps

from models.errors import ImageError
from models.pictures import decoding, images
from models.pictures.images import (
    centre_crop,
    is_transparent,
    measure_picture,
    open_picture,
    read_image,
    read_style_image,
    resize,
    resize_short_side,
    style_remark,
    write_image,
)


def _noise(height: int, width: int, seed: int = 0) -> images.Image:
    return np.random.default_rng(seed).uniform(size=(height, width, 3)).astype(np.float32)


def _save(picture: Pillow.Image, path: Path, **options: object) -> Path:
    picture.save(path, **options)
    return path


def test_png_round_trip_keeps_every_8_bit_value(tmp_path: Path) -> None:
    levels = np.arange(256, dtype=np.float32).repeat(3).reshape(16, 16, 3) / np.float32(255)
    write_image(tmp_path / "levels.png", levels)
    read = read_image(tmp_path / "levels.png")
    assert read.dtype == np.float32
    np.testing.assert_array_equal(read, levels)


@pytest.mark.parametrize("suffix", [".png", ".webp", ".bmp", ".tif"])
def test_lossless_formats_round_trip_within_half_a_level(tmp_path: Path, suffix: str) -> None:
    image = _noise(9, 13)
    write_image(tmp_path / f"noise{suffix}", image)
    np.testing.assert_allclose(read_image(tmp_path / f"noise{suffix}"), image, atol=0.5 / 255 + 1e-6)


def test_transparent_pixels_are_read_over_white(tmp_path: Path) -> None:
    pixels = np.zeros((2, 2, 4), dtype=np.uint8)
    pixels[0, 0] = (255, 0, 0, 255)
    pixels[0, 1] = (0, 0, 0, 51)
    read = read_image(_save(Pillow.fromarray(pixels), tmp_path / "alpha.png"))
    np.testing.assert_allclose(read[0, 0], [1, 0, 0])
    np.testing.assert_allclose(read[0, 1], [0.8] * 3, atol=1 / 255)
    np.testing.assert_allclose(read[1], 1.0)


def test_transparent_palette_colour_is_read_over_white(tmp_path: Path) -> None:
    picture = Pillow.fromarray(np.array([[0, 1]], dtype=np.uint8))
    picture = picture.convert("P")
    picture.putpalette([0, 0, 0, 0, 0, 255])
    picture.putdata([0, 1])
    read = read_image(_save(picture, tmp_path / "palette.png", transparency=0))
    np.testing.assert_allclose(read, [[[1, 1, 1], [0, 0, 1]]])


def test_grey_and_black_and_white_have_three_equal_channels(tmp_path: Path) -> None:
    grey = read_image(_save(Pillow.new("L", (5, 4), 51), tmp_path / "grey.png"))
    assert grey.shape == (4, 5, 3)
    np.testing.assert_allclose(grey, 0.2, rtol=1e-6)
    np.testing.assert_array_equal(read_image(_save(Pillow.new("1", (5, 4), 1), tmp_path / "bit.png")), 1.0)


def test_16_bit_grey_keeps_its_precision(tmp_path: Path) -> None:
    levels = np.array([[0, 1, 32768, 65535]], dtype=np.uint16)
    path = _save(Pillow.fromarray(levels), tmp_path / "deep.png")
    np.testing.assert_allclose(read_image(path)[..., 1], levels / 65535, rtol=1e-6)
    np.testing.assert_array_equal(np.asarray(open_picture(path))[0, :, 0], [0, 0, 128, 255])


def test_cmyk_jpeg_has_the_right_colours(tmp_path: Path) -> None:
    picture = Pillow.new("CMYK", (16, 16), (0, 255, 255, 0))
    np.testing.assert_allclose(read_image(_save(picture, tmp_path / "cmyk.jpg"))[8, 8], [1, 0, 0], atol=0.02)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_orientation_is_applied_as_pillow_applies_it(tmp_path: Path, orientation: int) -> None:
    levels = np.zeros((6, 10, 3), dtype=np.uint8)
    levels[:2, :5] = (255, 0, 0)
    exif = Pillow.Exif()
    exif[0x0112] = orientation
    path = _save(Pillow.fromarray(levels), tmp_path / "turned.png", exif=exif)
    expected = np.asarray(ImageOps.exif_transpose(Pillow.open(path)), dtype=np.float32) / 255
    np.testing.assert_array_equal(read_image(path), expected)
    assert measure_picture(path) == expected.shape[:2]


def test_reads_open_files_and_names_them(tmp_path: Path) -> None:
    write_image(tmp_path / "noise.png", _noise(4, 4))
    data = (tmp_path / "noise.png").read_bytes()
    assert read_image(io.BytesIO(data)).shape == (4, 4, 3)
    with pytest.raises(ImageError, match="'holiday' is truncated or damaged"):
        read_image(io.BytesIO(data[:-30]), name="holiday")


def test_large_jpeg_may_be_decoded_smaller_but_not_below_the_wanted_size(tmp_path: Path) -> None:
    path = _save(Pillow.new("RGB", (800, 600), "red"), tmp_path / "large.jpg")
    assert open_picture(path).size == (800, 600)
    reduced = open_picture(path, at_least=140)
    assert reduced.size == (200, 150)
    np.testing.assert_allclose(np.asarray(reduced)[0, 0], [255, 0, 0], atol=3)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp"])
def test_truncated_file_is_an_error_that_names_it(tmp_path: Path, suffix: str) -> None:
    write_image(tmp_path / f"whole{suffix}", _noise(64, 64))
    path = tmp_path / f"cut{suffix}"
    data = (tmp_path / f"whole{suffix}").read_bytes()
    path.write_bytes(data[: len(data) // 2])
    with pytest.raises(ImageError, match=f"cut{suffix}.*(truncated or damaged|not a picture)"):
        read_image(path)


def test_other_unreadable_files_are_errors_that_say_what_they_are(tmp_path: Path) -> None:
    (tmp_path / "words.jpg").write_text("no picture")
    with pytest.raises(ImageError, match=r"words.jpg' is not a picture in a known format"):
        read_image(tmp_path / "words.jpg")
    (tmp_path / "empty.png").touch()
    with pytest.raises(ImageError, match=r"empty.png' is not a picture"):
        measure_picture(tmp_path / "empty.png")
    with pytest.raises(ImageError, match=r"gone.png' does not exist"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(ImageError, match="is a folder"):
        read_image(tmp_path)


@pytest.mark.parametrize("factor", [1.5, 3.0])
def test_decompression_bomb_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, factor: float) -> None:
    path = _save(Pillow.new("RGB", (100, 100)), tmp_path / "bomb.png")
    monkeypatch.setattr(decoding, "MAX_PIXELS", 5_000)
    monkeypatch.setattr(Pillow, "MAX_IMAGE_PIXELS", round(10_000 / factor))
    for read in (read_image, measure_picture, open_picture):
        with pytest.raises(ImageError, match=r"bomb.png.* more than|bomb.png' has more"):
            read(path)


def test_broken_exif_data_do_not_spoil_an_intact_picture(tmp_path: Path) -> None:
    path = _save(Pillow.new("RGB", (8, 8), "white"), tmp_path / "exif.jpg", exif=b"Exif\x00\x00MM\x00*garbage")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        np.testing.assert_array_equal(read_image(path), 1.0)


def test_write_leaves_no_partial_file_when_the_disk_refuses(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_image(tmp_path / "kept.png", np.zeros((4, 4, 3), dtype=np.float32))

    def fill_the_disk(_: Pillow.Image, path: Path, **__: object) -> None:
        path.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Pillow.Image, "save", fill_the_disk)
    with pytest.raises(ImageError, match=r"kept.png' cannot be written: No space left"):
        write_image(tmp_path / "kept.png", np.ones((4, 4, 3), dtype=np.float32))
    assert [path.name for path in tmp_path.iterdir()] == ["kept.png"]
    np.testing.assert_array_equal(read_image(tmp_path / "kept.png"), 0.0)


def test_write_makes_folders_clips_values_and_checks_its_arguments(tmp_path: Path) -> None:
    image = np.array([[[-1.0, 2.0, np.nan]]], dtype=np.float32)
    write_image(tmp_path / "new" / "folder" / "x.png", image)
    np.testing.assert_array_equal(read_image(tmp_path / "new" / "folder" / "x.png"), [[[0, 1, 0]]])
    with pytest.raises(ImageError, match=r"must end in one of .png.*Received '.*x.gif'"):
        write_image(tmp_path / "x.gif", image)
    with pytest.raises(ImageError, match=r"Received \(4, 4\)"):
        write_image(tmp_path / "x.png", np.zeros((4, 4), dtype=np.float32))


def test_resize_keeps_a_constant_and_averages_a_fine_checkerboard() -> None:
    constant = np.full((31, 17, 3), 0.3, dtype=np.float32)
    np.testing.assert_allclose(resize(constant, height=7, width=40), 0.3, atol=1e-6)
    board = np.indices((64, 64)).sum(axis=0) % 2
    small = resize(np.repeat(board[..., None], 3, axis=2).astype(np.float32), height=8, width=8)
    np.testing.assert_allclose(small[2:-2, 2:-2], 0.5, atol=0.01)


def test_resize_works_below_8_bit_precision_and_copies() -> None:
    faint = np.full((8, 8, 3), 0.5, dtype=np.float32)
    faint[:, 4:] += np.float32(1e-3)
    assert len(np.unique(resize(faint, height=16, width=16))) > 4
    same = resize(faint, height=8, width=8)
    same[:] = 0
    assert faint[0, 0, 0] == 0.5


@settings(max_examples=50, deadline=None)
@given(height=st.integers(1, 60), width=st.integers(1, 60), size=st.integers(1, 60))
def test_short_side_is_exact_and_values_stay_in_range(height: int, width: int, size: int) -> None:
    resized = resize_short_side(_noise(height, width), size)
    assert min(resized.shape[:2]) == size
    assert resized.dtype == np.float32
    assert 0.0 <= resized.min() <= resized.max() <= 1.0


def test_centre_crop_takes_the_middle_and_refuses_to_enlarge() -> None:
    image = _noise(7, 9)
    np.testing.assert_array_equal(centre_crop(image, height=3, width=5), image[2:5, 2:7])
    with pytest.raises(ImageError, match=r"within the picture's 7 x 9 pixels. Received 8 x 5"):
        centre_crop(image, height=8, width=5)
    with pytest.raises(ImageError, match="at least 1"):
        resize(image, height=0, width=5)


def test_style_image_is_resized_to_its_shorter_side(tmp_path: Path) -> None:
    write_image(tmp_path / "style.png", _noise(40, 60))
    assert read_style_image(tmp_path / "style.png").shape == (40, 60, 3)
    assert read_style_image(tmp_path / "style.png", size=80).shape == (80, 120, 3)


def test_style_image_must_be_large_enough_and_not_flat(tmp_path: Path) -> None:
    write_image(tmp_path / "small.png", _noise(31, 60))
    with pytest.raises(ImageError, match=r"at least 32 pixels on each side. Received .*small.png' of 60 x 31"):
        read_style_image(tmp_path / "small.png")
    red = np.zeros((64, 64, 3), dtype=np.float32)
    red[..., 0] = 1.0 - 0.01 * _noise(64, 64)[..., 0]
    write_image(tmp_path / "red.png", red)
    with pytest.raises(ImageError, match=r"must show a texture. Received .*red.png'"):
        read_style_image(tmp_path / "red.png")


def test_images_and_datasets_load_no_network_library() -> None:
    program = (
        "import sys, models.pictures.images, models.pictures.datasets, models.pictures.demo_pictures\n"
        "print([name for name in ('keras', 'tensorflow', 'torch', 'jax', 'skimage', 'sklearn') if name in sys.modules])"
    )
    finished = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert finished.stdout.strip() == "[]"


def test_transparent_pixels_are_seen(tmp_path: Path) -> None:
    pixels = np.full((8, 8, 4), 255, np.uint8)
    Pillow.fromarray(pixels).save(tmp_path / "opaque.png")
    pixels[0, 0, 3] = 0
    Pillow.fromarray(pixels).save(tmp_path / "hole.png")
    Pillow.new("RGB", (8, 8)).save(tmp_path / "plain.png")
    assert [is_transparent(tmp_path / f"{name}.png") for name in ("opaque", "hole", "plain")] == [False, True, False]


def test_a_transparent_style_image_is_remarked_on(tmp_path: Path) -> None:
    pixels = np.full((8, 8, 4), 255, np.uint8)
    Pillow.fromarray(pixels).save(tmp_path / "opaque.png")
    pixels[3, 4, 3] = 254
    Pillow.fromarray(pixels).save(tmp_path / "hole.png")
    assert style_remark(tmp_path / "opaque.png") == ""
    assert style_remark(tmp_path / "hole.png") == (
        f"transparent pixels of the style image {tmp_path / 'hole.png'} are taken for white"
    )
