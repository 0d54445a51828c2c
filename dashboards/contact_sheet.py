"""Contact sheets: the photos of a study, and below them what each trial made of them, as one PNG.

Takes pictures and plain numbers, so that whoever has them (the tuner, a page, a report) can draw a sheet.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import final

import PIL.Image
import PIL.ImageDraw

from dashboards.canvas import BAR, INK, MUTED, PAPER, TRACK, Image, checked, paste, png, write
from dashboards.picture_titles import QUESTION_TITLE, SHEET_TITLE
from studies.records.trial_words import state_word

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
        further: what the trial has of its own besides the weights, by name: {"style size": "384 px"}.
    """

    number: int
    state: str
    weights: Mapping[str, float]
    quality: float | None
    parts: Mapping[str, float] = field(default_factory=dict)
    outputs: Sequence[Image] = ()
    note: str = ""
    further: Mapping[str, str] = field(default_factory=dict)


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
    canvas = PIL.Image.new("RGB", (_right_edge(columns) + _MARGIN, height), PAPER)
    draw = PIL.ImageDraw.Draw(canvas)
    for index, line in enumerate(lines):
        text_top = _MARGIN + index * _LINE_HEIGHT + (8 if index else 0)
        size, colour = (_BODY_SIZE, MUTED) if index else (_HEADING_SIZE, INK)
        write(draw, (_MARGIN, text_top), line, size=size, colour=colour, width=canvas.width - 2 * _MARGIN)
    for row, pictures in enumerate((photos, outputs)):
        _paste_row(canvas, pictures, columns, top=top + row * (_PICTURE_HEIGHT + _GAP))
    return png(canvas)


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
    canvas = PIL.Image.new("RGB", size, PAPER)
    draw = PIL.ImageDraw.Draw(canvas)
    width = canvas.width - 2 * _MARGIN
    write(draw, (_MARGIN, _MARGIN - 4), title, size=_TITLE_SIZE, colour=INK, width=width)
    if subtitle:
        write(draw, (_MARGIN, _MARGIN + _TITLE_SIZE + 4), subtitle, size=_BODY_SIZE, colour=MUTED, width=width)
    paste(canvas, style, (_MARGIN, head, _LABEL_WIDTH, _PICTURE_HEIGHT))
    _paste_row(canvas, photos, columns, top=head)
    for place, row in enumerate(rows, start=1):
        top = head + place * stride
        _paste_row(canvas, row.outputs, columns, top=top)
        _draw_missing(draw, columns[len(row.outputs) :], top=top)
        _draw_label(draw, row, place=place, top=top)
    return png(canvas, title=SHEET_TITLE)


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
    canvas = PIL.Image.new("RGB", (lefts[1] + columns[1][1] + _MARGIN, below + height + _MARGIN), PAPER)
    draw = PIL.ImageDraw.Draw(canvas)
    write(draw, (_MARGIN, _MARGIN - 4), title, size=_BODY_SIZE, colour=MUTED, width=canvas.width - 2 * _MARGIN)
    for left, picture, output, letter in zip(lefts, (photo, style), outputs, "AB", strict=True):
        width = columns[0][1]
        paste(canvas, picture, (left, top, width, _PICTURE_HEIGHT))
        write(draw, (left, below - _HEADING_SIZE - _GAP), letter, size=_HEADING_SIZE, colour=INK)
        paste(canvas, output, (left, below, width, height))
    return png(canvas, title=QUESTION_TITLE)


def _columns(photos: Sequence[Image], *, left: int) -> list[tuple[int, int]]:
    """Left edge and width of each photo's column, so that every picture fills the row's height."""
    if not photos:
        raise ValueError("`photos` must hold at least one picture. Received none. Give the photos that were restyled.")
    columns = []
    for photo in photos:
        height, width = checked(photo).shape[:2]
        aspect = min(max(width / height, 1 / _MAX_ASPECT), _MAX_ASPECT)
        columns.append((left, round(_PICTURE_HEIGHT * aspect)))
        left += columns[-1][1] + _GAP
    return columns


