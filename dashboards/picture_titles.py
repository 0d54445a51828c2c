"""Titles in the metadata of pictures that are drawn, by which a file is known as one that may be drawn again."""

from pathlib import Path
from typing import Final

QUESTION_TITLE: Final = "styletuner question"
SHEET_TITLE: Final = "styletuner contact sheet"
SCOUT_TITLE: Final = "styletuner scout sheet"

_HEAD_BYTES: Final = 256
"""Pillow writes the title right behind the picture's header, which ends at byte 33 (PNG specification, 11.2.2)."""


def is_question(path: Path) -> bool:
    """Whether a file shows a question that was asked before."""
    return _is_titled(path, QUESTION_TITLE)


def is_contact_sheet(path: Path) -> bool:
    """Whether a file is a contact sheet that was drawn before."""
    return _is_titled(path, SHEET_TITLE)


def is_scout_sheet(path: Path) -> bool:
    """Whether a file is a scout's sheet that was drawn before."""
    return _is_titled(path, SCOUT_TITLE)


def _is_titled(path: Path, title: str) -> bool:
    with path.open("rb") as stream:
        return b"tEXtTitle\0" + title.encode() in stream.read(_HEAD_BYTES)
