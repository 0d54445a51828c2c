from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from models.errors import ImageError
from objectives.judging import scoring
from tuner.scoring.output_files import list_outputs


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    PIL.Image.new("RGB", (32, 24), "grey").save(tmp_path / "photo.png")
    return tmp_path / "photo.png"


def test_a_picture_is_listed_by_its_headers_and_read_with_its_photo(photo: Path, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (64, 48), "red").save(tmp_path / "cat.png")
    (output,) = list_outputs({tmp_path / "cat.png": photo}, style=photo)
    assert (output.size, output.photo_size) == ((48, 64), (24, 32))
    assert (output.name, output.photo_name) == (str(tmp_path / "cat.png"), str(photo))
    pixels = output.read()
    assert pixels.remark == ""
    assert pixels.picture.shape == (48, 64, 3)
    assert pixels.photo.shape == (24, 32, 3)


def test_copies_of_a_photo_are_one_photo_and_others_are_not(photo: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.png").write_bytes(photo.read_bytes())
    PIL.Image.new("RGB", (32, 24), "blue").save(tmp_path / "other.png")
    photo_of = {
        tmp_path / "copy.png": photo,
        photo: tmp_path / "copy.png",
        tmp_path / "other.png": tmp_path / "other.png",
    }
    first, second, third = (output.photo_id for output in list_outputs(photo_of, style=photo))
    assert first == second != third


@pytest.mark.parametrize("suffix", [".png", ".jpg"])
def test_a_huge_picture_is_read_no_larger_than_it_is_judged(
    suffix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scoring, "MAX_PIXELS", 60 * 40)
    steps = np.repeat(np.linspace(0, 255, 300, dtype=np.uint8)[None, :, None], 200, axis=0).repeat(3, axis=2)
    PIL.Image.fromarray(steps).save(tmp_path / f"huge{suffix}")
    huge = tmp_path / f"huge{suffix}"
    (output,) = list_outputs({huge: huge}, style=huge)
    assert (output.size, output.photo_size) == ((40, 60), (200, 300))
    pixels = output.read()
    assert pixels.picture.shape == pixels.photo.shape == (40, 60, 3)
    assert pixels.remark == "picture shrunk from 300x200 px to 60x40 px"
    np.testing.assert_allclose(pixels.picture[20, :, 0], np.linspace(0, 1, 60), atol=0.03)


def test_transparent_pixels_are_remarked(photo: Path, tmp_path: Path) -> None:
    PIL.Image.new("RGBA", (32, 24), (255, 0, 0, 128)).save(tmp_path / "cat.png")
    (output,) = list_outputs({tmp_path / "cat.png": photo}, style=photo)
    assert output.read().remark == "transparent pixels of picture taken for white"
    (output,) = list_outputs({photo: photo}, style=tmp_path / "cat.png")
    assert output.read().remark == "transparent pixels of style image taken for white"


def test_a_damaged_transparent_picture_is_named(photo: Path, tmp_path: Path) -> None:
    pixels = np.random.default_rng(0).integers(0, 255, (24, 32, 4), np.uint8)
    PIL.Image.fromarray(pixels).save(tmp_path / "whole.png")
    (tmp_path / "cat.png").write_bytes((tmp_path / "whole.png").read_bytes()[:1500])
    with pytest.raises(ImageError, match=r"cat\.png"):
        list_outputs({tmp_path / "cat.png": photo}, style=photo)[0].read()
