"""The space of both loss-weight ratios as a square, and as what a network can read."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Self, final

import numpy as np
from numpy.typing import NDArray

from measures.errors import SampledValuesError
from measures.sampled_values import SampledValues

Positions = NDArray[np.float64]
"""Places in the square, (places, 2), each in [0, 1]: how far up its range a ratio lies on a logarithmic scale."""

CODE_SIZE: Final = 4
"""Numbers that a place is coded with."""

END_SHARE: Final = 0.2
"""Of the draws along each axis, those that lie just at one of its two ends (HyperMorph, Hoopes et al. 2021)."""

_ROUNDING: Final = 1e-9
"""By this much of its range a ratio may lie outside: what a logarithm and back may move it."""


@final
@dataclass(frozen=True, kw_only=True)
class RatioSpace:
    """Ranges of both ratios.

    Attributes:
        style_to_content: Lowest and highest ratio of the style weight to the content weight.
        tv_to_content: Of the total-variation weight to the content weight.
    """

    style_to_content: tuple[float, float]
    tv_to_content: tuple[float, float]

    def __post_init__(self) -> None:
        for name, (low, high) in self.to_dict().items():
            if not 0 < low < high < math.inf:
                raise SampledValuesError(f"`{name}` must be a range above 0, low then high. Received {low}, {high}.")

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """Read what `to_dict` gave."""
        return cls(
            **{field.name: (float(values[field.name][0]), float(values[field.name][1])) for field in fields(cls)}
        )

    def to_dict(self) -> dict[str, tuple[float, float]]:
        """Return the ranges by name."""
        return asdict(self)

    def positions(self, values: Sequence[SampledValues]) -> Positions:
        """Return where in the square some values lie.

        Raises:
            SampledValuesError: A ratio lies outside its range.
        """
        with np.errstate(divide="ignore"):  # a ratio of 0 lies outside every range
            logs = np.log([[value.style_to_content, value.tv_to_content] for value in values]).reshape(-1, 2)
        low, high = self._logs()
        positions = (logs - low) / (high - low)
        for value, position in zip(values, positions, strict=True):
            self._check(value, position)
        return np.clip(positions, 0.0, 1.0)

    def at(self, positions: Positions) -> list[SampledValues]:
        """Return the values at some places, within rounding what `positions` takes there."""
        low, high = self._logs()
        ratios = np.exp(low + np.asarray(positions) * (high - low))
        return [SampledValues(style_to_content=float(style), tv_to_content=float(tv)) for style, tv in ratios]

    def _logs(self) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        low, high = np.log([self.style_to_content, self.tv_to_content]).T
        return low, high

    def _check(self, value: SampledValues, position: NDArray[np.float64]) -> None:
        for (name, ratio), place in zip(value.to_dict().items(), position, strict=True):
            if not -_ROUNDING <= place <= 1 + _ROUNDING:
                low, high = self.to_dict()[name]
                raise SampledValuesError(f"`{name}` must be from {low:g} to {high:g}. Received {ratio:.4g}.")


def encode(positions: Positions) -> NDArray[np.float32]:
    """Return the code of some places that a network reads, (places, 4), each of the same norm.

    A quarter turn along each axis: cosine and sine. A network that reads the plain numbers makes outputs that scale
    with them (Ortiz, Guttag and Dalca, "Magnitude Invariant Parametrizations", ICLR 2024).
    """
    angles = np.asarray(positions) * (math.pi / 2)
    return np.concatenate([np.cos(angles), np.sin(angles)], axis=-1).astype(np.float32)


def draw_positions(num_places: int, generator: np.random.Generator) -> Positions:
    """Draw places that cover the square evenly: one in each of as many strips along both axes, and more at the ends.

    Along each axis the drawn strip is longer than the range by `END_SHARE`, and what lies beyond is put on the end.
    """
    strips = np.stack([generator.permutation(num_places) for _ in range(2)], axis=-1)
    uniform = (strips + generator.random((num_places, 2))) / num_places
    stretched = 0.5 + (uniform - 0.5) / (1.0 - END_SHARE)
    return np.clip(stretched, 0.0, 1.0)
