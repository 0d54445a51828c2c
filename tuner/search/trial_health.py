"""What goes wrong with a trial on its way: what ends it, and what is only noted."""

from collections.abc import Mapping
from typing import Any, Final, final

from measures.loss_weights import TERMS, LossWeights
from measures.quality import Quality

COLLAPSED: Final = 2.0
"""Excess of collapse (`objectives.judging.set_faults`, 3 is complete) from which outputs are next to flat or equal: the
artefact factor is below 0.14 then. In 263 recorded runs of 1,311 rungs (benchmarks/learning_curves.csv, fidelity.csv)
it was nowhere below 0.3, those that start with white patches included."""

EARLIEST: Final = 0.25
"""Share of a run before which a collapse says nothing: an untrained network is flat."""

SPIKE: Final = 1.5
"""Rise of the weighted training loss from one rung to the next. In the same runs it rose 1.007 times at most."""


@final
class TrialHealth:
    """Looks at a trial's rungs one after another."""

    def __init__(self, weights: LossWeights, *, images: int) -> None:
        """Begin a trial.

        Args:
            weights: Its loss weights.
            images: Those of a whole trial.
        """
        self._weights = weights.to_dict()
        self._images = images
        self._collapsed_at: list[int] = []
        self._loss: tuple[int, float] | None = None
        self._spikes: list[str] = []

    def look(self, quality: Quality, losses: Mapping[str, float], *, images_seen: int) -> None:
        """Take in a rung.

        Args:
            quality: Of the outputs there.
            losses: Mean losses by term since the rung before.
            images_seen: Of the trial there.
        """
        is_collapsed = (quality.terms.get("collapse") or 0.0) >= COLLAPSED
        if images_seen >= EARLIEST * self._images:
            self._collapsed_at = [*self._collapsed_at, images_seen] if is_collapsed else []
        loss = sum(self._weights[term] * losses[term] for term in TERMS)
        if self._loss is not None and loss > SPIKE * self._loss[1]:
            self._spikes.append(
                f"training loss {loss / self._loss[1]:.1f} times as high from image {self._loss[0]} to {images_seen}"
            )
        self._loss = images_seen, loss

    @property
    def ending(self) -> str | None:
        """Why the trial shall end, in words: collapsed at two rungs in succession; None if it need not."""
        if len(self._collapsed_at) < 2:  # noqa: PLR2004 (learning curves cross: one rung says little)
            return None
        before, now = self._collapsed_at[-2:]
        return f"pruned: collapsed to flat or equal outputs at images {before} and {now}"

    @property
    def notes(self) -> list[dict[str, Any]]:
        """What was noted, as entries beside what lowered the quality, of which it is no part."""
        return [{"name": "loss_spike", "text": text, "cost": 0.0} for text in self._spikes]
