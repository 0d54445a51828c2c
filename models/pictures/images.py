"""Reads, resizes and writes pictures as float32 RGB in [0, 1], shape (height, width, 3)."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, BinaryIO, Final

import numpy as np
from numpy.typing import NDArray
from PIL import Image as Pillow

from groundwork.whole_files import written_whole
from models.errors import ImageError
from models.pictures.decoding import decoded, exif_of, measure

Image = NDArray[np.float32]

MIN_STYLE_SIDE: Final = 32
"""Pixels: below this the deepest style layers (16 times smaller than the picture) have at most one position."""

FLAT_DEVIATION: Final = 0.02
"""Standard deviation of the most varied channel below which a picture is flat: 5 of 255 levels, above JPEG's noise."""

_DEEP_RANGES: Final = {"I;16": 65535.0, "I;16B": 65535.0, "I;16L": 65535.0, "I;16N": 65535.0, "I": 65535.0, "F": 1.0}
_JPEG_QUALITY: Final = 95  # the highest that Pillow's documentation recommends
_SAVE_OPTIONS: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {"JPEG": {"quality": _JPEG_QUALITY, "subsampling": 0}, "WEBP": {"lossless": True, "exact": True}}
)
_OPAQUE: Final = 255  # of an alpha channel
_SAVE_FORMATS: Final = {
    ".png": "PNG",
    ".jpg": "JPEG",
    ".jpeg": "JPEG",
    ".webp": "WEBP",
    ".bmp": "BMP",
    ".tif": "TIFF",
    ".tiff": "TIFF",
}


def read_image(source: Path | BinaryIO, *, name: str | None = None) -> Image:
    """Reads a picture, upright as its EXIF orientation says, over white where it is transparent.

    Args:
        source: Path or open binary file of a JPEG, PNG, WebP, AVIF, BMP, TIFF or GIF picture (the first frame
            counts): grey, RGB, RGBA, CMYK, palette, or grey with 16 bits.
        name: What error messages call the picture; the path by default.

    Returns:
        Float32 RGB in [0, 1], shape (height, width, 3).

    Raises:
        ImageError: The file is missing, no picture, truncated, damaged as far as its format can tell, or too large.
    """
    with decoded(source, called=_called(source, name)) as picture:
        if picture.mode in _DEEP_RANGES:
            grey = np.asarray(picture, dtype=np.float32) / np.float32(_DEEP_RANGES[picture.mode])
            return np.repeat(np.clip(np.nan_to_num(grey), 0.0, 1.0)[..., None], 3, axis=2)
        return np.asarray(_to_rgb(picture), dtype=np.float32) / np.float32(255.0)


def measure_picture(source: Path | BinaryIO, *, name: str | None = None) -> tuple[int, int]:
    """Reads only the headers of a picture: it may be damaged all the same.

    Args:
        source: Path or open binary file.
        name: What error messages call the picture; the path by default.

    Returns:
        Height and width in pixels once upright.

    Raises:
        ImageError: The file is missing, no picture, or too large.
    """
    return measure(source, called=_called(source, name))


def open_picture(source: Path | BinaryIO, *, name: str | None = None, at_least: int | None = None) -> Pillow.Image:
    """Decodes a picture to an upright 8-bit RGB Pillow image, over white where it is transparent.

    Args:
        source: Path or open binary file.
        name: What error messages call the picture; the path by default.
        at_least: Pixels. A JPEG may come back 2, 4 or 8 times smaller, which decodes faster, as long as both sides
            stay this long. None: full size.

    Returns:
        A loaded Pillow image in mode RGB.

    Raises:
        ImageError: The file is missing, no picture, truncated, damaged as far as its format can tell, or too large.
    """
    with decoded(source, called=_called(source, name), at_least=at_least) as picture:
        return _to_rgb(picture)


def write_image(path: Path, image: Image, *, software: str | None = None) -> None:
    """Writes a picture in the format of its suffix, 8 bits a channel; PNG, WebP, BMP and TIFF without loss.

    The file appears complete or not at all. Missing folders are created.

    Args:
        path: Where to; an existing file is replaced.
        image: Float RGB, shape (height, width, 3); values are clipped to [0, 1].
        software: What its EXIF data is to say it was made with; BMP has none.

    Raises:
        ImageError: The suffix or the shape is not one that can be written, or the disk refuses.
    """
    file_format = _SAVE_FORMATS.get(path.suffix.lower())
    if file_format is None:
        raise ImageError(
            f"`path` must end in one of {', '.join(_SAVE_FORMATS)}. Received {str(path)!r}. Write to a .png file."
        )
    picture = Pillow.fromarray(to_bytes(image))
    options = dict(_SAVE_OPTIONS.get(file_format, {}))
    if software is not None:
        options["exif"] = exif_of(software)
    try:
        with written_whole(path) as temporary:
            picture.save(temporary, format=file_format, **options)
    except OSError as error:
        reason = error.strerror or str(error)
        raise ImageError(
            f"{str(path)!r} cannot be written: {reason}. Choose a folder with space and access."
        ) from error


def to_bytes(image: Image) -> NDArray[np.uint8]:
    """Rounds a picture to 8 bits a channel.

    Args:
        image: Float RGB, shape (height, width, 3); values are clipped to [0, 1] and NaN becomes 0.

    Returns:
        Uint8 RGB of the same shape.

    Raises:
        ImageError: The shape is not (height, width, 3).
    """
    if image.shape[2:] != (3,) or 0 in image.shape:
        raise ImageError(
            f"`image` must have the shape (height, width, 3). Received {image.shape}. Pass one RGB picture."
        )
    levels: NDArray[np.uint8] = np.rint(np.clip(np.nan_to_num(image, nan=0.0), 0.0, 1.0) * 255.0).astype(np.uint8)
    return levels


