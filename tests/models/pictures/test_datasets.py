import shutil
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow

from models.errors import ImageError, PhotosError
from models.pictures import datasets
from models.pictures.datasets import (
    FreshCrops,
    HeldOutCounts,
    draw_crops,
    held_out_pictures,
    large_enough,
    split_photos,
)
from models.pictures.photos import Photo, PhotoCollection, open_photos

COUNTS = HeldOutCounts(rung=3, calibration=2, report=4)


def _write_flat(folder: Path, num_photos: int, *, height: int = 40, width: int = 60) -> Path:
    """Writes photos of one colour each, so that a crop tells which photo it comes from."""
    folder.mkdir(exist_ok=True)
    for number in range(num_photos):
        Pillow.new("RGB", (width, height), (10 * number, 100, 3)).save(folder / f"{number}.png")
    return folder


@pytest.fixture
def collection(tmp_path: Path) -> PhotoCollection:
    return open_photos([_write_flat(tmp_path / "photos", 20)])


def _truncate(photo: Photo, folder: Path) -> None:
    path = folder / Path(photo.name).name
    data = path.read_bytes()
    path.write_bytes(data[: data.index(b"IDAT") + 8])


def test_split_is_disjoint_complete_and_of_the_wanted_sizes(collection: PhotoCollection) -> None:
    split = split_photos(collection, held_out=COUNTS, seed=0, min_side=32)
    assert (len(split.rung), len(split.calibration), len(split.report), len(split.training)) == (3, 2, 4, 11)
    sets = (split.rung, split.calibration, split.report, split.training)
    assert all(not set(one) & set(other) for one, other in combinations(sets, 2))
    assert set().union(*sets) == set(collection.photos)


def test_split_depends_on_contents_and_seed_only(collection: PhotoCollection, tmp_path: Path) -> None:
    shuffled = tmp_path / "shuffled"
    shuffled.mkdir()
    for number in range(20):
        shutil.copy(tmp_path / "photos" / f"{number}.png", shuffled / f"{(number * 7) % 20}.png")
    hashes = [
        [photo.sha256 for photo in split_photos(each, held_out=COUNTS, seed=seed, min_side=32).rung]
        for each, seed in ((collection, 0), (open_photos([shuffled]), 0), (collection, 1))
    ]
    assert hashes[0] == hashes[1]
    assert hashes[0] != hashes[2]


def test_truncated_photos_are_never_held_out(tmp_path: Path) -> None:
    folder = _write_flat(tmp_path / "photos", 20)
    intact = split_photos(open_photos([folder]), held_out=COUNTS, seed=0, min_side=32)
    _truncate(intact.rung[0], folder)
    collection = open_photos([folder])
    split = split_photos(collection, held_out=COUNTS, seed=0, min_side=32)
    held_out = (*split.rung, *split.calibration, *split.report)
    assert intact.rung[0].name not in {photo.name for photo in held_out}
    assert [photo.sha256 for photo in split.rung[:2]] == [photo.sha256 for photo in intact.rung[1:]]
    assert len(held_out_pictures(collection, held_out, size=32)) == COUNTS.total
    assert [file.name for file in collection.skipped] == [intact.rung[0].name]


def test_too_few_photos_error_says_how_many_and_how_small(tmp_path: Path) -> None:
    folder = _write_flat(tmp_path / "photos", 6)
    for number, side in enumerate((20, 25)):
        Pillow.new("RGB", (60, side), (1, 2, number)).save(folder / f"small_{number}.png")
    (folder / "fake.png").write_text("no picture")
    with pytest.raises(
        PhotosError,
        match=r"at least 13 photos of 32 pixels or more: 9 to hold out and 4 to train on. Received 8: 6 can be used, "
        r"2 are too small \(shorter side 20 to 25 pixels, at least 32 needed\), 1 could not be read",
    ):
        split_photos(open_photos([folder]), held_out=COUNTS, seed=0, min_side=32)


