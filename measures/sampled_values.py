"""What a trial is run with: one record of everything that the search samples for it."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self, final

from measures.errors import SampledValuesError
from measures.loss_weights import LossWeights

RATIOS: Final = ("style_to_content", "tv_to_content")
"""What every study samples."""


@final
@dataclass(frozen=True, kw_only=True)
class SampledValues:
    """What the search sampled for one trial, under the names of Optuna's parameters.

    The three loss weights have two degrees of freedom, since Adam hardly sees the scale of the objective: two ratios
    are sampled. What a study may sample besides is None where it does not: the trial then has its study's own, and the
    record is that of a study which knows no such dimension.

    Attributes:
        style_to_content: Weight of the style loss over that of the content loss, from 0.
        tv_to_content: Weight of the total-variation loss over that of the content loss, from 0.
        style_size: Shorter side of the style image in pixels.
        style_tilt: Of the style layers' weights, in octaves a layer from fine to coarse; see `measures.style_tilt`.
        learning_rate: Adam's step, above 0.
    """

    style_to_content: float
    tv_to_content: float
    style_size: int | None = None
    style_tilt: float | None = None
    learning_rate: float | None = None

    def __post_init__(self) -> None:
        for name in RATIOS:
            value = getattr(self, name)
            if not _is_number(value) or not 0 <= value < math.inf:
                raise SampledValuesError(f"`{name}` must be a finite number of at least 0. Received {value!r}.")
        size = self.style_size
        if size is not None and (isinstance(size, bool) or not isinstance(size, int) or size < 1):
            raise SampledValuesError(f"`style_size` must be a whole number of pixels above 0. Received {size!r}.")
        tilt, rate = self.style_tilt, self.learning_rate
        if tilt is not None and (not _is_number(tilt) or not math.isfinite(tilt)):
            raise SampledValuesError(f"`style_tilt` must be a finite number. Received {tilt!r}.")
        if rate is not None and (not _is_number(rate) or not 0 < rate < math.inf):
            raise SampledValuesError(f"`learning_rate` must be a finite number above 0. Received {rate!r}.")

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
            SampledValuesError: A name is missing or unknown, or a value is none that it may have.
        """
        further = [field.name for field in fields(cls) if field.name not in RATIOS]
        if not set(RATIOS) <= set(values) <= {*RATIOS, *further}:
            raise SampledValuesError(
                f"Sampled values must be {', '.join(RATIOS)}, and may be {', '.join(further)}. "
                f"Received {', '.join(map(str, values)) or 'none'}."
            )
        return cls(**values)

    def to_dict(self) -> dict[str, float]:
        """Return the values by name, without what was not sampled."""
        return {name: value for name, value in asdict(self).items() if value is not None}

    def loss_weights(self) -> LossWeights:
        """Return the weights of the training objective, normalised to sum 1."""
        return LossWeights.normalised(content=1.0, style=self.style_to_content, total_variation=self.tv_to_content)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
