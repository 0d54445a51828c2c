"""How often raters agree with themselves when asked again: what a judge's agreement with them is to be held against.

It is counted as the judge's agreement is: over preferences, a tie on one side being half a hit.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from statistics import NormalDist
from typing import Any, Final, final

from studies.preferences.answers import TIE
from studies.preferences.posterior import INTERVAL

Asked = tuple[str, str, int, int]
"""Who was asked about which pair: rater, photo, first trial, second trial."""

RATERS_WITHIN_STYLE: Final = 0.66
"""Share of pairs of stylisations in one style in which two raters agreed (Kitov, Abramov, Akhtyrchenko 2024, arXiv
2412.17139: 10,000 stylisations, three raters)."""

RATERS_AT_RANDOM: Final = 0.73
"""The same of pairs drawn at random, whose styles differ."""


@final
@dataclass(frozen=True, kw_only=True)
class SelfAgreement:
    """What came of asking raters a question again: each repeat is held against the answer before it.

    Attributes:
        num_alike: Repeats that preferred the same output.
        num_unlike: Repeats that preferred the other one.
        num_half: Repeats of which one answer is a tie: half a hit.
        num_even: Repeats that are ties both times: no preference to agree with, and so not counted.
    """

    num_alike: int
    num_unlike: int
    num_half: int
    num_even: int

    @property
    def num_counted(self) -> int:
        """Repeats that can tell."""
        return self.num_alike + self.num_unlike + self.num_half

    @property
    def hits(self) -> float:
        """How many of them agree."""
        return self.num_alike + 0.5 * self.num_half

    @property
    def share(self) -> float | None:
        """Share that agrees, in [0, 1]; None without any repeat."""
        return self.hits / self.num_counted if self.num_counted else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Where the share of many repeats would lie with a probability of 90 %; None without any repeat."""
        return wilson_interval(self.hits, self.num_counted, probability=INTERVAL) if self.num_counted else None

    def as_dict(self) -> dict[str, Any] | None:
        """The same as values that JSON can hold; None without any repeat."""
        if self.interval is None:
            return None
        return {
            "repeats": self.num_counted,
            "hits": self.hits,
            "share": self.share,
            "interval": list(self.interval),
            "ties_both_times": self.num_even,
        }


def measure_self_agreement(answers: Iterable[tuple[Asked, str]]) -> SelfAgreement:
    """Hold each repeated answer against the one before it.

    Args:
        answers: Each question with its answer, in the order in which they were given.
    """
    given: dict[Asked, list[str]] = defaultdict(list)
    for asked, answer in answers:
        given[asked].append(answer)
    kinds = Counter(_kind(*repeat) for in_order in given.values() for repeat in pairwise(in_order))
    return SelfAgreement(
        num_alike=kinds["alike"], num_unlike=kinds["unlike"], num_half=kinds["half"], num_even=kinds["even"]
    )


def wilson_interval(hits: float, number: int, *, probability: float) -> tuple[float, float]:
    """Interval of a share from few trials (Wilson 1927): unlike hits / number plus and minus its error, inside [0, 1].

    Args:
        hits: From 0 to `number`; halves are allowed.
        number: At least 1.
        probability: Of the interval to hold the share, in (0, 1).
    """
    deviations = NormalDist().inv_cdf(0.5 * (1.0 + probability))
    weight = deviations**2 / number
    share = hits / number
    centre = (share + 0.5 * weight) / (1.0 + weight)
    reach = math.sqrt(weight * share * (1.0 - share) + 0.25 * weight**2) / (1.0 + weight)
    return max(centre - reach, 0.0), min(centre + reach, 1.0)


def _kind(before: str, again: str) -> str:
    if TIE in {before, again}:
        return "even" if before == again else "half"
    return "alike" if before == again else "unlike"