def _right_edge(columns: Sequence[tuple[int, int]]) -> int:
    left, width = columns[-1]
    return left + width


def _paste_row(
    canvas: PIL.Image.Image, pictures: Sequence[Image], columns: Sequence[tuple[int, int]], *, top: int
) -> None:
    for picture, (left, width) in zip(pictures, columns, strict=False):
        paste(canvas, picture, (left, top, width, _PICTURE_HEIGHT))


def _draw_missing(draw: PIL.ImageDraw.ImageDraw, columns: Sequence[tuple[int, int]], *, top: int) -> None:
    for left, width in columns:
        bottom = top + _PICTURE_HEIGHT - 1
        draw.rectangle((left, top, left + width - 1, bottom), outline=TRACK)
        write(draw, (left + 12, bottom - 28), "no picture", size=_BODY_SIZE, colour=MUTED)


def _draw_label(draw: PIL.ImageDraw.ImageDraw, row: SheetRow, *, place: int, top: int) -> None:
    """Place and number, state, quality with its parts as bars, weights."""
    right = _MARGIN + _LABEL_WIDTH
    write(draw, (_MARGIN, top - 4), f"{place}.  Trial {row.number}", size=_HEADING_SIZE, colour=INK)
    colour = _STATE_COLOURS.get(row.state, MUTED)
    write(draw, (right, top - 1), state_word(row.state), size=_BODY_SIZE, colour=colour, anchor="ra")
    known = row.quality is not None and math.isfinite(row.quality)
    write(draw, (_MARGIN, top + 20), _number(row.quality), size=_QUALITY_SIZE, colour=INK if known else MUTED)
    write(draw, (_MARGIN + 112, top + 41), "quality", size=_BODY_SIZE, colour=MUTED)
    line_top = top + 72
    for name, value in list(row.parts.items())[:4]:
        _draw_bar(draw, name, value, top=line_top)
        line_top += _LINE_HEIGHT
    for line in _weight_lines(row):
        line_top += 2
        write(draw, (_MARGIN, line_top + 4), line, size=_BODY_SIZE, colour=INK, width=_LABEL_WIDTH)
        line_top += _LINE_HEIGHT
    if row.note:
        write(draw, (_MARGIN, line_top + 6), row.note, size=_BODY_SIZE, colour=colour, width=_LABEL_WIDTH)


def _draw_bar(draw: PIL.ImageDraw.ImageDraw, name: str, value: float, *, top: int) -> None:
    right = _MARGIN + _LABEL_WIDTH
    bar_left, bar_right = _MARGIN + 152, right - 46
    write(draw, (_MARGIN, top), name, size=_BODY_SIZE, colour=MUTED, width=146)
    write(draw, (right, top), _number(value, decimals=2), size=_BODY_SIZE, colour=INK, anchor="ra")
    bar_top = top + (_LINE_HEIGHT - _BAR_HEIGHT) // 2 + 1
    draw.rectangle((bar_left, bar_top, bar_right, bar_top + _BAR_HEIGHT - 1), fill=TRACK)
    if math.isfinite(value) and value > 0:
        end = bar_left + round((bar_right - bar_left) * min(value, 1))
        draw.rectangle((bar_left, bar_top, end, bar_top + _BAR_HEIGHT - 1), fill=BAR)


def _weight_lines(row: SheetRow) -> Iterator[str]:
    """The weights and what else is the trial's own, two to a line: "content 0.71  ·  style 0.27"."""
    items = [f"{name.replace('_', ' ')} {_weight(value)}" for name, value in row.weights.items()]
    items += [f"{name} {value}" for name, value in row.further.items()]
    for start in range(0, len(items), 2):
        yield "  ·  ".join(items[start : start + 2])


def _number(value: float | None, *, decimals: int = 3) -> str:
    return "none" if value is None or not math.isfinite(value) else f"{value:.{decimals}f}"


def _weight(value: float) -> str:
    """Two significant digits, and no exponent for what a person can read: 0.71, 0.0042, 3.1e-06."""
    return f"{value:.2g}" if math.isfinite(value) else str(value)
