"""Turns the raw measurements of a set of outputs into their quality. NumPy only."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import final

import numpy as np

from measures.quality import ArtefactExcess, PhotoQuality, Quality, average_photos, combine_parts
from objectives.judging.content_preservation import content_preservation
from objectives.judging.faults import ArtefactLevels, picture_excess
from objectives.judging.measuring import MeasuredOutput
from objectives.judging.set_faults import SetLevels, collapse_excess, fixed_pattern_excess
from objectives.judging.style_match import TextureMatches, style_match, texture_matches


@final
@dataclass(frozen=True, kw_only=True)
class MeasuredSet:
    """Raw measurements of the outputs of one network.

    Attributes:
        outputs: Of each output, in the photos' order.
        together: What the outputs show together.
        photos_together: What their photos show together.
        style_levels: What the style image shows of each fault itself.
        style_contrast: Standard deviation of its luminance.
    """

    outputs: Sequence[MeasuredOutput]
    together: SetLevels
    photos_together: SetLevels
    style_levels: ArtefactLevels
    style_contrast: float


def combine_set(measured: MeasuredSet, *, content_exponent: float) -> Quality:
    """Parts of each output and their means, from the measurements of the whole set.

    Args:
        measured: At least one output.
        content_exponent: Weight of content preservation against style match, in [0, 1].
    """
    fixed_pattern = fixed_pattern_excess(measured.together, measured.photos_together)
    collapse = collapse_excess(measured.together, measured.photos_together, style_contrast=measured.style_contrast)
    textures = _match_textures(measured.outputs)
    photos = []
    for output, texture, distance in zip(measured.outputs, textures.matches, textures.distances, strict=True):
        excess = picture_excess(output.levels, photo=output.photo_levels, style=measured.style_levels)
        excess = replace(excess, fixed_pattern=fixed_pattern, collapse=collapse)
        terms = _terms(output, texture=texture, distance=distance, style_scale=textures.scale)
        photos.append(_combine_output(terms, excess, content_exponent))
    return average_photos(photos)


def _match_textures(outputs: Sequence[MeasuredOutput]) -> TextureMatches:
    return texture_matches(
        np.array([output.texture_distances for output in outputs]),
        zeros=np.array([output.anchors.texture_zero(output.sharpness) for output in outputs]),
        ones=np.array([output.anchors.texture_one for output in outputs]),
    )


def _combine_output(terms: dict[str, float], excess: ArtefactExcess, content_exponent: float) -> PhotoQuality:
    content = content_preservation(
        lpips=terms["lpips"], lpips_reference=terms["lpips_reference"], edges=terms["edges"], places=terms["places"]
    )
    copied = max(terms["copied_layout"], terms["copied_patches"])
    style = style_match(texture=terms["texture"], colour=terms["colour"], copied=copied)
    return combine_parts(
        content=content,
        style=style,
        artefacts=excess,
        content_exponent=content_exponent,
        terms={**terms, "raw_content_preservation": content, "raw_style_match": style},
    )


def _terms(output: MeasuredOutput, *, texture: float, distance: float, style_scale: float) -> dict[str, float]:
    """Raw measurements that are kept beside the parts, by name."""
    return {
        "lpips": output.lpips,
        "lpips_reference": output.lpips_reference,
        "edges": output.edges,
        "places": output.places,
        "texture_distance": distance,
        "texture": texture,
        "style_scale": style_scale,
        "colour": output.anchors.colour_match(output.colour_distance),
        "copied_layout": output.copied_layout,
        "copied_patches": output.copied_patches,
    }
