"""How much a person weighs content, style and artefacts, from choices between pairs of outputs. NumPy only.

    P(first over second) = sigma(beta . [phi(first) - phi(second)]),  phi = (log C, log S, log A)
    beta = d (w, 1 - w, a),  calibrated quality = C^w S^(1-w) A^a

with content preservation C, style match S, artefact factor A, content exponent w in (0, 1), artefact exponent a > 0 and
decisiveness d > 0. It is the model of Bradley and Terry (1952), the log of the calibrated quality being the strength. A
tie counts as half a choice each way. Answers of one rater to one pair weigh as one choice together: asked again,
people tell how sure that choice was, and nothing about other pairs. The prior is centred at the judge's own exponents.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from measures.quality import Exponents, Parts
from studies.errors import CalibrationError
from studies.preferences.answers import FIRST, SECOND, TIE
from studies.preferences.posterior import INTERVAL, Posterior, find_posterior
from studies.preferences.self_agreement import Asked, SelfAgreement, measure_self_agreement

MIN_CHOICES: Final = 20
"""Choices from which on a person's own exponents are told: the interval of the content exponent is then about 0.4 wide,
half of what the prior alone says."""

NUM_FOLDS: Final = 10
"""Of the cross-validation: the usual number (Kohavi 1995), and few enough to take below a second."""

_FOLD_SEED: Final = 0


@final
@dataclass(frozen=True, kw_only=True)
class Choice:
    """One answer with the scores of what was shown.

    Attributes:
        rater: Who gave it.
        photo: Names the photo of both outputs.
        trials: Numbers of the first and the second trial, the lower one first.
        answer: "first", "second" or "tie".
        parts: Of the first and of the second output.
    """

    rater: str
    photo: str
    trials: tuple[int, int]
    answer: str
    parts: tuple[Parts, Parts]

    @property
    def pair(self) -> tuple[str, int, int]:
        """What was compared, whoever was asked."""
        return (self.photo, *self.trials)

    @property
    def asked(self) -> Asked:
        """Who was asked about what."""
        return (self.rater, *self.pair)

    @property
    def wins(self) -> float:
        """1 if the first was preferred, 0 if the second, 0.5 for a tie."""
        return {FIRST: 1.0, TIE: 0.5, SECOND: 0.0}[self.answer]

    @property
    def difference(self) -> NDArray[np.float64]:
        """phi(first) - phi(second), (3,)."""
        return self.parts[0].features() - self.parts[1].features()


@final
@dataclass(frozen=True, kw_only=True)
class Consistency:
    """How well the choices agree with each other.

    Attributes:
        num_contradictions: Pairs of which the same rater preferred each output once.
        num_circles: Triples of outputs of a photo preferred in a circle (a over b over c over a) by the same rater.
    """

    num_contradictions: int
    num_circles: int


@final
@dataclass(frozen=True, kw_only=True)
class Calibration:
    """What choices tell about the people who gave them.

    Attributes:
        exponents: Their exponents: medians of the posterior.
        content_interval: Holds the content exponent with 90 % probability.
        artefact_interval: Holds the artefact exponent with 90 % probability.
        decisiveness: Median of d: two outputs of which one has an e-th more quality are told apart with sigma(d).
        default: The judge's own exponents.
        num_choices: How many choices there were, ties and repeats included.
        num_ties: How many of them were ties.
        agreement_before: Share of the choices but ties that the judge's own exponents foretell, in [0, 1]; None
            without any.
        agreement_after: The same of fitted exponents, each choice foretold from those of other pairs; None also where
            there is only one pair.
        self_agreement: How often the raters chose as before when they were asked again.
        consistency: How well the choices agree with each other.
    """

    exponents: Exponents
    content_interval: tuple[float, float]
    artefact_interval: tuple[float, float]
    decisiveness: float
    default: Exponents
    num_choices: int
    num_ties: int
    agreement_before: float | None
    agreement_after: float | None
    self_agreement: SelfAgreement
    consistency: Consistency


def calibrate(choices: Sequence[Choice], *, content_exponent: float) -> Calibration:
    """Fit exponents to choices.

    Args:
        choices: Of one rater, or of several who are taken for one.
        content_exponent: The judge's own, in [0, 1], which is the centre of the prior.

    Raises:
        CalibrationError: There are fewer than `MIN_CHOICES` choices.
    """
    if len(choices) < MIN_CHOICES:
        raise CalibrationError(
            f"Calibration needs at least {MIN_CHOICES} choices. Received {len(choices)}. Give "
            f"{MIN_CHOICES - len(choices)} more: styletuner study prefer"
        )
    default = Exponents(content=content_exponent)
    posterior = fit(choices, default)
    return Calibration(
        exponents=_medians(posterior),
        content_interval=posterior.content.interval(INTERVAL),
        artefact_interval=posterior.artefacts.interval(INTERVAL),
        decisiveness=posterior.decisiveness.quantile(0.5),
        default=default,
        num_choices=len(choices),
        num_ties=sum(choice.answer == TIE for choice in choices),
        agreement_before=agreement(choices, [default] * len(choices)),
        agreement_after=_cross_validated_agreement(choices, default),
        self_agreement=measure_self_agreement((choice.asked, choice.answer) for choice in choices),
        consistency=measure_consistency(choices),
    )


def fit(choices: Iterable[Choice], default: Exponents) -> Posterior:
    """Find the posterior of exponents, the answers of one rater to one pair weighing as one choice.

    Args:
        choices: Any number of them.
        default: The judge's own exponents, which are the centre of the prior.
    """
    answers: dict[Asked, list[Choice]] = defaultdict(list)
    for choice in choices:
        answers[choice.asked].append(choice)
    differences = np.array([given[0].difference for given in answers.values()])
    wins = np.array([np.mean([choice.wins for choice in given]) for given in answers.values()])
    return find_posterior(differences, wins, content_exponent=default.content, artefact_exponent=default.artefacts)


def agreement(choices: Sequence[Choice], exponents: Sequence[Exponents]) -> float | None:
    """Share of choices that exponents foretell, in [0, 1].

    Args:
        choices: Ties are left out.
        exponents: Those that foretell each choice; where they find no difference it counts half.
    """
    hits = []
    for choice, chosen in zip(choices, exponents, strict=True):
        if choice.answer != TIE:
            sign = np.sign(chosen.vector() @ choice.difference)
            hits.append(0.5 * (1.0 + sign * (1.0 if choice.answer == FIRST else -1.0)))
    return float(np.mean(hits)) if hits else None


def measure_consistency(choices: Iterable[Choice]) -> Consistency:
    """Count contradictions and circles, each within one rater's choices."""
    answers: dict[Asked, list[str]] = defaultdict(list)
    for choice in choices:
        answers[choice.asked].append(choice.answer)
    return Consistency(
        num_contradictions=sum({FIRST, SECOND} <= set(given) for given in answers.values()),
        num_circles=_count_circles(answers),
    )


