"""In words, what lowered a quality: the fault's name, what was measured, and the share of quality that it cost."""

import math
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Any, Final, final

from measures.quality import PhotoQuality, Quality

OVER_STYLISED: Final = 0.35
"""Content preservation below which the photo is lost: of the outputs that were looked at, those where faces, animals or
houses were gone measured up to 0.31, those that a person would take from 0.41 on, but for one of 0.17."""

BARELY_STYLISED: Final = 0.15
"""Style match below which next to nothing was painted: recoloured photos with hardly a stroke measured up to 0.06, the
outputs that a person would take from 0.23 on."""

SMALLEST_COST: Final = 0.05
"""Share of quality that a fault must cost to be named: less is within the standard error over a few photos."""

_ARTEFACTS: Final = {
    "checkerboard": "checkerboard",
    "clipping": "clipped colours",
    "border": "border",
    "fixed_pattern": "the same pattern in every output",
    "collapse": "collapsed to flat or equal outputs",
}


@final
@dataclass(frozen=True, kw_only=True)
class Reason:
    """One thing that lowered a quality.

    Attributes:
        name: Of the fault: "content", "style", "copied", or the artefact term's.
        text: In a few words, with the measured part where there is one.
        cost: Share of the quality lost by it, in (0, 1): an artefact against none, content and style against the least
            that passes, copying against none.
    """

    name: str
    text: str
    cost: float

    def to_dict(self) -> dict[str, Any]:
        """Return plain values."""
        return asdict(self)


def find_reasons(scored: Quality | PhotoQuality, *, content_exponent: float) -> tuple[Reason, ...]:
    """Says what lowered a quality.

    Args:
        scored: Of a network's outputs, or of one of them.
        content_exponent: With which its parts were combined, in [0, 1].

    Returns:
        The most costly reason first; none for a good output.
    """
    reasons = [*_content_and_style(scored, content_exponent), *_copying(scored, content_exponent), *_artefacts(scored)]
    named = [reason for reason in reasons if reason.cost >= SMALLEST_COST]
    return tuple(sorted(named, key=lambda reason: -reason.cost))


def _content_and_style(scored: Quality | PhotoQuality, content_exponent: float) -> Iterator[Reason]:
    content = scored.content_preservation
    # What copying took from the style match is a reason of its own.
    style = scored.style_match / max((1.0 - _copied(scored)) ** 2, scored.style_match)
    lost, bare = content < OVER_STYLISED, style < BARELY_STYLISED
    if lost:
        word = "photo lost" if bare else "over-stylised"
        cost = 1.0 - (content / OVER_STYLISED) ** content_exponent
        yield Reason(name="content", text=f"{word}: content {content:.2f}", cost=cost)
    if bare:
        word = "unlike the style image" if lost else "barely stylised"
        cost = 1.0 - (style / BARELY_STYLISED) ** (1.0 - content_exponent)
        yield Reason(name="style", text=f"{word}: style {style:.2f}", cost=cost)


def _copying(scored: Quality | PhotoQuality, content_exponent: float) -> Iterator[Reason]:
    """The style match is scaled by (1 - copied)^2, see `style_match`."""
    copied = _copied(scored)
    if copied > 0.0:
        cost = 1.0 - (1.0 - copied) ** (2.0 * (1.0 - content_exponent))
        yield Reason(name="copied", text=f"pieces of the style image: {copied:.0%} copied", cost=cost)


def _copied(scored: Quality | PhotoQuality) -> float:
    """Share that is copied out of the style image, in [0, 1]."""
    layout, patches = (scored.terms.get(name) or 0.0 for name in ("copied_layout", "copied_patches"))
    return min(max(layout, patches), 1.0)


def _artefacts(scored: Quality | PhotoQuality) -> Iterator[Reason]:
    for name, text in _ARTEFACTS.items():
        excess = scored.terms.get(name)
        if excess:
            yield Reason(name=name, text=text, cost=1.0 - math.exp(-excess))
