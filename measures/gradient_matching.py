"""Weights of one loss that come nearest to those of another: each term pulls at the pixels as hard as the other's.

Two losses that look through other networks, or at other layers, have no constant between them. What is matched is the
norm of each term's gradient with respect to the pixels of some outputs, relative to that of the content loss: on each
picture, and over the pictures the geometric mean. A conversion there and back gives the same weights, and where two
terms are the same up to a constant, the ratio of their norms is that constant.
"""

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from measures.errors import MatchingError
from measures.loss_weights import TERM_LABELS

Gradients = Mapping[str, NDArray[np.float32]]
"""By term, (pictures, height, width, 3)."""

CONTENT: Final = "content"

NEAR: Final = 0.95
"""Cosine of two losses' gradients from which one is taken for the other."""

NO_MATCH: Final = 0.5
"""Cosine below which weights of one loss say nothing of those of another: they pull at an angle of 60 degrees and more,
so that less than half of one's pull is the other's."""


class Nearness(enum.StrEnum):
    """How near two losses are, by the cosine of their gradients, and by whether something stands in for a part."""

    SAME = "same"
    APPROXIMATE = "approximate"
    NO_MATCH = "no match"

    @classmethod
    def of(cls, cosine: float, *, reasons: Sequence[str] = ()) -> "Nearness":
        """Return how near losses of this cosine are: the same only where there are no reasons against it either."""
        if cosine >= NEAR:
            return cls.APPROXIMATE if reasons else cls.SAME
        return cls.APPROXIMATE if cosine >= NO_MATCH else cls.NO_MATCH


@final
@dataclass(frozen=True, kw_only=True)
class MatchedWeights:
    """Weights of a loss that come nearest to those of another.

    Attributes:
        weights: By term of the loss, the content weight as it was asked for.
        left_out: Terms of the other loss that this one has not, and that had a weight.
        cosine: Between both losses' gradients, the mean over the pictures, in [-1, 1]; 1 is the same loss.
        lowest_cosine: On the picture where they differ most.
        term_cosines: The same mean for each term that both have, whatever its weight.
    """

    weights: dict[str, float]
    left_out: tuple[str, ...]
    cosine: float
    lowest_cosine: float
    term_cosines: dict[str, float]

    @property
    def nearness(self) -> Nearness:
        """Whether one loss can be taken for the other."""
        return Nearness.of(self.cosine)


def match_weights(
    weights: Mapping[str, float], gradients: Gradients, *, into: Gradients, content: float = 1.0
) -> MatchedWeights:
    """Return the weights of one loss that come nearest to those of another.

    Args:
        weights: Of the other loss, by term; content above 0, the others at least 0.
        gradients: Of each of its terms, unweighted.
        into: Of each term of the loss whose weights are wanted, on the same pictures.
        content: The wanted content weight.

    Raises:
        MatchingError: A term does not change with the pixels of a picture.
    """
    wanted = {term: weights[term] for term in gradients if weights.get(term, 0.0) > 0}
    scales = {term: _scale(term, gradients[term], into[term]) for term in wanted if term in into}
    unit = content / (wanted[CONTENT] * scales[CONTENT])
    found = {term: unit * wanted[term] * scales[term] if term in scales else 0.0 for term in into}
    cosines = _cosines(_total(gradients, wanted), _total(into, found))
    return MatchedWeights(
        weights=found,
        left_out=tuple(term for term in wanted if term not in into),
        cosine=float(np.mean(cosines)),
        lowest_cosine=float(np.min(cosines)),
        term_cosines={term: float(np.mean(_cosines(gradients[term], into[term]))) for term in scales},
    )


def _scale(term: str, gradient: NDArray[np.float32], other: NDArray[np.float32]) -> float:
    """How much harder one term pulls than another: the geometric mean over the pictures."""
    return float(np.exp(np.mean(np.log(_norms(term, gradient)) - np.log(_norms(term, other)))))


def _norms(term: str, gradient: NDArray[np.float32]) -> NDArray[np.float64]:
    norms: NDArray[np.float64] = np.sqrt(np.sum(np.square(gradient, dtype=np.float64), axis=(1, 2, 3)))
    if not np.all(np.isfinite(norms)) or not np.all(norms > 0):
        raise MatchingError(
            f"The {TERM_LABELS[term]} loss pulls at no pixel of some picture, so that it cannot be matched. Use other "
            "photos or another style image."
        )
    return norms


def _total(gradients: Gradients, weights: Mapping[str, float]) -> NDArray[np.float64]:
    # Divided by the largest first: weights of 1e10 and 1e-6 meet here.
    largest = max(weights.values())
    parts = [gradients[term].astype(np.float64) * (weight / largest) for term, weight in weights.items() if weight]
    total: NDArray[np.float64] = np.sum(parts, axis=0)
    return total


def _cosines(one: NDArray[np.floating], other: NDArray[np.floating]) -> NDArray[np.float64]:
    """Of each picture's gradients, (pictures,)."""
    first, second = (values.reshape(len(values), -1).astype(np.float64) for values in (one, other))
    lengths = np.linalg.norm(first, axis=1) * np.linalg.norm(second, axis=1)
    cosines: NDArray[np.float64] = np.sum(first * second, axis=1) / lengths
    return cosines
