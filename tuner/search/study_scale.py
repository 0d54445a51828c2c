"""What a study's losses are divided by, measured once and used by all its workers."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self, final

from pydantic import TypeAdapter, ValidationError

from objectives.training.references import LossReferences
from studies.errors import StudyError
from studies.records.attribute_values import mapping_of
from studies.records.trial_references import STYLE_AT_SIZE

ROUNDING: Final = 1e-5
"""Relative difference between two measurements of one reference: the order of sums differs between machines."""


@final
@dataclass(frozen=True, kw_only=True)
class StudyScale:
    """Weights mean the same in two workers that share it.

    Attributes:
        references: Scale of each loss, as measured; in a trainer's own loss those of the style layers are such that
            they share as the trainer's do (`tuner.search.loss_family`).
        loss_network: Name, source and digest of the loss network's weights.
        style_at_size: Scale of the style loss by layer, at each other size of the style image that is searched.
    """

    references: LossReferences
    loss_network: Mapping[str, str]
    style_at_size: Mapping[int, dict[str, float]] = field(default_factory=dict)

    def references_at(self, style_size: int) -> LossReferences:
        """Return the scale of each loss for trials with the style image at a size; content and variation share one."""
        style = self.style_at_size.get(style_size)
        return self.references if style is None else replace(self.references, style=style)

    def on_crops_of(self, measured: Self) -> Self:
        """Return the same with the references that were measured on other crops: only the loss network is compared."""
        return replace(self, references=measured.references, style_at_size=measured.style_at_size)

    def to_attribute(self) -> dict[str, Any]:
        """Return the references as a study keeps them, from which `scale_of` reads them back."""
        others = {str(size): dict(style) for size, style in self.style_at_size.items()}
        return {**self.references.to_dict(), **({STYLE_AT_SIZE: others} if others else {})}


_STORED: Final = TypeAdapter(StudyScale)

SettleScale = Callable[[StudyScale], StudyScale]
"""Is told what was measured here, and returns what is to be used."""


def as_measured(measured: StudyScale) -> StudyScale:
    """Settle for what was measured here: nobody else's trials are compared with these."""
    return measured


def require_same_scale(stored: StudyScale, measured: StudyScale, *, owner: str) -> StudyScale:
    """Return the stored scale if the measured one differs from it by no more than rounding.

    Args:
        stored: What the first worker measured.
        measured: What was measured here.
        owner: Whose scale it is, as a sentence begins with it: "Study 'waves'".

    Raises:
        StudyError: The loss network or a reference is another one; names both.
    """
    if dict(stored.loss_network) != dict(measured.loss_network):
        raise StudyError(
            f"{owner} looks through {_network(stored.loss_network)}; here it is {_network(measured.loss_network)}.\n"
            f"Fetch the same weights with `styletuner weights fetch {stored.loss_network.get('name')}`, or start "
            "another study with --new."
        )
    kept, found = _by_name(stored), _by_name(measured)
    name = max({**kept, **found}, key=lambda name: _difference(kept.get(name), found.get(name)))
    if _difference(kept.get(name), found.get(name)) > ROUNDING:
        raise StudyError(
            f"{owner} divides its {name} by {_number(kept.get(name))}; what is measured here "
            f"makes it {_number(found.get(name))}: weights would mean something else.\n"
            "Run it with the backend and the versions that it was begun with, or start another study with --new."
        )
    return stored


def _network(identity: Mapping[str, str]) -> str:
    return f"{identity.get('name')} of {identity.get('source')} with digest {str(identity.get('digest'))[:12]}"


def _by_name(scale: StudyScale) -> dict[str, float]:
    references = scale.references
    return {
        **{f"content loss at {layer}": value for layer, value in references.content.items()},
        **{f"style loss at {layer}": value for layer, value in references.style.items()},
        "total variation": references.total_variation,
        **{
            f"style loss at {layer}, style image of {size} px,": value
            for size, style in scale.style_at_size.items()
            for layer, value in style.items()
        },
    }


def _difference(stored: float | None, measured: float | None) -> float:
    """Relative difference; infinite where one is missing."""
    if stored is None or measured is None:
        return math.inf
    return abs(measured - stored) / max(abs(stored), abs(measured))


def _number(value: float | None) -> str:
    return "nothing" if value is None else f"{value:.7g}"


def scale_of(references: Any, loss_network: Any, *, owner: str) -> StudyScale | None:
    """Return the scale that a study or an export carries in plain values; None where none has been measured.

    Args:
        references: The scale of each loss.
        loss_network: Name, source and digest of the loss network's weights.
        owner: Whose scale it is, as a sentence begins with it: "Study 'waves'".

    Raises:
        StudyError: They were edited into what no worker writes.
    """
    if not references or not loss_network:
        return None
    values = {
        "references": references,
        "loss_network": loss_network,
        STYLE_AT_SIZE: mapping_of(references).get(STYLE_AT_SIZE, {}),
    }
    try:
        scale = _STORED.validate_python(values)
    except ValidationError as error:
        (first, *_) = error.errors()
        name = ".".join(map(str, first["loc"]))
        raise StudyError(
            f"{owner} carries a `{name}` that no study has ({first['msg']}). Export it again, or start another study "
            "with --new."
        ) from error
    return scale
