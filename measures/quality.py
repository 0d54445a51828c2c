"""Perceptual quality: what the search maximises, put together from its parts. NumPy only.

quality = C^w x S^(1 - w) x A, with content preservation C, style match S, artefact factor A and content exponent w: the
weighted geometric mean, which predicted people's choices better than the arithmetic one (CLSAP-Net labels).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from measures.errors import NoScoresError
from measures.ties import MIN_PHOTOS, spread_behind, standard_error

CONTENT_EXPONENT: Final = 0.5
"""The best exponent for people's overall choices lay between 0.4 and 0.5 (1,200 CLSAP-Net ratings)."""

ARTEFACT_EXPONENT: Final = 1.0
"""The judge's own."""

PART_NAMES: Final = ("content_preservation", "style_match", "artefact_factor")
"""The three parts of a quality, in the order of its formula, as they are stored."""

PART_LABELS: Final = {name: name.replace("_", " ") for name in PART_NAMES}
"""What people read for each part, on every screen, sheet and page."""

PART_SHORT_LABELS: Final = dict(zip(PART_NAMES, ("content", "style", "artefacts"), strict=True))
"""The same where there is little room: heads of tables and lines of progress."""

SHARPNESS: Final = 40.0
"""Of the soft clip: 0 becomes 0.017, and 0.1 is changed by less than 0.001, so that real parts stay as measured."""

NEGATIVE_SPAN: Final = 0.1
"""Parts below 0 are squeezed into (-0.1, 0), in order: bad outputs of early runs stay apart instead of all being 0."""

FLOOR: Final = math.log(2.0) / SHARPNESS
"""What the soft clip makes of a part of 0. Below it parts only order runs that failed, which people do not tell apart;
without a floor one such pair would outweigh all of a person's other choices. The artefact factor has the same one."""


@final
@dataclass(frozen=True, kw_only=True)
class ArtefactExcess:
    """What is wrong with one output. Each term is at least 0, lower is better.

    Attributes:
        checkerboard: Energy at the finest pattern of 2x2 (and 4x4) pixels.
        clipping: Pixels all of whose channels are at 0 or 1, without the margins.
        border: Share of the picture that strips along its edges cover, by how plain they are to see.
        fixed_pattern: Fine detail that several outputs share at the same place; None for a single output.
        collapse: Flat outputs, or outputs that are alike; None for a single output.
    """

    checkerboard: float
    clipping: float
    border: float
    fixed_pattern: float | None
    collapse: float | None

    def factor(self) -> float:
        """exp(-sum of the terms that could be measured), in (0, 1]; higher is better."""
        return float(np.exp(-sum(term for term in self.to_dict().values() if term is not None)))

    def to_dict(self) -> dict[str, float | None]:
        """Return the terms by name."""
        return asdict(self)


@final
@dataclass(frozen=True, kw_only=True)
class Parts:
    """Parts of one output's quality, each in [0, 1], higher is better."""

    content_preservation: float
    style_match: float
    artefact_factor: float

    def features(self) -> NDArray[np.float64]:
        """Return phi, (3,): the logarithms of the parts, none below the log of `FLOOR`."""
        parts = (self.content_preservation, self.style_match, self.artefact_factor)
        return np.log(np.maximum(parts, FLOOR))


@final
@dataclass(frozen=True, kw_only=True)
class Exponents:
    """How a quality weighs its parts.

    Attributes:
        content: Of content preservation, in [0, 1]; style match has one minus this.
        artefacts: Of the artefact factor, from 0.
    """

    content: float
    artefacts: float = ARTEFACT_EXPONENT

    def quality(self, parts: Parts) -> float:
        """Return C^w S^(1-w) A^a, in [0, 1], higher is better: at the judge's exponents its own quality."""
        content = math.pow(parts.content_preservation, self.content)
        style = math.pow(parts.style_match, 1.0 - self.content)
        return content * style * math.pow(parts.artefact_factor, self.artefacts)

    def vector(self) -> NDArray[np.float64]:
        """Return (w, 1 - w, a), (3,)."""
        return np.array([self.content, 1.0 - self.content, self.artefacts])


