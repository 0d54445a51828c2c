"""Versions that are stored with results, so that results of different meaning are never compared."""

from typing import Final

JUDGE_VERSION: Final = "4"
"""Stored with every score; scores of different versions are never ranked together. Raise it with any formula change."""

EXPORT_FORMAT: Final = 1
"""Version of an exported file's layout, raised when older readers would misread it."""