def test_photos_smaller_than_the_crops_are_left_out_and_counted(tmp_path: Path) -> None:
    for number, (height, width) in enumerate([(130, 400), (192, 200), (300, 191), (500, 500)]):
        Pillow.new("RGB", (width, height), (number, 0, 0)).save(tmp_path / f"{number}.png")
    everything = open_photos([tmp_path]).photos
    kept, remark = large_enough(everything, size=192)
    assert {photo.short_side for photo in kept} == {192, 500}
    assert remark == "2 photos left out: smaller than the crops of 192 px (shorter side 130 to 191 px)"
    assert large_enough(kept, size=192) == (kept, "")
    _, remark = large_enough(everything, size=131)
    assert remark == "1 photo left out: smaller than the crops of 131 px (shorter side 130 px)"


def test_negative_held_out_count_is_an_error() -> None:
    with pytest.raises(PhotosError, match=r"`report` must be at least 0. Received -1"):
        HeldOutCounts(rung=1, calibration=1, report=-1)


def test_crops_visit_all_photos_evenly(collection: PhotoCollection) -> None:
    crops = draw_crops(collection, collection.photos, num_crops=50, size=16, seed=0)
    assert crops.shape == (50, 16, 16, 3)
    assert crops.dtype == np.uint8
    first, second, rest = (crops[rows, 8, 8, 0] for rows in (slice(20), slice(20, 40), slice(40, 50)))
    everything = [10 * number for number in range(20)]
    assert sorted(first.tolist()) == sorted(second.tolist()) == everything
    assert first.tolist() != second.tolist()
    assert len(set(rest.tolist())) == 10


def test_crops_depend_on_seed_and_contents_but_not_on_the_order_of_photos(collection: PhotoCollection) -> None:
    table = draw_crops(collection, collection.photos, num_crops=30, size=16, seed=3)
    backwards = draw_crops(collection, collection.photos[::-1], num_crops=30, size=16, seed=3)
    np.testing.assert_array_equal(table, backwards)
    longer = draw_crops(collection, collection.photos, num_crops=40, size=16, seed=3)
    np.testing.assert_array_equal(table, longer[:30])
    assert (table != draw_crops(collection, collection.photos, num_crops=30, size=16, seed=4)).any()


def test_broken_photo_is_replaced_and_named_once(tmp_path: Path) -> None:
    folder = _write_flat(tmp_path / "photos", 5)
    broken = open_photos([folder]).photos[2]
    _truncate(broken, folder)
    collection = open_photos([folder])
    crops = draw_crops(collection, collection.photos, num_crops=20, size=16, seed=0)
    colours = set(crops[:, 8, 8, 0].tolist())
    assert len(colours) == 4
    assert 10 * int(Path(broken.name).stem) not in colours
    assert [file.name for file in collection.skipped] == [broken.name]


def test_no_photo_that_can_be_decoded_is_an_error(tmp_path: Path) -> None:
    folder = _write_flat(tmp_path / "photos", 2)
    collection = open_photos([folder])
    for photo in collection.photos:
        (folder / Path(photo.name).name).unlink()
    with pytest.raises(PhotosError, match="Received 2, all broken"):
        draw_crops(collection, collection.photos, num_crops=3, size=16, seed=0)
    with pytest.raises(PhotosError, match="`photos` is empty"):
        FreshCrops(collection, [], batch_size=1, size=16, seed=0)


