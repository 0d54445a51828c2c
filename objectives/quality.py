"""Perceptual quality: what the search maximises, put together from its parts. NumPy only.

quality = C^w x S^(1 - w) x A, with content preservation C, style match S, artefact factor A and content exponent w: the
weighted geometric mean, which predicted people's choices better than the arithmetic one (CLSAP-Net labels).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np

from objectives.artefacts import ArtefactExcess
from objectives.errors import QualityError

CONTENT_EXPONENT: Final = 0.5
"""The best exponent for people's overall choices lay between 0.4 and 0.5 (1,200 CLSAP-Net ratings)."""

SHARPNESS: Final = 40.0
"""Of the soft clip: 0 becomes 0.017, and 0.1 is changed by less than 0.001, so that real parts stay as measured."""

NEGATIVE_SPAN: Final = 0.1
"""Parts below 0 are squeezed into (-0.1, 0), in order: bad outputs of early runs stay apart instead of all being 0."""


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
    content_part, style_part, factor = soft_clip(content), soft_clip(style), artefacts.factor()
    return PhotoQuality(
        quality=content_part**content_exponent * style_part ** (1.0 - content_exponent) * factor,
        content_preservation=content_part,
        style_match=style_part,
        artefact_factor=factor,
        terms={
            **terms,
            "checkerboard": artefacts.checkerboard,
            "clipping": artefacts.clipping,
            "border": artefacts.border,
            "fixed_pattern": artefacts.fixed_pattern,
            "collapse": artefacts.collapse,
        },
    )


def average_photos(photos: Sequence[PhotoQuality]) -> Quality:
    """Means over photos, with the standard error of the mean quality.

    Raises:
        QualityError: There is no photo.
    """
    if not photos:
        raise QualityError("`photos` must hold at least one scored photo. Received none. Score at least one output.")
    qualities = [photo.quality for photo in photos]
    return Quality(
        quality=float(np.mean(qualities)),
        content_preservation=float(np.mean([photo.content_preservation for photo in photos])),
        style_match=float(np.mean([photo.style_match for photo in photos])),
        artefact_factor=float(np.mean([photo.artefact_factor for photo in photos])),
        standard_error=float(np.std(qualities, ddof=1)) / math.sqrt(len(photos)) if len(photos) > 1 else None,
        photos=tuple(photos),
        terms={name: _mean_term(photos, name) for name in photos[0].terms},
    )


def _mean_term(photos: Sequence[PhotoQuality], name: str) -> float | None:
    values = [value for photo in photos if (value := photo.terms[name]) is not None]
    return float(np.mean(values)) if values else None
