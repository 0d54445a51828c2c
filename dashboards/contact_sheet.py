"""Contact sheets: the photos of a study, and below them what each trial made of them, as one PNG.

Takes pictures and plain numbers, so that whoever has them (the tuner, a page, a report) can draw a sheet.
"""

import io
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias, final

import numpy as np
import PIL.Image
import PIL.ImageDraw
import PIL.ImageFont
from numpy.typing import NDArray
from PIL.PngImagePlugin import PngInfo

from dashboards.picture_titles import QUESTION_TITLE, SHEET_TITLE
from studies.records.trial_words import state_word

Image: TypeAlias = NDArray[np.float32]
_Box: TypeAlias = tuple[int, int, int, int]

# Sizes in pixels, chosen by looking at sheets: a sheet of four 3:2 photos is 1,500 wide and readable without zooming.
_PICTURE_HEIGHT = 208
_LABEL_WIDTH = 264
_GAP = 8
_ROW_GAP = 20
_MARGIN = 28
_BAR_HEIGHT = 5
_LINE_HEIGHT = 19
_BODY_SIZE = 15
_HEADING_SIZE = 19
_TITLE_SIZE = 28
_QUALITY_SIZE = 38
# In a question the outputs are what is looked at: twice as high as on a sheet, two still fit a screen side by side.
_PAIR_SCALE = 2
# A wider or taller photo than this (a panorama) is shown smaller, so that it does not push the others off the sheet.
_MAX_ASPECT = 2.0

_PAPER = "#fbfaf7"
_INK = "#1f2328"
_MUTED = "#6b7280"
_TRACK = "#e4e1d9"
_BAR = "#3f6296"
_STATE_COLOURS = {"COMPLETE": "#1b7f5c", "PRUNED": "#b06a00", "FAIL": "#b42318", "RUNNING": "#3f6296"}


@final
@dataclass(frozen=True, kw_only=True)
class SheetRow:
    """One trial on a contact sheet.

    Attributes:
        number: the trial's number in its study.
        state: Optuna's name of its state: "COMPLETE", "PRUNED", "FAIL", "RUNNING".
        weights: loss weight by term, as recorded (sum 1).
        quality: in [0, 1], higher is better; None or NaN where the trial has none.
        parts: the parts of the quality by name, each in [0, 1], higher is better; drawn as bars, at most four.
        outputs: one picture per photo, each (height, width, 3) in [0, 1]; fewer, or none, where the trial ended early.
        note: one short line, such as why the trial was pruned.
    """

    number: int
    state: str
    weights: Mapping[str, float]
    quality: float | None
    parts: Mapping[str, float] = field(default_factory=dict)
    outputs: Sequence[Image] = ()
    note: str = ""


def trial_sheet(photos: Sequence[Image], outputs: Sequence[Image], *, caption: str = "") -> bytes:
    """Draws one trial: photos on top, what the trial's network made of each below.

    Args:
        photos: pictures (height, width, 3) in [0, 1], at least one.
        outputs: as many pictures as photos, in the same order.
        caption: text above the pictures; its first line is set larger. May be empty.

    Returns:
        A PNG file's bytes.

    Raises:
        ValueError: if there is no photo, or not one output per photo, or a picture has another shape.
    """
    if len(outputs) != len(photos):
        raise ValueError(
            f"`outputs` must hold one picture per photo. Received {len(outputs)} outputs for {len(photos)} photos. "
            "Give them in the same order."
        )
    columns = _columns(photos, left=_MARGIN)
    lines = caption.splitlines()
    top = _MARGIN + (_HEADING_SIZE + _LINE_HEIGHT * len(lines) if lines else 0)
    height = top + 2 * _PICTURE_HEIGHT + _GAP + _MARGIN
    canvas = PIL.Image.new("RGB", (_right_edge(columns) + _MARGIN, height), _PAPER)
    draw = PIL.ImageDraw.Draw(canvas)
    for index, line in enumerate(lines):
        text_top = _MARGIN + index * _LINE_HEIGHT + (8 if index else 0)
        size, colour = (_BODY_SIZE, _MUTED) if index else (_HEADING_SIZE, _INK)
        _write(draw, (_MARGIN, text_top), line, size=size, colour=colour, width=canvas.width - 2 * _MARGIN)
    for row, pictures in enumerate((photos, outputs)):
        _paste_row(canvas, pictures, columns, top=top + row * (_PICTURE_HEIGHT + _GAP))
    return _png(canvas)