def _count_circles(answers: Mapping[Asked, Sequence[str]]) -> int:
    beaten: dict[tuple[str, str], dict[int, set[int]]] = defaultdict(lambda: defaultdict(set))
    for (rater, photo, first, second), given in answers.items():
        balance = given.count(FIRST) - given.count(SECOND)
        if balance:
            winner, loser = (first, second) if balance > 0 else (second, first)
            beaten[rater, photo][winner].add(loser)
    found = 0
    for below in beaten.values():
        for one in list(below):
            for two in below[one]:
                found += sum(one in below.get(three, ()) for three in below.get(two, ()))
    return found // 3


def _medians(posterior: Posterior) -> Exponents:
    return Exponents(content=posterior.content.quantile(0.5), artefacts=posterior.artefacts.quantile(0.5))


def _cross_validated_agreement(choices: Sequence[Choice], default: Exponents) -> float | None:
    """Agreement where a choice is foretold from those of other pairs: a repeated pair is never on both sides."""
    pairs = sorted({choice.pair for choice in choices})
    num_folds = min(NUM_FOLDS, len(pairs))
    if num_folds < 2:  # noqa: PLR2004 (nothing to learn from)
        return None
    order = np.random.default_rng(_FOLD_SEED).permutation(len(pairs))
    fold_of = {pairs[index]: place % num_folds for place, index in enumerate(order)}
    fitted = [
        _medians(fit([choice for choice in choices if fold_of[choice.pair] != fold], default))
        for fold in range(num_folds)
    ]
    return agreement(choices, [fitted[fold_of[choice.pair]] for choice in choices])
