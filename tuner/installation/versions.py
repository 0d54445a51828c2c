"""Versions of what a number may depend on."""

import platform
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from typing import Final

PACKAGES: Final = ("styletuner", "keras", "tensorflow", "jax", "torch", "lpips", "optuna", "numpy", "pillow")
"""What a number in a study may depend on."""


def versions() -> dict[str, str]:
    """Return the versions of Python, this package and what it computes with; a backend may be missing."""
    found = {"python": platform.python_version()}
    for name in PACKAGES:
        with suppress(PackageNotFoundError):
            found[name] = version(name)
    return found
