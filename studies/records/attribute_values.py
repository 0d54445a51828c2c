"""Reading attribute values that anybody may have written: what is not of the wanted type counts as missing."""

import math
from collections.abc import Mapping
from typing import Any

from measures.search_ranges import Limits


def text_of(value: object) -> str | None:
    """Return a text that is not empty, else None."""
    return value if isinstance(value, str) and value else None


def number_of(value: object) -> float | None:
    """Return a finite number as it is (a whole one stays whole), else None."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    # A whole number beyond the range of floats has no `isfinite`, and no meaning here.
    try:
        return value if math.isfinite(value) else None
    except OverflowError:
        return None


def count_of(value: object) -> int | None:
    """Return a whole number from 0, else None."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def numbers_of(value: object) -> tuple[float, ...]:
    """Return the finite numbers of a list, in order; none if one is not."""
    found = [number_of(item) for item in value] if isinstance(value, list | tuple) else []
    numbers = tuple(item for item in found if item is not None)
    return numbers if len(numbers) == len(found) else ()


def counts_of(value: object) -> tuple[int, ...]:
    """Return those items of a list that are whole numbers from 0, in order."""
    found = [count_of(item) for item in value] if isinstance(value, list | tuple) else []
    return tuple(item for item in found if item is not None)


def mapping_of(value: object) -> dict[str, Any]:
    """Return a copy of a mapping; an empty one for anything else."""
    return {str(key): item for key, item in value.items()} if isinstance(value, Mapping) else {}


def texts_of(value: object) -> tuple[str, ...]:
    """Return the texts of a list, in order; none for anything else."""
    return tuple(item for item in value if text_of(item)) if isinstance(value, list | tuple) else ()


def texts_by_name(value: object) -> dict[str, str]:
    """Return those entries of a mapping that are texts; none for anything else."""
    return {key: item for key, item in mapping_of(value).items() if text_of(item)}


def limits_by_name(value: object) -> dict[str, Limits]:
    """Return those entries of a mapping that are two numbers above 0, the smaller first; none for anything else."""
    found = {name: _limits(item) for name, item in mapping_of(value).items()}
    return {name: limits for name, limits in found.items() if limits is not None}


def _limits(value: object) -> Limits | None:
    ends = [number_of(end) for end in value] if isinstance(value, list | tuple) else []
    if len(ends) != 2 or ends[0] is None or ends[1] is None or not 0 < ends[0] < ends[1]:  # noqa: PLR2004 (two ends)
        return None
    return float(ends[0]), float(ends[1])
