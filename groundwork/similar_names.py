"""Naming what a user may have meant."""

import difflib
from collections.abc import Collection

_MAX_LISTED = 8
"""More names than this are not read."""


def did_you_mean(received: str, known: Collection[str], *, none: str) -> str:
    """One sentence that names the most similar known name, else the known ones, else says `none`."""
    if not known:
        return none
    similar = difflib.get_close_matches(received, known, n=1)
    if similar:
        return f"Did you mean {similar[0]!r}?"
    listed = ", ".join(sorted(known)[:_MAX_LISTED])
    more = "" if len(known) <= _MAX_LISTED else f" and {len(known) - _MAX_LISTED} more"
    return f"Known: {listed}{more}."
