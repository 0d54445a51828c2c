"""What a scout foretells of many settings: each is painted and judged, nothing is trained."""

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Final, final

import numpy as np
from scipy.stats import qmc

from measures.foretold_landscape import weights_of_sides
from measures.quality import Quality
from measures.ratio_space import Positions, RatioSpace
from measures.sampled_values import SampledValues
from objectives.judging.torch_setup import single_thread
from tuner.errors import ScoutError
from tuner.scouting.scout import Scout
from tuner.search.judged_set import JudgedSet

MIN_APART: Final = 0.12
"""Of the square's side: suggestions lie no nearer to each other, or several would be one, tried again. Chosen, not
measured: seven or eight fit along a side. The side along which the quality varies less counts for less by as much."""

SHEET_SHAPE: Final = (4, 8)
"""Rows and columns of a scout's sheet."""

NUM_SPREAD: Final = 96
"""Settings that are judged besides those of a sheet, to suggest the best of all: one for each 0.09 of the square's
side."""


@final
@dataclass(frozen=True, kw_only=True)
class Foretold:
    """What a scout foretells of one setting.

    Attributes:
        values: The setting.
        quality: What the judge says of the scout's outputs there.
    """

    values: SampledValues
    quality: Quality

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: both ratios, quality with its standard error over photos, parts."""
        return {
            **self.values.to_dict(),
            "quality": self.quality.quality,
            "standard_error": self.quality.standard_error,
            **self.quality.parts(),
        }


def spread_positions(num_settings: int) -> Positions:
    """Return places that fill the square evenly, (settings, 2): the same for the same number (Sobol's sequence)."""
    sampler = qmc.Sobol(2, scramble=False)
    exponent = max(0, int(num_settings - 1).bit_length())
    points = sampler.random_base2(exponent)[:num_settings]
    # The first point is the corner 0, 0; half a cell up, all lie inside.
    return np.asarray(points + 0.5 / 2**exponent)


def suggesting_positions() -> Positions:
    """Return the places among which the best are suggested: first those of a sheet of `SHEET_SHAPE`, row after row."""
    num_rows, num_columns = SHEET_SHAPE
    return np.concatenate([grid_positions(num_columns, num_rows), spread_positions(NUM_SPREAD)])


def grid_positions(num_columns: int, num_rows: int) -> Positions:
    """Return a grid over the square with its ends, (rows * columns, 2), the first ratio along a row, the second up."""
    columns, rows = np.linspace(0.0, 1.0, num_columns), np.linspace(0.0, 1.0, num_rows)
    return np.stack([array.ravel() for array in np.meshgrid(columns, rows)], axis=-1)


def sweep(
    scout: Scout,
    values: Sequence[SampledValues],
    judged: JudgedSet,
    *,
    on_setting: Callable[[int], None] = lambda _: None,
) -> list[Foretold]:
    """Paint some photos as each setting does, and judge them.

    Args:
        scout: A trained scout.
        values: The settings.
        judged: The photos and their judge; at least one photo.
        on_setting: Told how many are done, after each.

    Returns:
        One for each setting, in their order.

    Raises:
        SampledValuesError: A ratio lies outside the ranges that the scout was trained for.
        ScoutError: What the scout paints is not finite.
    """
    scout.space.positions(values)

    def foretell(value: SampledValues) -> Foretold:
        outputs = scout.paint(value, judged.photos)
        if not np.isfinite(outputs).all():
            raise ScoutError(f"Scout {scout.name} has diverged: what it paints is not finite. Train another.")
        return Foretold(values=value, quality=judged.judge.score(list(outputs)))

    found: list[Foretold] = []
    judged.judge  # noqa: B018  built now, by one thread
    # A score keeps to one thread: several at once, each with one, use all cores.
    with single_thread(), ThreadPoolExecutor(os.cpu_count() or 1) as pool:
        try:
            for foretold in pool.map(foretell, values):
                found.append(foretold)
                on_setting(len(found))
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
    return found


def best_apart(space: RatioSpace, found: Sequence[Foretold], count: int) -> list[Foretold]:
    """Return the best settings of a sweep, best first, none near a better one.

    Near is meant in what the scout foretells: where the quality hardly depends on one of the ratios, settings that
    differ in it alone are near, and the suggestions differ in the other.

    Args:
        space: That the settings lie in.
        found: What a scout foretells of them.
        count: How many are wanted; fewer are returned where no others are far enough apart.
    """
    qualities = np.array([foretold.quality.quality for foretold in found])
    positions = space.positions([foretold.values for foretold in found])
    positions = positions * weights_of_sides(positions, qualities)
    chosen: list[int] = []
    for place in np.argsort(-qualities, kind="stable").tolist():
        if len(chosen) == count:
            break
        if all(np.linalg.norm(positions[place] - positions[other]) >= MIN_APART for other in chosen):
            chosen.append(place)
    return [found[place] for place in chosen]
