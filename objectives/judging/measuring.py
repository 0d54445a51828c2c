"""Measures one photo, or one output of it, against the style image: raw measurements, which nothing here combines."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from models.pictures.images import Image, resize, resize_short_side
from objectives.judging.anchor_pictures import match_histograms, recolour
from objectives.judging.borders import find_strips, measure_border, without_strips
from objectives.judging.content_preservation import (
    gradient_correlation,
    gradient_maps,
    place_agreement,
    place_vectors,
)
from objectives.judging.copying import SMALLEST_SEARCHED_SIDE, copied_layout, fine_detail
from objectives.judging.faults import ArtefactLevels, measure_levels
from objectives.judging.luminance import Plane
from objectives.judging.perceptual_network import PictureFeatures, shared_network
from objectives.judging.style_match import (
    BLURS,
    GRAIN_BLURS,
    GRAIN_LEVELS,
    SHARPENINGS,
    StyleAnchors,
    ZeroCurve,
    blurred,
    grained,
    sharpened,
    sharpness,
)
from objectives.judging.style_reference import LARGEST_JUDGED_SIDE, StyleReference

PLACES_LAYER: Final = 4
"""Index of AlexNet's relu5, whose 15 by 15 places at 256 px see objects: with relu4 lost photos measure nearer to kept
ones."""

FLAT: Final = 1.0 / 255.0
"""Standard deviation in pixel values below which a photo shows no place that could be lost: one of 255 levels. AlexNet
would still tell its margins from its middle."""


@final
@dataclass(frozen=True, kw_only=True)
class JudgedPhoto:
    """All that is needed of one photo to measure its outputs, measured once.

    Attributes:
        shape: Of the photo, and of its outputs.
        features: Of the photo and of the recoloured photo, as far as LPIPS compares them.
        lpips_reference: LPIPS of the style image, stretched to the photo's size, to the photo.
        edges: Gradient maps of the photo.
        places: `place_vectors` of the photo and of the recoloured photo.
        detail: Fine detail of the photo.
        pasted_detail: Fine detail of the stretched style image.
        anchors: Distances to the style image that stand for style match 0 and 1.
        levels: What the photo shows of each fault itself.
    """

    shape: tuple[int, ...]
    features: tuple[PictureFeatures, PictureFeatures]
    lpips_reference: float
    edges: tuple[Plane, ...]
    places: tuple[NDArray[np.float32], NDArray[np.float32]]
    detail: Plane
    pasted_detail: Plane
    anchors: StyleAnchors
    levels: ArtefactLevels

    @property
    def num_bytes(self) -> int:
        """Memory that the photo takes while it is kept."""
        tensors = sum(layer.nbytes for seen in self.features for layer in seen.normalised)
        planes = (*self.edges, *self.places, self.detail, self.pasted_detail)
        return tensors + sum(plane.nbytes for plane in planes)


@final
@dataclass(frozen=True, kw_only=True)
class MeasuredOutput:
    """Raw measurements of one output and its photo: numbers only, so that those of any number of outputs are kept.

    Attributes:
        lpips: To the photo or the recoloured photo, whichever is nearer.
        lpips_reference: Of the photo: see `JudgedPhoto`.
        edges: `gradient_correlation` with the photo.
        places: `place_agreement` with the photo or the recoloured photo, whichever is higher.
        texture_distances: To the style image at each scale, squared, in spreads of its features, shape (scales,).
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
    places: float
    texture_distances: NDArray[np.float64]
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
    seen = network.features(enlarged)
    places = [_places(features) for features in seen[:2]]
    if float(photo.std(axis=(0, 1)).max()) < FLAT:
        places = [np.zeros_like(each) for each in places]
    features = [picture.for_distance() for picture in seen]
    return JudgedPhoto(
        shape=photo.shape,
        features=(features[0], features[1]),
        lpips_reference=network.distance(features[2], features[0]),
        edges=gradient_maps(enlarged[0]),
        places=(places[0], places[1]),
        detail=fine_detail(enlarged[0]),
        pasted_detail=fine_detail(enlarged[2]),
        anchors=_measure_anchors(judged, style),
        levels=measure_levels(photo, border=measure_border(photo)),
    )