def contact_sheet(
    photos: Sequence[Image], style: Image, rows: Sequence[SheetRow], *, title: str, subtitle: str = ""
) -> bytes:
    """Draws a whole study: the style image and the photos on top, then one row per trial.

    Args:
        photos: pictures (height, width, 3) in [0, 1], at least one.
        style: the style image, any size, drawn at the top left.
        rows: the trials in the order wanted, usually best first; may be empty.
        title: the study, in a few words.
        subtitle: one more line, set smaller.

    Returns:
        A PNG file's bytes, which have `SHEET_TITLE` as their title.

    Raises:
        ValueError: if there is no photo, a row has more outputs than there are photos, or a picture has another shape.
    """
    for row in rows:
        if len(row.outputs) > len(photos):
            raise ValueError(
                f"`outputs` of trial {row.number} must hold at most one picture per photo. "
                f"Received {len(row.outputs)} for {len(photos)} photos. Give the pictures of one rung only."
            )
    columns = _columns(photos, left=_MARGIN + _LABEL_WIDTH + _ROW_GAP)
    head = _MARGIN + _TITLE_SIZE + (_LINE_HEIGHT + 6 if subtitle else 0) + _ROW_GAP
    stride = _PICTURE_HEIGHT + _ROW_GAP
    size = (_right_edge(columns) + _MARGIN, head + stride * (len(rows) + 1) - _ROW_GAP + _MARGIN)
    canvas = PIL.Image.new("RGB", size, _PAPER)
    draw = PIL.ImageDraw.Draw(canvas)
    width = canvas.width - 2 * _MARGIN
    _write(draw, (_MARGIN, _MARGIN - 4), title, size=_TITLE_SIZE, colour=_INK, width=width)
    if subtitle:
        _write(draw, (_MARGIN, _MARGIN + _TITLE_SIZE + 4), subtitle, size=_BODY_SIZE, colour=_MUTED, width=width)
    _paste(canvas, style, (_MARGIN, head, _LABEL_WIDTH, _PICTURE_HEIGHT))
    _paste_row(canvas, photos, columns, top=head)
    for place, row in enumerate(rows, start=1):
        top = head + place * stride
        _paste_row(canvas, row.outputs, columns, top=top)
        _draw_missing(draw, columns[len(row.outputs) :], top=top)
        _draw_label(draw, row, place=place, top=top)
    return _png(canvas, title=SHEET_TITLE)


def pair_sheet(photo: Image, style: Image, outputs: tuple[Image, Image], *, title: str) -> bytes:
    """Draws a question: photo and style image small on top, two outputs of the photo large below, as A and B.

    Args:
        photo: the photo, (height, width, 3) in [0, 1].
        style: the style image, any size.
        outputs: what two networks made of the photo; the first one is A, on the left.
        title: one line above.

    Returns:
        A PNG file's bytes, which have `QUESTION_TITLE` as their title.

    Raises:
        ValueError: if a picture has another shape.
    """
    height = _PAIR_SCALE * _PICTURE_HEIGHT
    columns = [(left, _PAIR_SCALE * width) for left, width in _columns([photo] * 2, left=0)]
    lefts = [_MARGIN, _MARGIN + columns[0][1] + _ROW_GAP]
    top = _MARGIN + _HEADING_SIZE + _GAP
    below = top + _PICTURE_HEIGHT + _ROW_GAP + _HEADING_SIZE + _GAP
    canvas = PIL.Image.new("RGB", (lefts[1] + columns[1][1] + _MARGIN, below + height + _MARGIN), _PAPER)
    draw = PIL.ImageDraw.Draw(canvas)
    _write(draw, (_MARGIN, _MARGIN - 4), title, size=_BODY_SIZE, colour=_MUTED, width=canvas.width - 2 * _MARGIN)
    for left, picture, output, letter in zip(lefts, (photo, style), outputs, "AB", strict=True):
        width = columns[0][1]
        _paste(canvas, picture, (left, top, width, _PICTURE_HEIGHT))
        _write(draw, (left, below - _HEADING_SIZE - _GAP), letter, size=_HEADING_SIZE, colour=_INK)
        _paste(canvas, output, (left, below, width, height))
    return _png(canvas, title=QUESTION_TITLE)


def _columns(photos: Sequence[Image], *, left: int) -> list[tuple[int, int]]:
    """Left edge and width of each photo's column, so that every picture fills the row's height."""
    if not photos:
        raise ValueError("`photos` must hold at least one picture. Received none. Give the photos that were restyled.")
    columns = []
    for photo in photos:
        height, width = _checked(photo).shape[:2]
        aspect = min(max(width / height, 1 / _MAX_ASPECT), _MAX_ASPECT)
        columns.append((left, round(_PICTURE_HEIGHT * aspect)))
        left += columns[-1][1] + _GAP
    return columns


def _right_edge(columns: Sequence[tuple[int, int]]) -> int:
    left, width = columns[-1]
    return left + width


def _checked(image: Image) -> Image:
    if image.ndim != 3 or image.shape[2] != 3 or 0 in image.shape:  # noqa: PLR2004 (height, width and three colours)
        raise ValueError(
            f"`image` must have shape (height, width, 3). Received {image.shape}. Pass one RGB picture without a batch."
        )
    return image


def _paste_row(
    canvas: PIL.Image.Image, pictures: Sequence[Image], columns: Sequence[tuple[int, int]], *, top: int
) -> None:
    for picture, (left, width) in zip(pictures, columns, strict=False):
        _paste(canvas, picture, (left, top, width, _PICTURE_HEIGHT))


