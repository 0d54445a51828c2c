"""Splits photos into training and held-out sets and cuts crops from them, with nothing but NumPy and threads.

Everything here depends on a seed and on the photos' bytes: never on file names, the order of paths, or thread timing.
"""

import hashlib
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, islice
from math import ceil
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from models.errors import ImageError, PhotosError
from models.pictures.images import Image, centre_crop, resize_short_side
from models.pictures.photos import Photo, PhotoCollection, reading_threads

MIN_TRAINING_PHOTOS: Final = 4
"""Fewest photos left for training: a batch of four of the published trainers is then not one photo four times."""

SMALLEST_CROP: Final = 0.6
"""Side of the smallest crop relative to the photo's shorter side: objects keep within a factor 1.7 of their scale."""

LONGEST_SHAPE: Final = 1.5
"""Longest to shortest side of a held-out picture: 3:2, the shape of most cameras' photos."""

_HELD_OUT_OVERSIZE: Final = 2  # a held-out JPEG is decoded to at least twice the wanted size, then filtered down


@dataclass(frozen=True, kw_only=True)
class HeldOutCounts:
    """Number of photos in each held-out set, all at least 0."""

    rung: int
    calibration: int
    report: int

    def __post_init__(self) -> None:
        for name in ("rung", "calibration", "report"):
            if getattr(self, name) < 0:
                raise PhotosError(f"`{name}` must be at least 0. Received {getattr(self, name)}. Raise it.")

    @property
    def total(self) -> int:
        """Number of photos held out altogether."""
        return self.rung + self.calibration + self.report


@dataclass(frozen=True, kw_only=True)
class PhotoSplit:
    """Disjoint sets of photos: training; rung (scoring and pruning); calibration; report (touched only by reports)."""

    training: tuple[Photo, ...]
    rung: tuple[Photo, ...]
    calibration: tuple[Photo, ...]
    report: tuple[Photo, ...]


def split_photos(collection: PhotoCollection, *, held_out: HeldOutCounts, seed: int, min_side: int) -> PhotoSplit:
    """Splits the photos by a hash of seed and content; every held-out photo is decoded once to prove it intact.

    Args:
        collection: All photos.
        held_out: How many photos each held-out set gets.
        seed: Chooses the split.
        min_side: Pixels; photos with a shorter side are left out.

    Returns:
        Disjoint sets; all that is not held out is for training.

    Raises:
        PhotosError: Fewer photos can be used than the held-out sets and `MIN_TRAINING_PHOTOS` need.
    """
    large = [photo for photo in collection.photos if photo.short_side >= min_side]
    ranked = sorted(large, key=lambda photo: hashlib.sha256(f"{seed}:{photo.sha256}".encode()).digest())
    needed = held_out.total + MIN_TRAINING_PHOTOS
    usable: list[Photo] = []
    for position, photo in enumerate(ranked):
        if len(usable) == needed:
            usable.extend(ranked[position:])
            break
        if collection.open(photo, at_least=min_side) is not None:
            usable.append(photo)
    if len(usable) < needed:
        raise PhotosError(_too_few(collection, len(usable), needed=needed, held_out=held_out, min_side=min_side))
    remaining = iter(usable)
    return PhotoSplit(
        rung=tuple(islice(remaining, held_out.rung)),
        calibration=tuple(islice(remaining, held_out.calibration)),
        report=tuple(islice(remaining, held_out.report)),
        training=tuple(sorted(remaining, key=lambda photo: photo.sha256)),
    )


def large_enough(photos: Sequence[Photo], *, size: int) -> tuple[tuple[Photo, ...], str]:
    """Leaves out the photos of which crops would have to be enlarged.

    Args:
        photos: In any order, which is kept.
        size: Pixels of a crop's side.

    Returns:
        The photos whose shorter side is at least `size`, and one line that says how many were left out; empty where
        none was.
    """
    kept = tuple(photo for photo in photos if photo.short_side >= size)
    small = [photo.short_side for photo in photos if photo.short_side < size]
    if not small:
        return kept, ""
    counted = "1 photo" if len(small) == 1 else f"{len(small)} photos"
    return kept, f"{counted} left out: smaller than the crops of {size} px (shorter side {_range(small)} px)"


