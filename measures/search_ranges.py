"""Ranges that are searched on a logarithmic scale: whether a best value lies near an end, and what is beyond it."""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, final

Limits = tuple[float, float]
"""Lower and upper end of a range, both above 0."""

END_SHARE: Final = 0.1
"""Of a range's length, on the logarithmic scale: what lies nearer to an end than this may be better still beyond it."""

GROWTH: Final = 4.0
"""By which an end is moved: other styles, sizes and lengths of training move the best ratio by a factor of several
(docs/decisions/0004-search-ranges.md). A power of two keeps an end as short as it was written: .003 becomes .00075."""

_SLACK: Final = 1e-9
"""Of a share of a range, against the rounding of logarithms."""


class End(enum.StrEnum):
    """Either end of a range."""

    LOWER = "lower"
    UPPER = "upper"


@final
@dataclass(frozen=True, kw_only=True)
class NearEnd:
    """A value that lies near an end of the range it was searched in.

    Attributes:
        name: What was searched.
        value: The value.
        limits: The range.
        end: The end that is near.
    """

    name: str
    value: float
    limits: Limits
    end: End

    def as_dict(self) -> dict[str, Any]:
        """The same as values that JSON can hold."""
        return {"name": self.name, "value": self.value, "limits": list(self.limits), "end": self.end.value}


def end_near(value: float, limits: Limits) -> End | None:
    """Return the end within `END_SHARE` of the range, or outside of it, that a value above 0 lies at; None if none."""
    low, high = limits
    share = math.log(value / low) / math.log(high / low)
    if share <= END_SHARE + _SLACK:
        return End.LOWER
    return End.UPPER if share >= 1 - END_SHARE - _SLACK else None


def near_ends(values: Mapping[str, Any], ranges: Mapping[str, Limits]) -> tuple[NearEnd, ...]:
    """Return which of the values lie near an end of their range, in the order of the ranges.

    What has no value, or one that is no number above 0, lies nowhere.
    """
    known = {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 < value < math.inf
    }
    found = {name: end_near(known[name], limits) for name, limits in ranges.items() if name in known}
    return tuple(
        NearEnd(name=name, value=known[name], limits=ranges[name], end=end)
        for name, end in found.items()
        if end is not None
    )


def beyond(limits: Limits, end: End, *, bounds: Limits) -> Limits:
    """Return a range that goes on by `GROWTH` beyond one of its ends, within bounds; at these it stays as it is."""
    low, high = limits
    if end is End.LOWER:
        return max(low / GROWTH, min(low, bounds[0])), high
    return low, min(high * GROWTH, max(high, bounds[1]))


def middle_of_new_part(limits: Limits, wider: Limits) -> float:
    """Return the value half way, on the logarithmic scale, into what a wider range has beyond one end of another."""
    old, new = (limits[0], wider[0]) if wider[0] < limits[0] else (limits[1], wider[1])
    return math.sqrt(old * new)
