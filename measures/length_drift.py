"""How the best style : content moves as training gets longer, as benchmarks/fidelity.py has measured it.

A test holds the figures to benchmarks/fidelity.csv.
"""

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

TIMES_LONGER: Final = 8
"""Length of the benchmark's long runs in short runs."""

NUM_BEST: Final = 3
"""Settings of which the mean is taken: the very best moves in steps of the benchmark's grid, and by luck."""

FACTORS: Final[Mapping[str, tuple[float, float]]] = {"noise": (1.04, 1.59), "starter": (0.72, 1.0)}
"""By what short runs start from: by how much the best ratio at the end of long runs from noise is theirs.

The lowest and the highest factor over styles. Runs from a scout were not measured.
"""

NUM_STYLES: Final = 4


def best_ratio(ratios: NDArray[np.float64], qualities: NDArray[np.float64]) -> float:
    """Return where the best lies: the geometric mean of the best settings' ratios, weighted by their quality.

    Args:
        ratios: style : content of each setting.
        qualities: In [0, 1], of the same settings.
    """
    best = np.argsort(-qualities)[:NUM_BEST]
    return float(np.exp(np.average(np.log(ratios[best]), weights=qualities[best])))
