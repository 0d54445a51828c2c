"""Which setting to try next: what a scout foretells, corrected by what trials have come to."""

import math
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from measures.ratio_space import Positions

OFF_BY: Final = 0.1
"""Standard deviation of what settings come to from what a scout foretells, once for all of them together and once for
each region: the root mean square that docs/fidelity.md measured."""

REGION: Final = 0.15
"""Of the square's side: how far what is learnt at one setting reaches. A factor of two in either ratio, over a range of
150. Chosen on the first two styles of docs/fidelity.md."""

TRIAL_NOISE: Final = 0.03
"""Standard deviation between trials of one setting with other seeds: of the order that docs/noise.md has."""

SMOOTHING: Final = 0.05
"""Of the square's side: over this what is foretold of single settings is averaged."""

_FEWEST_TO_WEIGH: Final = 16
"""Settings, below which both sides of the square count alike."""

_NOTHING: Final = 1e-9
"""Of quality: a side along which no more changes is flat."""

_SAME: Final = 1e-6
"""Of the square's side: settings no further apart are one."""


@final
class ForetoldLandscape:
    """What a scout foretells of some settings, as the mean of a Gaussian process that trials correct.

    The difference between a cheap and a costly model is one (Kennedy and O'Hagan 2000); the next setting is that whose
    expected improvement on the best so far is greatest (Jones, Schonlau and Welch 1998). Near a setting that was tried
    little is left to expect, so the next ones lie apart, and where trials come to less than foretold they go elsewhere.

    Distances are those of the square of both ratios; the side along which the foretold quality varies less counts for
    less by as much.
    """

    def __init__(self, positions: Positions, qualities: NDArray[np.float64]) -> None:
        """Take what is foretold.

        Args:
            positions: Of the settings that may be tried, (settings, 2).
            qualities: What is foretold of each, in [0, 1].
        """
        self._positions = np.asarray(positions, float)
        self._qualities = np.asarray(qualities, float)
        self._sides = weights_of_sides(self._positions, self._qualities)

    def next_settings(
        self, tried: Positions, qualities: NDArray[np.float64], *, awaited: Positions, count: int
    ) -> list[int]:
        """Return the places of the next settings to try, first to last, fewer if no others are left.

        Each but the first is chosen as if the ones before it came to what is expected of them.

        Args:
            tried: Where trials were, (trials, 2).
            qualities: What they came to.
            awaited: Where trials are that have come to nothing yet, (others, 2); they are taken to come to what is
                expected.
            count: How many are wanted.
        """
        tried, values = np.reshape(tried, (-1, 2)), np.reshape(qualities, -1)
        chosen: list[int] = []
        for position in np.reshape(awaited, (-1, 2)):
            expected, _ = self._expect(position[None], tried, values)
            tried, values = np.concatenate([tried, position[None]]), np.append(values, expected)
        while len(chosen) < count:
            left = (_distances(self._positions, tried) > _SAME).all(axis=1)
            if not left.any():
                break
            expected, deviation = self._expect(self._positions, tried, values)
            best = self._expect(tried, tried, values)[0].max() if len(tried) else expected.max()
            chosen.append(int(np.where(left, _expected_improvement(expected, deviation, best), -1.0).argmax()))
            place = chosen[-1]
            tried = np.concatenate([tried, self._positions[place][None]])
            values = np.append(values, expected[place])
        return chosen

    def _expect(
        self, positions: Positions, tried: Positions, values: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return what settings are expected to come to, and how far that may be off (a standard deviation)."""
        if not len(tried):
            return self._foretell(positions), np.full(len(positions), np.hypot(OFF_BY, OFF_BY))
        known = self._covariance(tried, tried) + TRIAL_NOISE**2 * np.eye(len(tried))
        across = self._covariance(positions, tried)
        weights = np.linalg.solve(known, across.T).T
        variance = 2 * OFF_BY**2 - (weights * across).sum(axis=1)
        return self._foretell(positions) + weights @ (values - self._foretell(tried)), np.sqrt(np.maximum(variance, 0))

    def _covariance(self, some: Positions, others: Positions) -> NDArray[np.float64]:
        return OFF_BY**2 * (1 + self._nearness(some, others, REGION))

    def _foretell(self, positions: Positions) -> NDArray[np.float64]:
        shares = self._nearness(positions, self._positions, SMOOTHING)
        # Far from all of them (few were judged) the nearest counts, not none.
        shares += 1e-12 * self._nearness(positions, self._positions, 1.0)
        return np.asarray(shares @ self._qualities / shares.sum(axis=1))

    def _nearness(self, some: Positions, others: Positions, reach: float) -> NDArray[np.float64]:
        return np.asarray(np.exp(-0.5 * (_distances(some * self._sides, others * self._sides) / reach) ** 2))


def _expected_improvement(
    expected: NDArray[np.float64], deviation: NDArray[np.float64], best: float
) -> NDArray[np.float64]:
    deviation = np.maximum(deviation, 1e-9)
    steps = (expected - best) / deviation
    below = np.array([math.erfc(-step / math.sqrt(2)) / 2 for step in steps])
    return np.asarray((expected - best) * below + deviation * np.exp(-0.5 * steps**2) / np.sqrt(2 * np.pi))


def _distances(some: Positions, others: Positions) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(some[:, None] - others[None], axis=-1))


def weights_of_sides(positions: Positions, qualities: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return by how much each side counts, (2,), the greater 1: as parabolas fitted along both vary."""
    if len(qualities) < _FEWEST_TO_WEIGH:
        return np.ones(2)
    terms = np.stack([positions, positions**2], axis=-1)
    design = np.concatenate([np.ones((len(terms), 1)), terms.reshape(len(terms), 4)], axis=1)
    fitted = np.linalg.lstsq(design, qualities, rcond=None)[0][1:].reshape(2, 2)
    spans = np.ptp((terms * fitted).sum(axis=-1), axis=0)
    return spans / spans.max() if spans.max() > _NOTHING else np.ones(2)
