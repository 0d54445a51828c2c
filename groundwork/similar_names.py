"""Naming what a user may have meant."""

import difflib
from collections.abc import Collection

_MAX_LISTED = 8
"""More names than this are not read."""


def did_you_mean(received: str, known: Collection[str], *, none: str, listed: bool = True) -> str:
    """One sentence that names the most similar known name, else the known ones, else says `none`.

    Args:
        received: What was given.
        known: What there is.
        none: What to say where nothing is known, or nothing is similar and nothing is to be listed.
        listed: Whether to list what is known where nothing is similar; not where the message has the list already.
    """
    similar = difflib.get_close_matches(received, known, n=1)
    if similar:
        return f"Did you mean {similar[0]!r}?"
    if not known or not listed:
        return none
    names = ", ".join(sorted(known)[:_MAX_LISTED])
    more = "" if len(known) <= _MAX_LISTED else f" and {len(known) - _MAX_LISTED} more"
    return f"Known: {names}{more}."
