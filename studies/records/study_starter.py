"""A study's starter: what the study keeps of the one network that all its trials start from."""

from dataclasses import asdict, dataclass
from typing import Any, Self, final

from studies.records.attribute_values import count_of, mapping_of, text_of


@final
@dataclass(frozen=True, kw_only=True)
class StudyStarter:
    """The network that a study's trials start from.

    Attributes:
        images: It was trained on, from noise, at the same weights whatever those of the trials are.
        sha256: Content hash of its file.
    """

    images: int
    sha256: str

    @classmethod
    def parse(cls, value: object) -> Self | None:
        """Read the attribute; None where it is missing or of another type."""
        known = mapping_of(value)
        images, sha256 = count_of(known.get("images")), text_of(known.get("sha256"))
        return None if images is None or sha256 is None else cls(images=images, sha256=sha256)

    def to_attribute(self) -> dict[str, Any]:
        """Return the value of a study's attribute, from which `parse` makes the same again."""
        return asdict(self)

    def in_words(self) -> str:
        """Return what the trials start from, in a sentence."""
        return f"Trials start from one starter network, trained on {self.images:,} images at equal weights."
