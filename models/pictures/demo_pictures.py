"""Pictures for a first study without any of the user's own: tiles of packaged photos and a painting drawn by code."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from models.errors import PhotosError
from models.pictures.demo_painting import paint
from models.pictures.images import Image, read_image, resize_short_side, write_image

MIN_TILE_SIDE: Final = 160
"""Pixels: no tile is shorter, so that crops of 64 to 96 px need no enlarging."""

MIN_TILE_DEVIATION: Final = 0.075
"""Standard deviation of grey below which a tile is left out: drops ten tiles of bare sky and blurred background."""

WHOLE_SIDE: Final = 240
"""Pixels of the shorter side of each whole photo beside its tiles: 1.5 tiles, so whole objects are seen too."""

_SOURCES: Final = (
    ("skimage", "data/coffee.png"),  # CC0, Rachel Michetti
    ("skimage", "data/chelsea.png"),  # CC0, Stefan van der Walt
    ("skimage", "data/astronaut.png"),  # public domain, NASA
    ("skimage", "data/rocket.jpg"),  # CC0, SpaceX
    ("sklearn", "datasets/images/china.jpg"),  # CC BY 2.0, danielbuechele
    ("sklearn", "datasets/images/flower.jpg"),  # CC BY 2.0, vultilion
)
"""Photos inside the installed scikit-image and scikit-learn: package, file, then licence and author."""


@dataclass(frozen=True, kw_only=True)
class DemoPictures:
    """Where the demo's pictures lie: a folder of content photos and the style image's file."""

    photos: Path
    style: Path


def write_demo_pictures(folder: Path) -> DemoPictures:
    """Writes the demo's content photos and style image; files that exist are kept.

    Args:
        folder: Where to; created if missing. Gets a folder `photos` of PNG files (the photos and tiles of them) and
            `painting.png`.

    Returns:
        Where they lie.

    Raises:
        PhotosError: scikit-image or scikit-learn is installed without its photos.
        ImageError: A file cannot be written.
    """
    pictures = DemoPictures(photos=folder / "photos", style=folder / "painting.png")
    for name, picture in _cut_tiles():
        if not (pictures.photos / name).exists():
            write_image(pictures.photos / name, picture)
    if not pictures.style.exists():
        write_image(pictures.style, paint())
    return pictures


def _cut_tiles() -> Iterator[tuple[str, Image]]:
    """Yields name and pixels of each photo, made smaller, and of its tiles: an even grid without the empty ones."""
    for package, file in _SOURCES:
        photo = _read_packaged(package, file)
        stem = Path(file).stem
        yield f"{stem}.png", resize_short_side(photo, WHOLE_SIDE)
        rows, columns = (side // MIN_TILE_SIDE for side in photo.shape[:2])
        height, width = photo.shape[0] // rows, photo.shape[1] // columns
        for row in range(rows):
            for column in range(columns):
                tile = photo[row * height : (row + 1) * height, column * width : (column + 1) * width]
                if tile.mean(axis=2).std() >= MIN_TILE_DEVIATION:
                    yield f"{stem}_{row}_{column}.png", tile


def _read_packaged(package: str, file: str) -> Image:
    """Reads a picture out of an installed package without importing the package, which takes seconds."""
    spec = find_spec(package)
    path = None if spec is None or spec.origin is None else Path(spec.origin).parent / file
    if path is None or not path.is_file():
        raise PhotosError(f"The demo needs {file!r} of the package {package!r}. Received none. Reinstall styletuner.")
    return read_image(path)