def draw_crops(
    collection: PhotoCollection, photos: Sequence[Photo], *, num_crops: int, size: int, seed: int
) -> NDArray[np.uint8]:
    """Draws a study's fixed table of crops.

    Each crop is a random square over 60 to 100 % of its photo's shorter side, flipped left to right half the time.
    Every photo is visited once, in a seeded order, before any is visited again; a broken one is replaced by the next.

    Args:
        collection: Where the photos are read from.
        photos: Training photos, in any order.
        num_crops: Rows of the table, at least 1.
        size: Pixels of a crop's side.
        seed: Chooses order and crops.

    Returns:
        Uint8 RGB, shape (num_crops, size, size, 3).

    Raises:
        PhotosError: There is no photo that can be decoded.
    """
    cutter = _Cutter(collection, photos, size=size, seed=seed)
    crops = np.empty((num_crops, size, size, 3), dtype=np.uint8)
    with ThreadPoolExecutor(reading_threads()) as executor:
        for index, crop in enumerate(executor.map(cutter.cut, range(num_crops))):
            crops[index] = crop
    return crops


def held_out_pictures(collection: PhotoCollection, photos: Sequence[Photo], *, size: int) -> list[Image]:
    """Reads whole held-out photos for scoring.

    Args:
        collection: Where the photos are read from.
        photos: Held-out photos; their order is kept.
        size: Pixels of the shorter side. The longer side is cut evenly at both ends to 3:2 at most.

    Returns:
        Float32 RGB in [0, 1], each of shape (height, width, 3) with the smaller of the two equal to `size`.

    Raises:
        ImageError: A photo is gone or damaged.
    """
    longest = round(LONGEST_SHAPE * size)
    pictures = []
    for photo in photos:
        decoded = collection.open(photo, at_least=_HELD_OUT_OVERSIZE * size)
        if decoded is None:
            raise ImageError(f"The held-out photo {photo.name!r} can no longer be read. Put the file back.")
        picture = resize_short_side(np.asarray(decoded, dtype=np.float32) / np.float32(255.0), size)
        height, width = picture.shape[:2]
        pictures.append(centre_crop(picture, height=min(height, longest), width=min(width, longest)))
    return pictures


@final
class FreshCrops:
    """Endless batches of fresh crops for full training: batch i depends on the seed, i and the photos, nothing else.

    Crops are cut as `draw_crops` cuts them, so batch 0 begins with the rows of its table for the same seed.

    Args:
        collection: Where the photos are read from.
        photos: Training photos, in any order.
        batch_size: Crops in a batch, at least 1.
        size: Pixels of a crop's side.
        seed: Chooses order and crops.

    Raises:
        PhotosError: `photos` is empty.
    """

    def __init__(
        self, collection: PhotoCollection, photos: Sequence[Photo], *, batch_size: int, size: int, seed: int
    ) -> None:
        self._cutter = _Cutter(collection, photos, size=size, seed=seed)
        self.batch_size: Final = batch_size

    def batch(self, index: int) -> NDArray[np.float32]:
        """Cuts one batch.

        Args:
            index: Which batch, from 0.

        Returns:
            Float32 RGB in [0, 1], shape (batch_size, size, size, 3).

        Raises:
            PhotosError: No photo can be decoded any more.
        """
        first = index * self.batch_size
        crops = [self._cutter.cut(first + row) for row in range(self.batch_size)]
        return np.stack(crops).astype(np.float32) / np.float32(255.0)

    def batches(self, *, start: int = 0, num_batches: int | None = None) -> Iterator[NDArray[np.float32]]:
        """Yields batches in order while threads cut the next ones.

        Args:
            start: Index of the first batch: where an interrupted training goes on.
            num_batches: How many to yield; None for ever.

        Yields:
            What `batch` returns for `start`, `start + 1`, ...

        Raises:
            PhotosError: No photo can be decoded any more.
        """
        threads = reading_threads()
        indices = count(start) if num_batches is None else iter(range(start, start + num_batches))
        executor = ThreadPoolExecutor(threads, thread_name_prefix="fresh-crops")
        try:
            waiting: deque[Future[NDArray[np.float32]]] = deque(
                executor.submit(self.batch, index) for index in islice(indices, 2 * threads)
            )
            while waiting:
                batch = waiting.popleft().result()
                waiting.extend(executor.submit(self.batch, index) for index in islice(indices, 1))
                yield batch
        finally:
            executor.shutdown(wait=True, cancel_futures=True)


