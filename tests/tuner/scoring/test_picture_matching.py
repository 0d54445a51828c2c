import os
from pathlib import Path

import PIL.Image
import pytest

from models.errors import ImageError
from tuner.errors import PictureMatchError
from tuner.scoring.picture_matching import find_picture_sets, match_photo, match_photos


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    folder.mkdir()
    for name in ("1.png", "cat.jpg", "cat_two.jpg", "dog.png", "notes.txt"):
        PIL.Image.new("RGB", (32, 24), "grey").save(folder / name, format="PNG")
    return folder


@pytest.mark.parametrize(
    ("picture", "photo"),
    [
        ("cat.png", "cat.jpg"),
        ("cat-2.png", "cat.jpg"),
        ("cat_starry.webp", "cat.jpg"),
        ("cat_two.png", "cat_two.jpg"),
        ("cat_two-starry.png", "cat_two.jpg"),
        ("dog.png", "dog.png"),
        ("1-out.png", "1.png"),
    ],
)
def test_pictures_find_their_photo_by_name(photos: Path, picture: str, photo: str) -> None:
    assert match_photo(Path("out") / picture, sorted(photos.iterdir())) == photos / photo


def test_one_photo_is_that_of_all_pictures(photos: Path) -> None:
    ((_, photo_of),) = match_photos(find_picture_sets([photos / "1.png"]), photos / "dog.png")
    assert photo_of == {photos / "1.png": photos / "dog.png"}


def test_pictures_without_a_photo_or_with_two_are_named(photos: Path) -> None:
    with pytest.raises(PictureMatchError, match=r"No photo in .*photos has the name .*bird\.png\. .*1-starry\.png"):
        match_photo(Path("out/bird.png"), sorted(photos.iterdir()))
    for name in ("10.png", "cats.png"):
        with pytest.raises(PictureMatchError, match="No photo"):
            match_photo(Path(name), sorted(photos.iterdir()))
    PIL.Image.new("RGB", (32, 24)).save(photos / "dog.jpg")
    with pytest.raises(PictureMatchError, match=r"out/dog\.png fits two photos, dog\.jpg and dog\.png"):
        match_photo(Path("out/dog.png"), sorted(photos.iterdir()))


def test_files_are_sets_of_their_own_and_a_folders_pictures_are_one(photos: Path) -> None:
    sets = find_picture_sets([photos / "dog.png", photos])
    assert [found.name for found in sets] == [str(photos / "dog.png"), str(photos)]
    assert [[file.name for file in found.files] for found in sets] == [
        ["dog.png"],
        ["1.png", "cat.jpg", "cat_two.jpg", "dog.png"],
    ]


def test_a_folder_without_pictures_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(PictureMatchError, match=r"There is no picture in .*empty"):
        find_picture_sets([tmp_path / "empty"])


def test_a_path_that_leads_nowhere_is_named_before_photos_are_looked_for(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "gone.png").symlink_to("nowhere.png")
    os.mkfifo(tmp_path / "pipe.png")
    for name, reason in (
        ("missing.png", "does not exist"),
        ("gone.png", "is a dangling link"),
        ("pipe.png", "is a named pipe"),
    ):
        with pytest.raises(ImageError, match=rf"{name}' {reason}"):
            match_photos(find_picture_sets([tmp_path / name]), photos)
        with pytest.raises(ImageError, match=rf"{name}' {reason}"):
            match_photos(find_picture_sets([photos / "dog.png"]), tmp_path / name)


def test_what_is_no_file_in_a_folder_of_pictures_is_passed_over(photos: Path) -> None:
    os.mkfifo(photos / "pipe.png")
    (photos / "gone.png").symlink_to("nowhere.png")
    (photos / "cat.jpg").rename(photos / "cat.gif")
    (found,) = find_picture_sets([photos])
    assert [file.name for file in found.files] == ["1.png", "cat.gif", "cat_two.jpg", "dog.png"]


def test_faults_of_the_last_set_are_found_by_headers_alone(photos: Path, tmp_path: Path) -> None:
    PIL.Image.new("RGB", (32, 32)).save(tmp_path / "dog.png")
    (tmp_path / "1.png").write_bytes(b"no picture")
    for name, message in (("dog.png", "must have the photo's proportions"), ("1.png", "1.png")):
        with pytest.raises(ValueError, match=message):
            match_photos(find_picture_sets([photos / "cat.jpg", tmp_path / name]), photos)
