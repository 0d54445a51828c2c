"""The loss weights: plain numbers, so that whoever handles them loads no network."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Final, Self, final

import numpy as np
from numpy.typing import NDArray

from measures.errors import WeightsError


@final
@dataclass(frozen=True, kw_only=True)
class LossWeights:
    """Weight of each term of the training objective, normalised to sum 1: what the search chooses.

    Only the two ratios matter to training: Adam's step hardly depends on the overall scale of the objective.

    Attributes:
        content: Weight of the content loss, in (0, 1].
        style: Weight of the style loss, in [0, 1).
        total_variation: Weight of the total-variation loss, in [0, 1).
    """

    content: float
    style: float
    total_variation: float

    @classmethod
    def normalised(cls, *, content: float, style: float, total_variation: float) -> Self:
        """Scale three non-negative weights to sum 1.

        Raises:
            WeightsError: A weight is negative or not finite, or the content weight is 0.
        """
        weights = {"content": content, "style": style, "total_variation": total_variation}
        for name, value in weights.items():
            if not math.isfinite(value) or value < 0:
                raise WeightsError(f"`{name}` weight must be a finite number of at least 0. Received {value}.")
        largest = max(weights.values())
        if content == 0 or content / largest == 0:
            raise WeightsError(
                f"`content` weight must be above 0. Received {content:g}. Without it nothing of the photo is kept."
            )
        total = sum(value / largest for value in weights.values())
        return cls(**{name: value / largest / total for name, value in weights.items()})

    def to_dict(self) -> dict[str, float]:
        """Return the weights by name."""
        return asdict(self)

    def as_vector(self) -> NDArray[np.float32]:
        """Return the weights in the order of `TERMS` as a float32 vector, shape (terms,)."""
        return np.array(list(self.to_dict().values()), np.float32)


TERMS: Final = tuple(field.name for field in fields(LossWeights))
"""The terms of the training objective, in the order in which they are kept and shown."""

TERM_LABELS: Final = {name: name.replace("_", " ") for name in TERMS}
"""What people read for each term, on every screen, sheet and page."""


def weights_in_words(weights: Mapping[str, float]) -> str:
    """Return a line of all weights by name, such as "content 0.5, style 0.4, total variation 0.1"."""
    return ", ".join(f"{label} {weights[term]:.4g}" for term, label in TERM_LABELS.items())