def measure_output(output: Image, *, photo: JudgedPhoto, style: StyleReference) -> MeasuredOutput:
    """Measures an output of a photo. But for the strips themselves, what it shows is measured inside of strips.

    Args:
        output: RGB in [0, 1], of its photo's size.
        photo: What was measured of its photo against the same style image.
        style: The style image.
    """
    border = measure_border(output)
    inside = without_strips(output, find_strips(border, photo=photo.levels.border))
    judged = resize_short_side(inside, style.judged_side)
    enlarged = resize_short_side(inside, LARGEST_JUDGED_SIDE)
    (features,), (textures,) = style.textures([judged])
    if style.judged_side != LARGEST_JUDGED_SIDE:  # else one pass serves both
        (features,) = shared_network().features([enlarged])
    detail = fine_detail(enlarged)
    searched = min(photo.shape[:2]) >= SMALLEST_SEARCHED_SIDE
    return MeasuredOutput(
        lpips=min(shared_network().distance(features, other) for other in photo.features),
        lpips_reference=photo.lpips_reference,
        edges=gradient_correlation(gradient_maps(enlarged), photo.edges),
        places=max(place_agreement(_places(features), other) for other in photo.places),
        texture_distances=style.texture_distances(textures),
        colour_distance=style.colour_distance(judged),
        sharpness=sharpness(judged),
        copied_layout=copied_layout(detail, photo=photo.detail, style=photo.pasted_detail),
        copied_patches=max(patches.copied_patches(detail, photo=photo.detail) for patches in style.patches)
        if searched
        else 0.0,
        anchors=photo.anchors,
        levels=measure_levels(inside, border=border),
        photo_levels=photo.levels,
    )


def _places(features: PictureFeatures) -> NDArray[np.float32]:
    return place_vectors(features.positions()[PLACES_LAYER])


def _measure_anchors(photo: Image, style: StyleReference) -> StyleAnchors:
    """Measure recolourings as they are, softened, and roughened in each way."""
    recolourings = [recolour(photo, style.judged_style), match_histograms(photo, style.judged_style)]
    plain = _measure_zero(recolourings, style)
    softer = [_measure_zero([blurred(one, blur) for one in recolourings], style) for blur in reversed(BLURS)]
    grains = [
        [[grained(one, level, blur=blur, seed=style.seed) for one in recolourings] for level in GRAIN_LEVELS]
        for blur in GRAIN_BLURS
    ]
    sharper = [[sharpened(one, times) for one in recolourings] for times in SHARPENINGS]
    rougher = [[_measure_zero(pictures, style) for pictures in steps] for steps in (*grains, sharper)]
    texture_one, colour_one = style.tiling_distances(*photo.shape[:2])
    return StyleAnchors(
        softened=_curve([*softer, plain]),
        roughened=tuple(_curve([plain, *steps]) for steps in rougher),
        texture_one=texture_one,
        colour_zero=style.colour_distance(photo),
        colour_one=colour_one,
    )


def _measure_zero(recolourings: Sequence[Image], style: StyleReference) -> tuple[float, NDArray[np.float64]]:
    """Mean sharpness of the recolourings, and the distances of the nearest of them at each scale."""
    _, textures = style.textures(recolourings)
    nearest = np.min([style.texture_distances(texture) for texture in textures], axis=0)
    return float(np.mean([sharpness(picture) for picture in recolourings])), nearest


def _curve(steps: Sequence[tuple[float, NDArray[np.float64]]]) -> ZeroCurve:
    """Steps from the softest to the sharpest; where clipping turned a step around, it is as sharp as the one before."""
    sharpnesses, distances = zip(*steps, strict=True)
    return ZeroCurve(sharpness=np.maximum.accumulate(sharpnesses), distances=np.array(distances))