@settings(max_examples=100, deadline=None)
@given(height=st.integers(20, 120), width=st.integers(20, 120), size=st.integers(8, 40), seed=st.integers(0, 2**32 - 1))
def test_crop_is_a_square_over_60_to_100_percent_of_the_shorter_side(
    height: int, width: int, size: int, seed: int
) -> None:
    rows, columns = np.mgrid[0:height, 0:width]
    ramps = np.stack([rows, columns, 0 * rows], axis=-1).astype(np.uint8)
    crop = datasets._random_crop(Pillow.fromarray(ramps), size, np.random.default_rng(seed)).astype(float)
    # Away from the filter's edges a linear ramp stays linear, so its slope is the size of the crop in source pixels.
    middle = slice(size // 4, size - size // 4)
    positions = np.arange(size)[middle]
    tall = np.polyfit(positions, crop[middle, size // 2, 0], 1)[0] * size
    wide = abs(np.polyfit(positions, crop[size // 2, middle, 1], 1)[0]) * size
    tolerance = 2.0 + 1.5 * size / len(positions)
    assert tall == pytest.approx(wide, abs=2 * tolerance)
    assert 0.6 * min(height, width) - tolerance <= tall <= min(height, width) + tolerance


def test_half_of_the_crops_are_flipped() -> None:
    ramp = Pillow.fromarray(np.tile(np.arange(100, dtype=np.uint8)[None, :, None], (50, 1, 3)))
    crops = [datasets._random_crop(ramp, 16, np.random.default_rng(seed)) for seed in range(200)]
    flipped = sum(int(crop[8, 2, 0]) > int(crop[8, 13, 0]) for crop in crops)
    assert 70 <= flipped <= 130


def test_held_out_pictures_keep_their_shape_up_to_three_to_two(tmp_path: Path) -> None:
    folder = tmp_path / "photos"
    folder.mkdir()
    for width, height in ((100, 80), (80, 400), (300, 60)):
        Pillow.new("RGB", (width, height), (width % 256, 0, 51)).save(folder / f"{width}.png")
    collection = open_photos([folder])
    pictures = held_out_pictures(collection, collection.photos, size=40)
    shapes = {Path(photo.name).stem: picture.shape for photo, picture in zip(collection.photos, pictures, strict=True)}
    assert shapes == {"100": (40, 50, 3), "80": (60, 40, 3), "300": (40, 60, 3)}
    assert all(picture.dtype == np.float32 for picture in pictures)
    np.testing.assert_allclose(pictures[0][..., 2], 0.2, atol=1e-6)


def test_held_out_photo_that_disappears_is_an_error(collection: PhotoCollection, tmp_path: Path) -> None:
    photo = collection.photos[0]
    (tmp_path / "photos" / Path(photo.name).name).unlink()
    with pytest.raises(ImageError, match=r"held-out photo 'photos/\d+.png' can no longer be read"):
        held_out_pictures(collection, [photo], size=16)


def test_fresh_batches_depend_on_seed_and_index_only(collection: PhotoCollection) -> None:
    fresh = FreshCrops(collection, collection.photos, batch_size=3, size=16, seed=5)
    run = list(fresh.batches(num_batches=25))
    assert len(run) == 25
    assert run[0].shape == (3, 16, 16, 3)
    assert run[0].dtype == np.float32
    resumed = FreshCrops(collection, collection.photos[::-1], batch_size=3, size=16, seed=5)
    for index, batch in enumerate(resumed.batches(start=11, num_batches=14), start=11):
        np.testing.assert_array_equal(batch, run[index])
    np.testing.assert_array_equal(fresh.batch(20), run[20])


def test_fresh_crops_begin_as_the_table_does_and_then_go_on_for_ever(collection: PhotoCollection) -> None:
    table = draw_crops(collection, collection.photos, num_crops=8, size=16, seed=5).astype(np.float32) / np.float32(255)
    batches = FreshCrops(collection, collection.photos, batch_size=8, size=16, seed=5).batches()
    np.testing.assert_array_equal(next(batches), table)
    for _ in range(30):
        batch = next(batches)
    batches.close()
    assert 0.0 <= batch.min() <= batch.max() <= 1.0


def test_an_error_in_a_prefetch_thread_reaches_the_consumer(tmp_path: Path) -> None:
    folder = _write_flat(tmp_path / "photos", 2)
    collection = open_photos([folder])
    shutil.rmtree(folder)
    with pytest.raises(PhotosError, match="all broken"):
        next(FreshCrops(collection, collection.photos, batch_size=2, size=16, seed=0).batches())
