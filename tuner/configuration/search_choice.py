"""What `search.sampler: auto` and `search.pruner: auto` stand for; it does not depend on how many trials are wanted."""

from typing import Final

from tuner.configuration.search_sections import SearchSection

AUTO_SAMPLER: Final = "tpe"
"""Measured: docs/search.md."""

AUTO_PRUNER: Final = "median"
"""Measured: docs/search.md."""


def sampler_of(search: SearchSection) -> str:
    """Return the name of the sampler that draws."""
    return AUTO_SAMPLER if search.sampler == "auto" else search.sampler


def pruner_of(search: SearchSection) -> str:
    """Return the name of the pruner that ends trials; where they have one rung there is nothing left to end."""
    if len(search.rungs) == 1:
        return "none"
    return AUTO_PRUNER if search.pruner == "auto" else search.pruner
