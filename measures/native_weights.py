"""What a trainer's own weights are in our loss: constants between its distances and ours, and shares of its layers.

Our distance d of a layer is a mean over pictures, positions and channels, and our loss divides it by a reference r. A
trainer's loss is a sum of k d over its layers, k a constant of its conventions. So

    sum of k d  =  (sum of k r)  x  (sum of s d / r)   with shares s = k r / (sum of k r),

which is our loss up to one constant where the shares of our layers are these.
"""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import final

from measures.errors import WeightsError


@final
@dataclass(frozen=True, kw_only=True)
class NativeWeights:
    """Loss weights as a trainer's command line takes them, in its own units.

    Attributes:
        content: Above 0.
        style: At least 0.
        total_variation: At least 0.
    """

    content: float
    style: float
    total_variation: float

    def __post_init__(self) -> None:
        for name, value in self.to_dict().items():
            if not math.isfinite(value) or value < 0:
                raise WeightsError(f"`{name}` weight must be a finite number of at least 0. Received {value}.")
        if self.content == 0:
            raise WeightsError("`content` weight must be above 0. Received 0. Without it nothing of the photo is kept.")

    def to_dict(self) -> dict[str, float]:
        """Return the weights by term."""
        return asdict(self)


def native_shares(factors: Mapping[str, float], references: Mapping[str, float]) -> dict[str, float]:
    """Return the share of each layer with which our loss of a term is a trainer's, up to one constant; they sum to 1.

    Args:
        factors: The trainer's constant k, by layer; above 0.
        references: What our loss divides by, by layer; above 0.
    """
    total = native_total(factors, references)
    return {layer: factor * references[layer] / total for layer, factor in factors.items()}


def native_references(factors: Mapping[str, float], references: Mapping[str, float]) -> dict[str, float]:
    """Return what to divide each layer by where our loss shares equally, so that it is a trainer's up to one constant.

    A layer of n then has the share of `native_shares`; where each distance is its reference the loss is 1 as before.

    Args:
        factors: The trainer's constant k, by layer; above 0.
        references: What our loss divides by, by layer; above 0.
    """
    total, num_layers = native_total(factors, references), len(factors)
    return {layer: total / (num_layers * factor) for layer, factor in factors.items()}


def native_total(factors: Mapping[str, float], references: Mapping[str, float]) -> float:
    """Return that constant: the trainer's loss over ours with these shares, the sum of k r."""
    return sum(factor * references[layer] for layer, factor in factors.items())
