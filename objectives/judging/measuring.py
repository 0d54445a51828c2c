"""Measures one photo, or one output of it, against the style image: raw measurements, which nothing here combines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import final

import numpy as np

from models.pictures.images import Image, resize, resize_short_side
from objectives.judging.anchor_pictures import match_histograms, recolour
from objectives.judging.content_preservation import gradient_correlation, gradient_maps
from objectives.judging.copying import SMALLEST_SEARCHED_SIDE, copied_layout, fine_detail
from objectives.judging.faults import ArtefactLevels, measure_levels
from objectives.judging.luminance import Plane
from objectives.judging.perceptual_network import PictureFeatures, shared_network
from objectives.judging.style_match import BLURS, StyleAnchors, blurred, sharpness
from objectives.judging.style_reference import LARGEST_JUDGED_SIDE, StyleReference


@final
@dataclass(frozen=True, kw_only=True)
class JudgedPhoto:
    """All that is needed of one photo to measure its outputs, measured once.

    Attributes:
        shape: Of the photo, and of its outputs.
        features: Of the photo and of the recoloured photo, as far as LPIPS compares them.
        lpips_reference: LPIPS of the style image, stretched to the photo's size, to the photo.
        edges: Gradient maps of the photo.
        detail: Fine detail of the photo.
        pasted_detail: Fine detail of the stretched style image.
        anchors: Distances to the style image that stand for style match 0 and 1.
        levels: What the photo shows of each fault itself.
    """

    shape: tuple[int, ...]
    features: tuple[PictureFeatures, PictureFeatures]
    lpips_reference: float
    edges: tuple[Plane, ...]
    detail: Plane
    pasted_detail: Plane
    anchors: StyleAnchors
    levels: ArtefactLevels


@final
@dataclass(frozen=True, kw_only=True)
class MeasuredOutput:
    """Raw measurements of one output and its photo: numbers only, so that those of any number of outputs are kept.

    Attributes:
        lpips: To the photo or the recoloured photo, whichever is nearer.
        lpips_reference: Of the photo: see `JudgedPhoto`.
        edges: `gradient_correlation` with the photo.
        texture_distance: To the style image, in spreads of its features.
        colour_distance: To the style image, in pixel values.
        sharpness: Of the output at the judged size.
        copied_layout: Share of the style image's layout that shows, in [0, 1].
        copied_patches: Share of pieces of the style image, in [0, 1].
        anchors: Of the photo: see `JudgedPhoto`.
        levels: What the output shows of each fault.
        photo_levels: What the photo shows of each.
    """

    lpips: float
    lpips_reference: float
    edges: float
    texture_distance: float
    colour_distance: float
    sharpness: float
    copied_layout: float
    copied_patches: float
    anchors: StyleAnchors
    levels: ArtefactLevels
    photo_levels: ArtefactLevels


def measure_photo(photo: Image, *, style: StyleReference) -> JudgedPhoto:
    """Measures a photo.

    Args:
        photo: RGB in [0, 1], at the size of its outputs.
        style: The style image at the scale of the set that the photo belongs to.
    """
    judged = resize_short_side(photo, style.judged_side)
    pasted = resize(style.style, height=photo.shape[0], width=photo.shape[1])
    enlarged = [
        resize_short_side(picture, LARGEST_JUDGED_SIDE) for picture in (photo, recolour(photo, style.style), pasted)
    ]
    network = shared_network()
    features = [seen.for_distance() for seen in network.features(enlarged)]
    return JudgedPhoto(
        shape=photo.shape,
        features=(features[0], features[1]),
        lpips_reference=network.distance(features[2], features[0]),
        edges=gradient_maps(enlarged[0]),
        detail=fine_detail(enlarged[0]),
        pasted_detail=fine_detail(enlarged[2]),
        anchors=_measure_anchors(judged, style),
        levels=measure_levels(photo),
    )


def measure_output(output: Image, *, photo: JudgedPhoto, style: StyleReference) -> MeasuredOutput:
    """Measures an output of a photo.

    Args:
        output: RGB in [0, 1], of its photo's size.
        photo: What was measured of its photo against the same style image.
        style: The style image.
    """
    judged = resize_short_side(output, style.judged_side)
    enlarged = resize_short_side(output, LARGEST_JUDGED_SIDE)
    (features,), (textures,) = style.textures([judged])
    if style.judged_side != LARGEST_JUDGED_SIDE:  # else one pass serves both
        (features,) = shared_network().features([enlarged])
    detail = fine_detail(enlarged)
    searched = min(photo.shape[:2]) >= SMALLEST_SEARCHED_SIDE
    return MeasuredOutput(
        lpips=min(shared_network().distance(features, other) for other in photo.features),
        lpips_reference=photo.lpips_reference,
        edges=gradient_correlation(gradient_maps(enlarged), photo.edges),
        texture_distance=style.texture_distance(textures),
        colour_distance=style.colour_distance(judged),
        sharpness=sharpness(judged),
        copied_layout=copied_layout(detail, photo=photo.detail, style=photo.pasted_detail),
        copied_patches=style.patches.copied_patches(detail, photo=photo.detail) if searched else 0.0,
        anchors=photo.anchors,
        levels=measure_levels(output),
        photo_levels=photo.levels,
    )


def _measure_anchors(photo: Image, style: StyleReference) -> StyleAnchors:
    """Measure the nearer recoloured photo at each blur, made monotone, since chance may turn a step around."""
    recolourings = [recolour(photo, style.judged_style), match_histograms(photo, style.judged_style)]
    texture_one, colour_one = style.tiling_distances(*photo.shape[:2])
    distances, sharpnesses = [], []
    for blur in BLURS:
        pictures = [blurred(picture, blur) for picture in recolourings]
        distances.append(min(_texture_distances(pictures, style)))
        sharpnesses.append(np.mean([sharpness(picture) for picture in pictures]))
    return StyleAnchors(
        sharpness=tuple(float(value) for value in np.minimum.accumulate(sharpnesses)),
        texture_zero=tuple(float(value) for value in np.maximum.accumulate(distances)),
        texture_one=texture_one,
        colour_zero=style.colour_distance(photo),
        colour_one=colour_one,
    )


def _texture_distances(pictures: Sequence[Image], style: StyleReference) -> list[float]:
    _, textures = style.textures(pictures)
    return [style.texture_distance(texture) for texture in textures]
