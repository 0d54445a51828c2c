"""The posterior of a rater's exponents, on a grid: three parameters are few enough for one. NumPy only."""

from dataclasses import dataclass, replace
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

Numbers = NDArray[np.float64]

INTERVAL: Final = 0.90
"""Probability of every stated interval."""

PRIOR_DECISIVENESS: Final = 5.0
"""Centre of the prior: of two outputs the one with a fifth more quality is then preferred in three of four cases."""

PRIOR_SCALES: Final = (1.0, 1.5, 1.0)
"""Standard deviations of log decisiveness, logit of the content exponent and log artefact exponent.

Wide: with 90 % probability decisiveness lies within a factor of 5, a content exponent about one half between 0.08 and
0.92, an artefact exponent about 1 between 0.2 and 5. Narrower ones missed simulated raters far from the centre more
often than stated."""

EXTREME_EXPONENT: Final = 0.02
"""A prior's centre is moved this far from 0 and 1, where the logit has no value."""

POINTS: Final = (17, 31, 17)
"""Of the grid along decisiveness, content and artefact exponent; more along the second, whose logit has a long tail
where a rater minds one part alone. Ends of intervals lay within 0.005 of those from 61 points each."""

RESAMPLED: Final = 500
"""Values at which a parameter's density is told in the end: linear steps between them cost a quantile below 0.001."""

SPAN: Final = 4.0
"""Standard deviations of the prior that the first grid reaches either way: all but 1e-4 of it."""

NEGLIGIBLE: Final = 1e-4
"""Share of the highest marginal density below which the next, finer grid leaves points out."""

SETTLED: Final = 0.1
"""A grid whose ends would move by less than this share of its length is not refined any more."""

MAX_GRIDS: Final = 12
"""Grids are refined so often at most; two to five were enough for 20 to 1,000 choices."""


@final
@dataclass(frozen=True, kw_only=True)
class Marginal:
    """Posterior of one parameter.

    Attributes:
        values: Of the parameter, rising, (points,).
        masses: Probability of each, sum 1, (points,).
    """

    values: Numbers
    masses: Numbers

    def quantile(self, share: float) -> float:
        """Return the value below which a share of the probability lies."""
        below = np.cumsum(self.masses) - 0.5 * self.masses
        return float(np.interp(share, below, self.values))

    def interval(self, share: float) -> tuple[float, float]:
        """Return the ends of the middle share of the probability."""
        return self.quantile(0.5 * (1.0 - share)), self.quantile(0.5 * (1.0 + share))


@final
@dataclass(frozen=True, kw_only=True)
class Posterior:
    """What is known of a rater after the choices, one parameter at a time.

    Attributes:
        decisiveness: Of d, above 0.
        content: Of the content exponent, in (0, 1).
        artefacts: Of the artefact exponent, above 0.
    """

    decisiveness: Marginal
    content: Marginal
    artefacts: Marginal


def log_likelihood(coefficients: Numbers, differences: Numbers, wins: Numbers) -> Numbers:
    """Log probability of choices under the logistic model.

    Args:
        coefficients: beta, (points, 3).
        differences: phi(first) - phi(second), (choices, 3).
        wins: 1 where the first was preferred, 0 where the second, 0.5 for a tie, (choices,).

    Returns:
        (points,), at most 0.
    """
    leads = coefficients @ differences.T
    # log sigma(x) and log sigma(-x) differ by x; this form neither overflows nor cancels.
    lost = -np.maximum(leads, 0.0) - np.log1p(np.exp(-np.abs(leads)))
    total: Numbers = lost.sum(axis=1) + leads @ wins
    return total


def find_posterior(
    differences: Numbers, wins: Numbers, *, content_exponent: float, artefact_exponent: float
) -> Posterior:
    """Weigh a grid of parameters by prior and likelihood, and refine it where the probability is.

    Args:
        differences: phi(first) - phi(second), (choices, 3).
        wins: 1, 0 or 0.5 as for `log_likelihood`, (choices,).
        content_exponent: Centre of the prior, in [0, 1].
        artefact_exponent: Centre of the prior, above 0.
    """
    content = float(np.clip(content_exponent, EXTREME_EXPONENT, 1.0 - EXTREME_EXPONENT))
    centre = np.array([np.log(PRIOR_DECISIVENESS), np.log(content / (1.0 - content)), np.log(artefact_exponent)])
    scales = np.array(PRIOR_SCALES)
    low, high = centre - SPAN * scales, centre + SPAN * scales
    for _ in range(MAX_GRIDS):
        axes = [np.linspace(*ends) for ends in zip(low, high, POINTS, strict=True)]
        grid = np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, 3)
        logs = log_likelihood(_coefficients(grid), differences, wins) - 0.5 * (((grid - centre) / scales) ** 2).sum(1)
        masses = np.exp(logs - logs.max()).reshape(POINTS)
        marginals = [masses.sum(axis=tuple({0, 1, 2} - {axis})) / masses.sum() for axis in range(3)]
        ends = [_occupied(*pair) for pair in zip(axes, marginals, strict=True)]
        new_low, new_high = np.array(ends).T
        if (np.abs([new_low - low, new_high - high]) < SETTLED * (high - low)).all():
            break
        low, high = new_low, new_high
    decisiveness, content_logit, artefacts = (_marginal(*pair) for pair in zip(axes, marginals, strict=True))
    return Posterior(
        decisiveness=replace(decisiveness, values=np.exp(decisiveness.values)),
        content=replace(content_logit, values=_sigmoid(content_logit.values)),
        artefacts=replace(artefacts, values=np.exp(artefacts.values)),
    )


def _marginal(axis: Numbers, masses: Numbers) -> Marginal:
    """Masses also between a grid's points, by Shannon's series: the density is smooth at their distance."""
    values = np.linspace(axis[0], axis[-1], RESAMPLED)
    found = np.maximum(np.sinc((values[:, None] - axis) / (axis[1] - axis[0])) @ masses, 0.0)
    return Marginal(values=values, masses=found / found.sum())


def _coefficients(grid: Numbers) -> Numbers:
    """Beta of each point (log decisiveness, logit content exponent, log artefact exponent), (points, 3)."""
    decisiveness, content, artefacts = np.exp(grid[:, 0]), _sigmoid(grid[:, 1]), np.exp(grid[:, 2])
    exponents: Numbers = np.stack([content, 1.0 - content, artefacts], axis=1)
    return decisiveness[:, None] * exponents


def _occupied(axis: Numbers, masses: Numbers) -> tuple[float, float]:
    """Ends of the part of a grid's axis that holds more than negligible probability, one point wider."""
    (places,) = np.nonzero(masses > NEGLIGIBLE * masses.max())
    step = axis[1] - axis[0]
    return float(axis[places[0]] - step), float(axis[places[-1]] + step)


def _sigmoid(values: Numbers) -> Numbers:
    result: Numbers = 1.0 / (1.0 + np.exp(-values))
    return result
