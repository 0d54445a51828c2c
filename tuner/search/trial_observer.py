"""Whom a running trial tells how far it is, and what; loads no network."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import final

from measures.loss_weights import LossWeights


@final
@dataclass(frozen=True, kw_only=True)
class RungEvent:
    """What a trial tells at a rung.

    Attributes:
        number: The trial.
        images_seen: Images the trial has trained on so far.
        quality: Quality at this rung, in [0, 1].
        weights: The trial's loss weights.
    """

    number: int
    images_seen: int
    quality: float
    weights: LossWeights


@final
@dataclass(frozen=True, kw_only=True)
class TrialObserver:
    """Whom a running trial tells how far it is.

    Attributes:
        on_start: The trial's number and weights.
        on_batch: The number of images in the batch just trained on.
        on_rung: The score at a rung.
    """

    on_start: Callable[[int, LossWeights], None]
    on_batch: Callable[[int], None]
    on_rung: Callable[[RungEvent], None]
