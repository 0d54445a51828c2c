"""How a tilt weighs the layers of the style loss against each other, from fine strokes to coarse shapes."""

from collections.abc import Sequence
from typing import Final

import numpy as np

MAX_TILT: Final = 4.0
"""Either way: a layer then weighs sixteen times its neighbour, and of four layers the last 4,096 times the first."""


def tilted_layers(layers: Sequence[str], tilt: float) -> dict[str, float]:
    """Return the weight of each layer: 2^(tilt * l) for the l-th from the fine end, divided by the mean of all.

    Args:
        layers: By names that sort from fine to coarse, as relu1_1, relu2_1 do.
        tilt: In octaves a layer: by each step towards the coarse end weights grow by 2^tilt. At 0 all are exactly 1.
    """
    ordered = sorted(layers)
    raw = 2.0 ** (tilt * (np.arange(len(ordered)) - (len(ordered) - 1) / 2))
    return {layer: float(weight) for layer, weight in zip(ordered, raw / raw.mean(), strict=True)}