def _paste(canvas: PIL.Image.Image, image: Image, box: _Box) -> None:
    """Fits a picture into (left, top, width, height), keeping its aspect, at the left and in the middle."""
    left, top, width, height = box
    # A diverged network gives NaN: show it as black instead of failing the sheet that would tell of it.
    pixels = np.clip(np.nan_to_num(_checked(image)), 0, 1)
    picture = PIL.Image.fromarray(np.round(pixels * 255).astype(np.uint8))
    scale = min(width / picture.width, height / picture.height)
    size = (max(1, round(picture.width * scale)), max(1, round(picture.height * scale)))
    # Lanczos downwards keeps brush strokes sharp; upwards it rings, which bicubic hardly does (Pillow's filter table).
    resampling = PIL.Image.Resampling.LANCZOS if scale < 1 else PIL.Image.Resampling.BICUBIC
    canvas.paste(picture.resize(size, resampling), (left, top + (height - size[1]) // 2))


def _draw_missing(draw: PIL.ImageDraw.ImageDraw, columns: Sequence[tuple[int, int]], *, top: int) -> None:
    for left, width in columns:
        bottom = top + _PICTURE_HEIGHT - 1
        draw.rectangle((left, top, left + width - 1, bottom), outline=_TRACK)
        _write(draw, (left + 12, bottom - 28), "no picture", size=_BODY_SIZE, colour=_MUTED)


def _draw_label(draw: PIL.ImageDraw.ImageDraw, row: SheetRow, *, place: int, top: int) -> None:
    """Place and number, state, quality with its parts as bars, weights."""
    right = _MARGIN + _LABEL_WIDTH
    _write(draw, (_MARGIN, top - 4), f"{place}.  Trial {row.number}", size=_HEADING_SIZE, colour=_INK)
    colour = _STATE_COLOURS.get(row.state, _MUTED)
    _write(draw, (right, top - 1), state_word(row.state), size=_BODY_SIZE, colour=colour, anchor="ra")
    known = row.quality is not None and math.isfinite(row.quality)
    _write(draw, (_MARGIN, top + 20), _number(row.quality), size=_QUALITY_SIZE, colour=_INK if known else _MUTED)
    _write(draw, (_MARGIN + 112, top + 41), "quality", size=_BODY_SIZE, colour=_MUTED)
    line_top = top + 72
    for name, value in list(row.parts.items())[:4]:
        _draw_bar(draw, name, value, top=line_top)
        line_top += _LINE_HEIGHT
    for line in _weight_lines(row):
        line_top += 2
        _write(draw, (_MARGIN, line_top + 4), line, size=_BODY_SIZE, colour=_INK, width=_LABEL_WIDTH)
        line_top += _LINE_HEIGHT
    if row.note:
        _write(draw, (_MARGIN, line_top + 6), row.note, size=_BODY_SIZE, colour=colour, width=_LABEL_WIDTH)


def _draw_bar(draw: PIL.ImageDraw.ImageDraw, name: str, value: float, *, top: int) -> None:
    right = _MARGIN + _LABEL_WIDTH
    bar_left, bar_right = _MARGIN + 152, right - 46
    _write(draw, (_MARGIN, top), name, size=_BODY_SIZE, colour=_MUTED, width=146)
    _write(draw, (right, top), _number(value, decimals=2), size=_BODY_SIZE, colour=_INK, anchor="ra")
    bar_top = top + (_LINE_HEIGHT - _BAR_HEIGHT) // 2 + 1
    draw.rectangle((bar_left, bar_top, bar_right, bar_top + _BAR_HEIGHT - 1), fill=_TRACK)
    if math.isfinite(value) and value > 0:
        end = bar_left + round((bar_right - bar_left) * min(value, 1))
        draw.rectangle((bar_left, bar_top, end, bar_top + _BAR_HEIGHT - 1), fill=_BAR)


def _weight_lines(row: SheetRow) -> Iterator[str]:
    """The weights, two to a line: "content 0.71  ·  style 0.27"."""
    items = [f"{name.replace('_', ' ')} {_weight(value)}" for name, value in row.weights.items()]
    for start in range(0, len(items), 2):
        yield "  ·  ".join(items[start : start + 2])


def _number(value: float | None, *, decimals: int = 3) -> str:
    return "none" if value is None or not math.isfinite(value) else f"{value:.{decimals}f}"


def _weight(value: float) -> str:
    """Two significant digits, and no exponent for what a person can read: 0.71, 0.0042, 3.1e-06."""
    return f"{value:.2g}" if math.isfinite(value) else str(value)


def _write(  # noqa: PLR0913 (position, text and how it is set are what writing needs)
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


def _png(canvas: PIL.Image.Image, *, title: str = "") -> bytes:
    buffer = io.BytesIO()
    metadata = PngInfo()
    if title:
        metadata.add_text("Title", title)
    canvas.save(buffer, format="PNG", pnginfo=metadata)
    return buffer.getvalue()
