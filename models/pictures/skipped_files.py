"""Files that are left out, and how they are named."""

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

from models.errors import ImageError

_NAMED_AT_MOST: Final = 5  # files named in one message; the rest is counted
_UNPRINTABLE: Final = ("Cc", "Cs")  # control characters, and bytes of a name that are no UTF-8


@final
@dataclass(frozen=True, kw_only=True)
class SkippedFile:
    """A file that is left out; `reason` continues the sentence that `name` begins ("is truncated ...")."""

    name: str
    reason: str

    def __str__(self) -> str:
        return f"{self.name} {self.reason}"

    @classmethod
    def because(cls, name: str, error: ImageError) -> "SkippedFile":
        """Takes the reason from an error whose message begins with the file's name."""
        return cls(name=name, reason=str(error).removeprefix(f"{name!r} "))


def describe_skipped(skipped: Sequence[SkippedFile]) -> str:
    """Says in one line how many files were skipped and why, naming the first few; empty where none was."""
    if not skipped:
        return ""
    named = " ".join(str(file) for file in skipped[:_NAMED_AT_MOST])
    more = f" And {len(skipped) - _NAMED_AT_MOST} more." if len(skipped) > _NAMED_AT_MOST else ""
    return f"{len(skipped)} {'file' if len(skipped) == 1 else 'files'} skipped: {named}{more}"


def is_printable(name: str) -> bool:
    """Returns whether a name holds no control characters and can be encoded."""
    return not any(unicodedata.category(character) in _UNPRINTABLE for character in name)


def printable(name: str) -> str:
    """The name with a replacement character for each that would break a terminal, a database or an output's name."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(character) in _UNPRINTABLE else character
        for character in name
    )
