"""What all sheets are drawn with: colours, lines of text, pictures in boxes, and the PNG in the end."""

import io
from typing import Final, TypeAlias

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngInfo

Image: TypeAlias = NDArray[np.float32]
Box: TypeAlias = tuple[int, int, int, int]
"""Left, top, width and height in pixels."""

PAPER: Final = "#fbfaf7"
INK: Final = "#1f2328"
MUTED: Final = "#6b7280"
TRACK: Final = "#e4e1d9"
BAR: Final = "#3f6296"


def checked(image: Image) -> Image:
    """Returns a picture, (height, width, 3).

    Raises:
        ValueError: if it has another shape.
    """
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:  # noqa: PLR2004 (height, width and three colours)
        raise ValueError(
            f"`image` must have shape (height, width, 3). Received {image.shape}. Pass one RGB picture without a batch."
        )
    return image


def paste(canvas: PIL.Image.Image, image: Image, box: Box) -> None:
    """Fits a picture into (left, top, width, height), keeping its aspect, at the left and in the middle."""
    left, top, width, height = box
    # A diverged network gives NaN: show it as black instead of failing the sheet that would tell of it.
    pixels = np.clip(np.nan_to_num(checked(image)), 0, 1)
    picture = PIL.Image.fromarray(np.round(pixels * 255).astype(np.uint8))
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    # Lanczos downwards keeps brush strokes sharp; upwards it rings, which bicubic hardly does (Pillow's filter table).
    resampling = PIL.Image.Resampling.LANCZOS if scale < 1 else PIL.Image.Resampling.BICUBIC
    canvas.paste(picture.resize(size, resampling), (left, top + (height - size[1]) // 2))


def write(  # noqa: PLR0913 (position, text and how it is set are what writing needs)
    draw: PIL.ImageDraw.ImageDraw,
    position: tuple[int, int],
    text: str,
    *,
    size: int,
    colour: str,
    width: int | None = None,
    anchor: str = "la",
) -> None:
    """Writes one line; text wider than `width` is cut and ends in an ellipsis."""
    font = PIL.ImageFont.load_default(size)
    if width is not None and font.getlength(text) > width:
        while text and font.getlength(text + "…") > width:
            text = text[:-1]
        text = text.rstrip() + "…"
    draw.text(position, text, fill=colour, font=font, anchor=anchor)


def png(canvas: PIL.Image.Image, *, title: str = "") -> bytes:
    """Returns a PNG file's bytes, with a title by which the file is known again."""
    buffer = io.BytesIO()
    metadata = PngInfo()
    if title:
        metadata.add_text("Title", title)
    canvas.save(buffer, format="PNG", pnginfo=metadata)
    return buffer.getvalue()