@final
class _Cutter:
    """Cuts crop number i of an endless seeded sequence."""

    def __init__(self, collection: PhotoCollection, photos: Sequence[Photo], *, size: int, seed: int) -> None:
        if not photos:
            raise PhotosError("`photos` is empty. Received 0 photos to cut crops from. Add photos.")
        self._collection = collection
        self._photos = tuple(sorted(photos, key=lambda photo: photo.sha256))
        self._size = size
        self._seed = seed
        self._order = lru_cache(maxsize=4)(self._draw_order)  # prefetching spans two rounds at most; a few are spare

    def cut(self, index: int) -> NDArray[np.uint8]:
        """Returns crop `index`, shape (size, size, 3); of the next photo in the round where one is broken."""
        round_index, position = divmod(index, len(self._photos))
        order = self._order(round_index)
        for step in range(len(order)):
            photo = self._photos[order[(position + step) % len(order)]]
            picture = self._collection.open(photo, at_least=ceil(self._size / SMALLEST_CROP))
            if picture is not None:
                return _random_crop(picture, self._size, np.random.default_rng([self._seed, 1, index]))
        raise PhotosError(
            f"`photos` must hold pictures that can be decoded. Received {len(order)}, all broken. Replace the files."
        )

    def _draw_order(self, round_index: int) -> NDArray[np.int64]:
        return np.random.default_rng([self._seed, 0, round_index]).permutation(len(self._photos))


def _random_crop(picture: Pillow.Image, size: int, generator: np.random.Generator) -> NDArray[np.uint8]:
    width, height = picture.size
    short_side = min(height, width)
    smallest = max(SMALLEST_CROP * short_side, min(size, short_side))
    side = generator.uniform(smallest, short_side) if smallest < short_side else float(short_side)
    left, top = generator.uniform(size=2) * (width - side, height - side)
    box = (left, top, min(left + side, width), min(top + side, height))
    crop = np.asarray(picture.resize((size, size), Pillow.Resampling.LANCZOS, box=box))
    return crop[:, ::-1] if generator.uniform() < 1 / 2 else crop


def _too_few(
    collection: PhotoCollection, num_usable: int, *, needed: int, held_out: HeldOutCounts, min_side: int
) -> str:
    small = [photo.short_side for photo in collection.photos if photo.short_side < min_side]
    parts = [f"{num_usable} can be used"]
    if small:
        parts.append(f"{len(small)} are too small (shorter side {_range(small)} pixels, at least {min_side} needed)")
    if collection.skipped:
        parts.append(f"{len(collection.skipped)} could not be read")
    return (
        f"`photos` must hold at least {needed} photos of {min_side} pixels or more: {held_out.total} to hold out and "
        f"{MIN_TRAINING_PHOTOS} to train on. Received {len(collection.photos)}: {', '.join(parts)}. Add larger photos, "
        "or lower the crop size or the held-out counts."
    )


def _range(sides: Sequence[int]) -> str:
    return f"{min(sides)} to {max(sides)}" if min(sides) < max(sides) else str(sides[0])