@final
@dataclass(frozen=True, kw_only=True)
class PhotoQuality:
    """Quality of one output. All in [0, 1], higher is better.

    Attributes:
        quality: The combination of the three parts.
        content_preservation: How much of the photo is still there.
        style_match: How much it looks painted like the style image.
        artefact_factor: 1 without faults.
        terms: Raw measurements behind the parts, by name; None where one output is not enough to measure.
    """

    quality: float
    content_preservation: float
    style_match: float
    artefact_factor: float
    terms: Mapping[str, float | None]

    def parts(self) -> dict[str, float]:
        """Return the parts by name, in the order of `PART_NAMES`."""
        return {name: getattr(self, name) for name in PART_NAMES}

    def content_without_faults(self) -> float:
        """C x A: the goal of content where content and style are sought apart; faults gain on neither side."""
        return self.content_preservation * self.artefact_factor

    def style_without_faults(self) -> float:
        """S x A: the goal of style there."""
        return self.style_match * self.artefact_factor


@final
@dataclass(frozen=True, kw_only=True)
class Quality:
    """Quality of a network's outputs: means over the photos.

    Attributes:
        quality: Mean of the photos' quality, not the combination of the mean parts; in [0, 1], higher is better.
        content_preservation: Mean over photos.
        style_match: Mean over photos.
        artefact_factor: Mean over photos.
        standard_error: Of `quality`, over photos: that of the bootstrap, which for a mean needs no resampling, times
            sqrt(n / (n - 1)), since few photos spread less than many; None for one photo.
        photos: The parts of each photo, in order.
        terms: Mean raw measurements; None where several outputs are needed and one was given.
    """

    quality: float
    content_preservation: float
    style_match: float
    artefact_factor: float
    standard_error: float | None
    photos: tuple[PhotoQuality, ...]
    terms: Mapping[str, float | None]

    @property
    def spread(self) -> float | None:
        """Spread over photos: standard deviation (n - 1) of the photos' quality; None where `standard_error` is."""
        return None if self.standard_error is None else spread_behind(self.standard_error, len(self.photos))

    def parts(self) -> dict[str, float]:
        """Return the mean parts by name, in the order of `PART_NAMES`."""
        return {name: getattr(self, name) for name in PART_NAMES}


def soft_clip(value: float) -> float:
    """Maps a part to (0, 1]: near identity inside, 1 above, small but ordered below 0.

    clip(softplus(40 x) / 40, 0, 1), after negative values were squeezed into (-0.1, 0).
    """
    squeezed = value if value >= 0.0 else value / (1.0 - value / NEGATIVE_SPAN)
    return min(float(np.logaddexp(0.0, SHARPNESS * squeezed)) / SHARPNESS, 1.0)


def combine_parts(
    *, content: float, style: float, artefacts: ArtefactExcess, content_exponent: float, terms: Mapping[str, float]
) -> PhotoQuality:
    """Puts one output's parts together.

    Args:
        content: Content preservation before clipping.
        style: Style match before clipping.
        artefacts: Excesses of the faults.
        content_exponent: Weight of content against style, in [0, 1].
        terms: Further raw measurements to keep.

    Returns:
        The clipped parts, their combination and all raw measurements.
    """
    parts = Parts(
        content_preservation=soft_clip(content), style_match=soft_clip(style), artefact_factor=artefacts.factor()
    )
    return PhotoQuality(
        quality=Exponents(content=content_exponent).quality(parts),
        content_preservation=parts.content_preservation,
        style_match=parts.style_match,
        artefact_factor=parts.artefact_factor,
        terms={**terms, **artefacts.to_dict()},
    )


def average_photos(photos: Sequence[PhotoQuality]) -> Quality:
    """Means over photos, with the standard error of the mean quality.

    Raises:
        NoScoresError: There is no photo.
    """
    if not photos:
        raise NoScoresError("`photos` must hold at least one scored photo. Received none. Score at least one output.")
    qualities = [photo.quality for photo in photos]
    return Quality(
        quality=float(np.mean(qualities)),
        content_preservation=float(np.mean([photo.content_preservation for photo in photos])),
        style_match=float(np.mean([photo.style_match for photo in photos])),
        artefact_factor=float(np.mean([photo.artefact_factor for photo in photos])),
        standard_error=standard_error(qualities) if len(photos) >= MIN_PHOTOS else None,
        photos=tuple(photos),
        terms={name: _mean_term(photos, name) for name in photos[0].terms},
    )


def _mean_term(photos: Sequence[PhotoQuality], name: str) -> float | None:
    values = [value for photo in photos if (value := photo.terms[name]) is not None]
    return float(np.mean(values)) if values else None
