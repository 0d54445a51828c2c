"""That the figures are those of the benchmark's table."""

import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

from measures.length_drift import FACTORS, NUM_STYLES, TIMES_LONGER, best_ratio

TABLE = Path(__file__).parents[2] / "benchmarks" / "fidelity.csv"
FEWEST_SETTINGS = 9
SHORT_RUN = 640


def qualities_at(images: int, *, start: str = "noise") -> dict[str, dict[float, float]]:
    """By style, quality by ratio of its settings' first runs, where enough were trained whole."""
    found: dict[str, dict[float, float]] = defaultdict(dict)
    with TABLE.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            kept = (row["scale"], row["way"], row["seed"], row["images_seen"]) == ("64", start, "0", str(images))
            if kept:
                found[row["style"]][float(row["style_to_content"])] = float(row["quality"])
    return {style: known for style, known in found.items() if len(known) >= FEWEST_SETTINGS}


@pytest.mark.parametrize("start", FACTORS)
def test_the_factors_are_those_of_the_long_runs(start: str) -> None:
    short, long = qualities_at(SHORT_RUN, start=start), qualities_at(TIMES_LONGER * SHORT_RUN)
    factors = []
    for style, late in long.items():
        ratios = np.array(list(late))
        early = np.array([short[style][ratio] for ratio in late])
        factors.append(best_ratio(ratios, np.array(list(late.values()))) / best_ratio(ratios, early))
    assert len(factors) == NUM_STYLES
    assert (min(factors), max(factors)) == pytest.approx(FACTORS[start], abs=0.005)


def test_the_best_ratio_is_the_mean_of_three() -> None:
    ratios, qualities = np.array([1.0, 2.0, 4.0, 100.0]), np.array([0.5, 0.5, 0.5, 0.1])
    assert best_ratio(ratios, qualities) == pytest.approx(2.0)
