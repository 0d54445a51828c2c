"""The picture that explains loss weights: one photo, restyled over a grid of both ratios, the quality under each."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
import PIL.Image
import PIL.ImageDraw

from dashboards.canvas import BAR, INK, MUTED, PAPER, TRACK, Image, paste, png, write
from dashboards.picture_titles import SCOUT_TITLE

_CELL: Final = 160
_GAP: Final = 8
_MARGIN: Final = 28
_LABEL_WIDTH: Final = 96
_CAPTION: Final = 26
_TITLE_SIZE: Final = 26
_HEADING_SIZE: Final = 17
_BODY_SIZE: Final = 15
_BAR_HEIGHT: Final = 4
_HEAD_HEIGHT: Final = 208


@final
@dataclass(frozen=True, kw_only=True)
class ScoutCell:
    """One setting on the sheet.

    Attributes:
        output: what its network made of the photo, (height, width, 3) in [0, 1].
        quality: over all judged photos, in [0, 1], higher is better.
    """

    output: Image
    quality: float


@final
@dataclass(frozen=True, kw_only=True)
class ScoutGrid:
    """Settings over both ratios.

    Attributes:
        style_to_content: of each column, rising.
        tv_to_content: of each row, rising.
        cells: by row and column.
    """

    style_to_content: Sequence[float]
    tv_to_content: Sequence[float]
    cells: Sequence[Sequence[ScoutCell]]


def scout_sheet(photo: Image, style: Image, grid: ScoutGrid, *, title: str, subtitle: str = "") -> bytes:
    """Draws style image and photo on top, below them a picture for each setting; the best has a frame.

    The style weight rises to the right, the total-variation weight upwards.

    Args:
        photo: (height, width, 3) in [0, 1].
        style: the style image, any size.
        grid: what the scout makes of the photo.
        title: the scout, in a few words.
        subtitle: one more line, set smaller.

    Returns:
        A PNG file's bytes, which have `SCOUT_TITLE` as their title.

    Raises:
        ValueError: if there is not one cell for each pair of ratios, or a picture has another shape.
    """
    num_columns, num_rows = len(grid.style_to_content), len(grid.tv_to_content)
    if not num_columns or not num_rows or [len(row) for row in grid.cells] != [num_columns] * num_rows:
        raise ValueError(
            f"`cells` must be {num_rows} rows of {num_columns} cells, at least one. "
            f"Received rows of {[len(row) for row in grid.cells]}. Give one for each pair of ratios."
        )
    left, top = _MARGIN + _LABEL_WIDTH, _MARGIN + 2 * _TITLE_SIZE + _HEAD_HEIGHT + 2 * _HEADING_SIZE + 2 * _GAP
    stride = (_CELL + _GAP, _CELL + _CAPTION)
    size = (max(left + num_columns * stride[0], 760) + _MARGIN, top + num_rows * stride[1] + 3 * _HEADING_SIZE)
    canvas = PIL.Image.new("RGB", size, PAPER)
    draw = PIL.ImageDraw.Draw(canvas)
    _draw_head(canvas, photo, style, title=title, subtitle=subtitle)
    best = max(cell.quality for row in grid.cells for cell in row)
    write(draw, (_MARGIN, top - _HEADING_SIZE - _GAP), "tv : content", size=_BODY_SIZE, colour=MUTED)
    for place, variation in enumerate(reversed(grid.tv_to_content)):
        row_top = top + place * stride[1]
        label = (left - _GAP, row_top + _CELL // 2 - _BODY_SIZE // 2)
        write(draw, label, _ratio(variation), size=_HEADING_SIZE, colour=INK, anchor="ra")
        for column, cell in enumerate(grid.cells[num_rows - 1 - place]):
            _draw_cell(canvas, cell, (left + column * stride[0], row_top), is_best=cell.quality == best)
    below = top + num_rows * stride[1]
    for column, ratio in enumerate(grid.style_to_content):
        middle = left + column * stride[0] + _CELL // 2
        write(draw, (middle, below), _ratio(ratio), size=_HEADING_SIZE, colour=INK, anchor="ma")
    write(draw, (left - _GAP, below + 1), "style : content", size=_BODY_SIZE, colour=MUTED, anchor="ra")
    return png(canvas, title=SCOUT_TITLE)


def _draw_head(canvas: PIL.Image.Image, photo: Image, style: Image, *, title: str, subtitle: str) -> None:
    draw = PIL.ImageDraw.Draw(canvas)
    width = canvas.width - 2 * _MARGIN
    write(draw, (_MARGIN, _MARGIN - 6), title, size=_TITLE_SIZE, colour=INK, width=width)
    write(draw, (_MARGIN, _MARGIN + _TITLE_SIZE), subtitle, size=_BODY_SIZE, colour=MUTED, width=width)
    top, left = _MARGIN + 2 * _TITLE_SIZE, _MARGIN
    for picture in (style, photo):
        aspect = float(np.clip(picture.shape[1] / picture.shape[0], 0.5, 1.6))
        paste(canvas, picture, (left, top, round(_HEAD_HEIGHT * aspect), _HEAD_HEIGHT))
        left += round(_HEAD_HEIGHT * aspect) + _GAP


def _draw_cell(canvas: PIL.Image.Image, cell: ScoutCell, corner: tuple[int, int], *, is_best: bool) -> None:
    draw = PIL.ImageDraw.Draw(canvas)
    left, top = corner
    paste(canvas, cell.output, (left, top, _CELL, _CELL))
    if is_best:
        draw.rectangle((left - 3, top - 3, left + _CELL + 2, top + _CELL + 2), outline=BAR, width=3)
    bar_top, bar_left = top + _CELL + 9, left + 50
    write(draw, (left, top + _CELL + 2), f"{cell.quality:.3f}", size=_BODY_SIZE, colour=INK)
    draw.rectangle((bar_left, bar_top, left + _CELL - 1, bar_top + _BAR_HEIGHT - 1), fill=TRACK)
    length = round((left + _CELL - bar_left) * min(max(cell.quality, 0.0), 1.0))
    if length:
        draw.rectangle((bar_left, bar_top, bar_left + length - 1, bar_top + _BAR_HEIGHT - 1), fill=BAR)


def _ratio(value: float) -> str:
    return f"{float(f'{value:.2g}'):g}"
