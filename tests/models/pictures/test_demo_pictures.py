from pathlib import Path

import numpy as np
import pytest

from models.errors import PhotosError
from models.pictures import demo_pictures
from models.pictures.datasets import HeldOutCounts, split_photos
from models.pictures.demo_pictures import DemoPictures, write_demo_pictures
from models.pictures.images import read_style_image, write_image
from models.pictures.photos import open_photos


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> DemoPictures:
    return write_demo_pictures(tmp_path_factory.mktemp("demo"))


def test_there_are_enough_large_photos_for_a_study(pictures: DemoPictures) -> None:
    collection = open_photos([pictures.photos])
    assert len(collection.photos) >= 36
    assert min(photo.short_side for photo in collection.photos) >= 160
    assert collection.skipped == ()
    assert collection.num_duplicates == 0
    split = split_photos(collection, held_out=HeldOutCounts(rung=8, calibration=4, report=8), seed=0, min_side=160)
    sources = {Path(photo.name).stem.split("_")[0] for photo in split.rung}
    assert len(sources) >= 3


def test_no_photo_is_empty(pictures: DemoPictures) -> None:
    collection = open_photos([pictures.photos])
    assert min(collection.read(photo).std() for photo in collection.photos) > 0.05


def test_painting_is_large_textured_and_of_strongly_different_colours(pictures: DemoPictures) -> None:
    style = read_style_image(pictures.style)
    assert style.shape == (512, 512, 3)
    steps = np.abs(np.diff(style.mean(axis=2), axis=1))
    assert steps.mean() > 0.02
    sky, field, moon = style[60:220, 180:260], style[420:, 160:], style[50:110, 400:460]
    assert sky[..., 2].mean() > sky[..., 0].mean() + 0.2
    assert field[..., 0].mean() > field[..., 2].mean() + 0.3
    assert moon.mean() > sky.mean() + 0.2


def test_painting_and_photos_are_the_same_every_time_and_existing_files_are_kept(
    pictures: DemoPictures, tmp_path: Path
) -> None:
    write_image(tmp_path / "photos" / "coffee.png", np.zeros((2, 2, 3), dtype=np.float32))
    kept = (tmp_path / "photos" / "coffee.png").read_bytes()
    again = write_demo_pictures(tmp_path)
    assert again.style.read_bytes() == pictures.style.read_bytes()
    assert (again.photos / "coffee.png").read_bytes() == kept
    for path in pictures.photos.iterdir():
        if path.name != "coffee.png":
            assert (again.photos / path.name).read_bytes() == path.read_bytes()


def test_missing_package_is_an_error_that_names_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(demo_pictures, "_SOURCES", (("no_such_package", "photo.png"),))
    with pytest.raises(PhotosError, match=r"needs 'photo.png' of the package 'no_such_package'"):
        write_demo_pictures(tmp_path)