def resize(image: Image, *, height: int, width: int) -> Image:
    """Resizes with an antialiasing Lanczos filter at float precision.

    Args:
        image: Float32 RGB in [0, 1], shape (any, any, 3).
        height: Pixels of the result, at least 1.
        width: Pixels of the result, at least 1.

    Returns:
        Float32 RGB in [0, 1], shape (height, width, 3); a copy even where nothing changes.

    Raises:
        ImageError: A side is smaller than 1.
    """
    if height < 1 or width < 1:
        raise ImageError(
            f"`height` and `width` must be at least 1. Received {height} and {width}. Ask for a larger size."
        )
    if image.shape[:2] == (height, width):
        return image.astype(np.float32)
    channels = [
        np.asarray(
            Pillow.fromarray(np.ascontiguousarray(image[..., channel], dtype=np.float32)).resize(
                (width, height), Pillow.Resampling.LANCZOS
            )
        )
        for channel in range(3)
    ]
    resized: Image = np.clip(np.stack(channels, axis=-1), 0.0, 1.0).astype(np.float32)
    return resized


def resize_short_side(image: Image, size: int) -> Image:
    """Resizes so that the shorter side has `size` pixels and the proportions stay.

    Args:
        image: Float32 RGB in [0, 1], shape (any, any, 3).
        size: Pixels of the shorter side, at least 1.

    Returns:
        Float32 RGB in [0, 1].

    Raises:
        ImageError: `size` is smaller than 1.
    """
    height, width = image.shape[:2]
    scale = size / min(height, width)
    return resize(
        image,
        height=size if height <= width else max(1, round(height * scale)),
        width=size if width <= height else max(1, round(width * scale)),
    )


def centre_crop(image: Image, *, height: int, width: int) -> Image:
    """Cuts the middle out of a picture.

    Args:
        image: Shape (at least height, at least width, 3).
        height: Pixels of the result.
        width: Pixels of the result.

    Returns:
        A copy of shape (height, width, 3).

    Raises:
        ImageError: The picture is smaller than the cut.
    """
    if not (0 < height <= image.shape[0] and 0 < width <= image.shape[1]):
        raise ImageError(
            f"`height` and `width` must lie within the picture's {image.shape[0]} x {image.shape[1]} pixels. "
            f"Received {height} x {width}. Resize the picture first."
        )
    top, left = (image.shape[0] - height) // 2, (image.shape[1] - width) // 2
    return image[top : top + height, left : left + width].copy()


def read_style_image(path: Path, *, size: int | None = None) -> Image:
    """Reads the painting whose style is learned.

    Args:
        path: A picture file.
        size: Pixels of the shorter side of the result; None keeps the file's own size.

    Returns:
        Float32 RGB in [0, 1], shape (height, width, 3).

    Raises:
        ImageError: The file is no readable picture, a side is shorter than `MIN_STYLE_SIDE`, or the picture is flat.
    """
    image = read_image(path)
    height, width = image.shape[:2]
    if min(height, width) < MIN_STYLE_SIDE:
        raise ImageError(
            f"The style image must measure at least {MIN_STYLE_SIDE} pixels on each side. "
            f"Received {str(path)!r} of {width} x {height}. Choose a larger picture."
        )
    deviation = float(image.std(axis=(0, 1), dtype=np.float64).max())
    if deviation < FLAT_DEVIATION:
        raise ImageError(
            f"The style image must show a texture. Received {str(path)!r}, which is almost one colour "
            f"(deviation {deviation:.3f}, below {FLAT_DEVIATION}). Choose a picture with visible structure."
        )
    return image if size is None else resize_short_side(image, size)


def is_transparent(path: Path) -> bool:
    """Returns whether a picture has see-through pixels, which are read as white.

    Raises:
        ImageError: The file is no readable picture.
    """
    with decoded(path, called=str(path)) as picture:
        if not picture.has_transparency_data:
            return False
        return bool(np.asarray(picture.convert("RGBA"))[..., 3].min() < _OPAQUE)


def style_remark(path: Path) -> str:
    """Says what is done to a style image as it is read, which a person may not expect; empty where nothing is.

    Raises:
        ImageError: The file is no readable picture.
    """
    return f"transparent pixels of the style image {path} are taken for white" if is_transparent(path) else ""


def _called(source: Path | BinaryIO, name: str | None) -> str:
    if name is not None:
        return name
    return str(source) if isinstance(source, Path) else str(getattr(source, "name", "picture"))


def _to_rgb(picture: Pillow.Image) -> Pillow.Image:
    if picture.mode in _DEEP_RANGES:
        grey = np.asarray(picture, dtype=np.float32) * np.float32(255.0 / _DEEP_RANGES[picture.mode])
        return Pillow.fromarray(np.rint(np.clip(np.nan_to_num(grey), 0.0, 255.0)).astype(np.uint8)).convert("RGB")
    if picture.has_transparency_data:
        layer = picture.convert("RGBA")
        return Pillow.alpha_composite(Pillow.new("RGBA", layer.size, "white"), layer).convert("RGB")
    return picture.convert("RGB")
