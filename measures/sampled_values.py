"""What a trial is run with: one record of everything that the search samples for it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self, final

from measures.errors import SampledValuesError
from measures.loss_weights import LossWeights


@final
@dataclass(frozen=True, kw_only=True)
class SampledValues:
    """What the search sampled for one trial, under the names of Optuna's parameters.

    The three loss weights have two degrees of freedom, since Adam hardly sees the scale of the objective: two ratios
    are sampled. What a study may sample besides (the style image's size, weights of single style layers, the learning
    rate) joins as a field whose default says "not sampled", so that a record without it can still be read.

    Attributes:
        style_to_content: Weight of the style loss over that of the content loss, from 0.
        tv_to_content: Weight of the total-variation loss over that of the content loss, from 0.
    """

    style_to_content: float
    tv_to_content: float

    def __post_init__(self) -> None:
        for name, value in self.to_dict().items():
            if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < math.inf:
                raise SampledValuesError(f"`{name}` must be a finite number of at least 0. Received {value!r}.")

    @classmethod
    def of_weights(cls, weights: LossWeights) -> Self:
        """Return the values that give these loss weights.

        Raises:
            SampledValuesError: The content weight is 0, or too small for a ratio to it.
        """
        if weights.content == 0:
            raise SampledValuesError("`content` weight must be above 0. Received 0. Nothing is a multiple of it.")
        return cls(
            style_to_content=weights.style / weights.content,
            tv_to_content=weights.total_variation / weights.content,
        )

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave.

        Raises:
            SampledValuesError: A name is missing or unknown, or a value is not a finite number of at least 0.
        """
        known = [field.name for field in fields(cls)]
        if set(values) != set(known):
            raise SampledValuesError(
                f"Sampled values must be {', '.join(known)}. Received {', '.join(map(str, values)) or 'none'}."
            )
        return cls(**values)

    def to_dict(self) -> dict[str, float]:
        """Return the values by name."""
        return asdict(self)

    def loss_weights(self) -> LossWeights:
        """Return the weights of the training objective, normalised to sum 1."""
        return LossWeights.normalised(content=1.0, style=self.style_to_content, total_variation=self.tv_to_content)
