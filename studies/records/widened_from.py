"""Where the first trials of a widened study come from, and how it goes on."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, final

from measures.search_ranges import Limits
from studies.records.attribute_values import count_of, limits_by_name, mapping_of, number_of, text_of


@final
@dataclass(frozen=True, kw_only=True)
class WidenedFrom:
    """The study whose trials a study has, beyond whose ranges it goes on.

    Attributes:
        uuid: What that study is.
        name: What it was called then.
        num_trials: How many trials it had, in whatever state.
        total: Finished trials that the wider study shall have, as was last asked for.
        ranges: Those of the wider study, by name.
        original_ranges: Those of the study that was widened first, by name: its configuration still names them.
        first: Parameters of the first trial beyond, by name.
    """

    uuid: str
    name: str
    num_trials: int
    total: int
    ranges: Mapping[str, Limits]
    original_ranges: Mapping[str, Limits]
    first: Mapping[str, float]

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read the attribute; None where it is missing or of another type."""
        known = mapping_of(value)
        uuid, num_trials, total = text_of(known.get("uuid")), count_of(known.get("num_trials")), known.get("total")
        first = {name: number_of(ratio) for name, ratio in mapping_of(known.get("first")).items()}
        if uuid is None or num_trials is None or count_of(total) is None:
            return None
        return cls(
            uuid=uuid,
            name=text_of(known.get("name")) or "",
            num_trials=num_trials,
            total=count_of(total) or 0,
            ranges=limits_by_name(known.get("ranges")),
            original_ranges=limits_by_name(known.get("original_ranges")),
            first={name: float(ratio) for name, ratio in first.items() if ratio is not None},
        )

    def num_missing(self, num_present: int) -> int:
        """Return how many trials are still to be taken over or enqueued, of a study that has so many."""
        return max(0, self.num_trials + 1 - num_present)

    def in_words(self) -> str:
        """Return where the trials come from, and how far the ranges go now."""
        moved = [
            f"{name} {low:g} to {high:g}"
            for name, (low, high) in self.ranges.items()
            if self.original_ranges.get(name) != (low, high)
        ]
        trials = "trial is" if self.num_trials == 1 else f"{self.num_trials} trials are"
        return f"Widened from {self.name}, whose {trials} its first, to {', '.join(moved)}"

    def to_attribute(self) -> dict[str, Any]:
        """Return the value of a study's attribute, from which `parse` makes the same again."""
        values = asdict(self)
        for name in ("ranges", "original_ranges"):
            values[name] = {key: list(limits) for key, limits in values[name].items()}
        return values
