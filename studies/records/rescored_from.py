"""Where the first trials of a re-scored study come from."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self, final

from studies.records.attribute_values import count_of, mapping_of, text_of, texts_by_name


@final
@dataclass(frozen=True, kw_only=True)
class RescoredFrom:
    """The study whose trials a study has, scored by another version of the judge.

    Attributes:
        uuid: What that study is.
        name: What it was called then.
        judge_version: Version of the judge that it was scored by.
        num_trials: How many trials it had.
        versions: Version of each package that the new scores may depend on.
    """

    uuid: str
    name: str
    judge_version: str
    num_trials: int
    versions: Mapping[str, str]

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read the attribute; None where it is missing or of another type."""
        known = mapping_of(value)
        uuid, num_trials = text_of(known.get("uuid")), count_of(known.get("num_trials"))
        if uuid is None or num_trials is None:
            return None
        return cls(
            uuid=uuid,
            name=text_of(known.get("name")) or "",
            judge_version=text_of(known.get("judge_version")) or "",
            num_trials=num_trials,
            versions=texts_by_name(known.get("versions")),
        )

    def num_missing(self, num_present: int) -> int:
        """Return how many trials are still to be scored, of a study that has so many."""
        return max(0, self.num_trials - num_present)

    def to_attribute(self) -> dict[str, Any]:
        """Return the value of a study's attribute, from which `parse` makes the same again."""
        return asdict(self)
