"""What the long runs of benchmarks/fidelity.csv came to, style by style."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from fidelity_runs import CHOOSING, LOSSES, REPORTING, RUNGS, read_table


@dataclass(frozen=True, kw_only=True)
class Truth:
    """What one style's settings came to.

    Attributes:
        style: The style image's stem.
        numbers: Of its settings, rising; not all of them where not all are trained.
        ratios: style : content of each setting, rising.
        variations: tv : content of each setting.
        quality: By setting and rung, shape (settings, rungs).
        errors: Standard errors of the qualities over photos, same shape.
        losses: Mean training loss since the rung before, weights divided by their sum, same shape.
    """

    style: str
    numbers: tuple[int, ...]
    ratios: np.ndarray
    variations: np.ndarray
    quality: np.ndarray
    errors: np.ndarray
    losses: np.ndarray


def read_truths(scale: str = "64") -> list[Truth]:
    """Return the styles with those of their settings that were trained to the end; a style without any is left out."""
    found: dict[str, dict[int, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for row in read_table():
        if (row["scale"], row["seed"], row["way"]) == (scale, "0", "noise"):
            found[row["style"]][int(row["setting"])].append(row)
    truths = []
    for style in (*CHOOSING, *REPORTING):
        by_number = {
            number: sorted(rows, key=lambda row: int(row["images_seen"]))
            for number, rows in sorted(found[style].items())
            if len(rows) == len(RUNGS[scale])
        }
        whole = list(by_number.values())
        if whole:
            truths.append(
                Truth(
                    style=style,
                    numbers=tuple(by_number),
                    ratios=np.array([float(rows[0]["style_to_content"]) for rows in whole]),
                    variations=np.array([float(rows[0]["tv_to_content"]) for rows in whole]),
                    quality=np.array([[float(row["quality"]) for row in rows] for rows in whole]),
                    errors=np.array([[float(row["standard_error"]) for row in rows] for rows in whole]),
                    losses=np.array([[_weighted_loss(row) for row in rows] for rows in whole]),
                )
            )
    return truths


def _weighted_loss(row: dict[str, str]) -> float:
    weights = (1.0, float(row["style_to_content"]), float(row["tv_to_content"]))
    losses = [float(row[f"{name}_loss"]) for name in LOSSES]
    return float(np.average(losses, weights=weights))
