"""Scores the outputs of a style network against their photos and the style image.

The judge looks through AlexNet, training through VGG, so a trial cannot win by fitting the judge; and it never sees
loss weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, final

import numpy as np

from measures.quality import CONTENT_EXPONENT, ArtefactExcess, PhotoQuality, Quality, average_photos, combine_parts
from models.pictures.images import Image, resize, resize_short_side
from objectives.errors import QualityError
from objectives.judging.anchor_pictures import match_histograms, recolour, shuffle_tiles
from objectives.judging.content_preservation import content_preservation, gradient_correlation, gradient_maps
from objectives.judging.copying import SMALLEST_SEARCHED_SIDE, StylePatches, copied_layout, fine_detail
from objectives.judging.faults import (
    ArtefactLevels,
    collapse_excess,
    fixed_pattern_excess,
    measure_levels,
    picture_excess,
)
from objectives.judging.luminance import Plane
from objectives.judging.perceptual_network import MIN_SIDE, PerceptualNetwork, PictureFeatures
from objectives.judging.style_match import (
    BLURS,
    Quantiles,
    StyleAnchors,
    blurred,
    colour_quantiles,
    feature_quantiles,
    quantile_distances,
    quantile_spreads,
    sharpness,
    style_match,
)
from objectives.judging.torch_setup import single_thread

SMALLEST_JUDGED_SIDE: Final = 128
"""Pixels: smaller pictures are enlarged to this shorter side, so that they are not judged by the few positions that
AlexNet (stride 4 to 16) leaves of them. Artefacts are measured at the picture's own size."""

LARGEST_JUDGED_SIDE: Final = 256
"""Pixels: larger pictures are shrunk to this shorter side, which bounds the cost. Enlarging small ones as far blurs
what tells strokes from the photo's own texture: short runs at 128 px then all read 0. Content, by contrast, is always
compared at this size: at 128 px LPIPS and edges are too coarse to miss a face."""

MIN_PICTURE_SIDE: Final = 16
"""Pixels: the smallest input of the style network."""

NUM_TILINGS: Final = 4
"""Shuffled tilings whose mean distance anchors style match 1; their distances differ by about a tenth."""

_RANGE_SLACK: Final = 1e-3  # rounding of a resize or of float16; more means pixels of another range


@final
@dataclass(frozen=True, kw_only=True)
class _JudgedPhoto:
    """All that is needed of one photo, measured once."""

    photo: Image
    features: tuple[PictureFeatures, PictureFeatures]
    lpips_reference: float
    edges: tuple[Plane, ...]
    detail: Plane
    pasted_detail: Plane
    anchors: StyleAnchors
    levels: ArtefactLevels


@final
class Judge:
    """Quality of restyled photos, by one style image and one set of photos; deterministic.

    Photo and style features are computed once; each output then costs one pass through AlexNet.
    """

    def __init__(
        self, *, style: Image, photos: Sequence[Image], content_exponent: float = CONTENT_EXPONENT, seed: int = 0
    ) -> None:
        """Measures photos and style image.

        Args:
            style: RGB in [0, 1], shape (height, width, 3), at the scale that its strokes should have on the photos.
            photos: RGB in [0, 1], each at the size of its future output, sides at least 16 px.
            content_exponent: Weight of content preservation against style match, in [0, 1].
            seed: Of the sampled positions, directions and tiles.

        Raises:
            QualityError: No photo, a picture of the wrong shape or range, an exponent outside [0, 1], or no lpips.
            PretrainedError: AlexNet's weights are neither cached nor fetchable.
        """
        if not photos:
            raise QualityError("`photos` must hold at least one photo. Received none. Pass the photos to be restyled.")
        if not 0.0 <= content_exponent <= 1.0:
            raise QualityError(
                f"`content_exponent` must be in [0, 1]. Received {content_exponent}. Take 0.5 for an even balance."
            )
        for name, pictures in (("style", [style]), ("photos", photos)):
            _check_pictures(pictures, name=name)
        self.content_exponent = content_exponent
        self._seed = seed
        self._network = _load_network()
        self._style = style
        with single_thread():
            self._measure_style(photos)
            self._photos = tuple(self._measure_photo(photo) for photo in photos)

    def _measure_style(self, photos: Sequence[Image]) -> None:
        self._style_levels = measure_levels(self._style)
        side = float(np.median([min(photo.shape[:2]) for photo in photos]))
        self._judged_side = round(float(np.clip(side, SMALLEST_JUDGED_SIDE, LARGEST_JUDGED_SIDE)))
        self._judged_style = _with_positions(_rescale(self._style, self._judged_side / side))
        self._style_textures = self._textures([self._judged_style])[1][0]
        self._style_patches = StylePatches(_rescale(self._style, LARGEST_JUDGED_SIDE / side))
        self._spreads = quantile_spreads(self._style_textures)
        self._style_colours = colour_quantiles(self._judged_style, seed=self._seed)
        self._tilings: dict[tuple[int, int], tuple[float, float]] = {}

    def score(self, outputs: Sequence[Image]) -> Quality:
        """Scores one output per photo.

        Args:
            outputs: RGB in [0, 1], one per photo in the photos' order, each of its photo's size.

        Returns:
            Parts per photo and their means. With one photo the fixed pattern and the collapse are None.

        Raises:
            QualityError: Another number of outputs than photos, another size, pixels outside [0, 1] or not finite.
        """
        _check_pictures(outputs, name="outputs")
        sizes = [output.shape[:2] for output in outputs]
        wanted = [judged.photo.shape[:2] for judged in self._photos]
        if sizes != wanted:
            raise QualityError(
                f"`outputs` must have the photos' sizes {wanted}. Received {sizes}. Pass one output per photo, in "
                f"their order."
            )
        with single_thread():
            return average_photos(self._score_each(outputs))

    def _score_each(self, outputs: Sequence[Image]) -> list[PhotoQuality]:
        photos = [judged.photo for judged in self._photos]
        fixed_pattern = fixed_pattern_excess(outputs, photos)
        collapse = collapse_excess(outputs, photos, style=self._style)
        judged_outputs = [resize_short_side(output, self._judged_side) for output in outputs]
        enlarged = [resize_short_side(output, LARGEST_JUDGED_SIDE) for output in outputs]
        passed, textures = self._textures(judged_outputs)
        # One pass serves both where the sizes agree.
        features = passed if self._judged_side == LARGEST_JUDGED_SIDE else self._network.features(enlarged)
        edges = [gradient_maps(picture) for picture in enlarged]
        scored = []
        for index, judged in enumerate(self._photos):
            excess = picture_excess(measure_levels(outputs[index]), photo=judged.levels, style=self._style_levels)
            excess = replace(excess, fixed_pattern=fixed_pattern, collapse=collapse)
            measured = {
                **self._measure_content(judged, features[index], edges[index]),
                **self._measure_style_match(judged, judged_outputs[index], textures[index]),
                **self._measure_copying(judged, enlarged[index]),
            }
            scored.append(self._combine(measured, excess))
        return scored

    def _combine(self, measured: dict[str, float], excess: ArtefactExcess) -> PhotoQuality:
        content = content_preservation(
            lpips=measured["lpips"], lpips_reference=measured["lpips_reference"], edges=measured["edges"]
        )
        copied = max(measured["copied_layout"], measured["copied_patches"])
        style = style_match(texture=measured["texture"], colour=measured["colour"], copied=copied)
        return combine_parts(
            content=content,
            style=style,
            artefacts=excess,
            content_exponent=self.content_exponent,
            terms={**measured, "raw_content_preservation": content, "raw_style_match": style},
        )

    def _measure_content(
        self, judged: _JudgedPhoto, features: PictureFeatures, edges: tuple[Plane, ...]
    ) -> dict[str, float]:
        return {
            "lpips": min(self._network.distance(features, other) for other in judged.features),
            "lpips_reference": judged.lpips_reference,
            "edges": gradient_correlation(edges, judged.edges),
        }

    def _measure_style_match(self, judged: _JudgedPhoto, output: Image, textures: Quantiles) -> dict[str, float]:
        distance = self._texture_distance(textures)
        return {
            "texture_distance": distance,
            "texture": judged.anchors.texture_match(distance, sharpness=sharpness(output)),
            "colour": judged.anchors.colour_match(self._colour_distance(output)),
        }

    def _measure_copying(self, judged: _JudgedPhoto, output: Image) -> dict[str, float]:
        detail = fine_detail(output)
        searched = min(judged.photo.shape[:2]) >= SMALLEST_SEARCHED_SIDE
        return {
            "copied_layout": copied_layout(detail, photo=judged.detail, style=judged.pasted_detail),
            "copied_patches": self._style_patches.copied_patches(detail, photo=judged.detail) if searched else 0.0,
        }

    def _measure_photo(self, photo: Image) -> _JudgedPhoto:
        judged = resize_short_side(photo, self._judged_side)
        recolourings = [recolour(judged, self._judged_style), match_histograms(judged, self._judged_style)]
        pasted = resize(self._style, height=photo.shape[0], width=photo.shape[1])
        enlarged = [
            resize_short_side(picture, LARGEST_JUDGED_SIDE) for picture in (photo, recolour(photo, self._style), pasted)
        ]
        features = self._network.features(enlarged)
        return _JudgedPhoto(
            photo=photo,
            features=(features[0], features[1]),
            lpips_reference=self._network.distance(features[2], features[0]),
            edges=gradient_maps(enlarged[0]),
            detail=fine_detail(enlarged[0]),
            pasted_detail=fine_detail(enlarged[2]),
            anchors=self._measure_anchors(judged, recolourings),
            levels=measure_levels(photo),
        )

    def _measure_anchors(self, photo: Image, recolourings: Sequence[Image]) -> StyleAnchors:
        """Measure the nearer recoloured photo at each blur, made monotone, since chance may turn a step around."""
        texture_one, colour_one = self._tiling_distances(*photo.shape[:2])
        distances, sharpnesses = [], []
        for blur in BLURS:
            pictures = [blurred(picture, blur) for picture in recolourings]
            _, textures = self._textures(pictures)
            distances.append(np.min([self._texture_distance(texture) for texture in textures]))
            sharpnesses.append(np.mean([sharpness(picture) for picture in pictures]))
        return StyleAnchors(
            sharpness=tuple(float(value) for value in np.minimum.accumulate(sharpnesses)),
            texture_zero=tuple(float(value) for value in np.maximum.accumulate(distances)),
            texture_one=texture_one,
            colour_zero=self._colour_distance(photo),
            colour_one=colour_one,
        )

    def _tiling_distances(self, height: int, width: int) -> tuple[float, float]:
        if (height, width) not in self._tilings:
            tilings = [
                shuffle_tiles(self._judged_style, height=height, width=width, seed=self._seed + number)
                for number in range(NUM_TILINGS)
            ]
            textures = [self._texture_distance(texture) for texture in self._textures(tilings)[1]]
            colours = [self._colour_distance(tiling) for tiling in tilings]
            self._tilings[height, width] = (float(np.mean(textures)), float(np.mean(colours)))
        return self._tilings[height, width]

    def _textures(self, images: Sequence[Image]) -> tuple[list[PictureFeatures], list[Quantiles]]:
        features = self._network.features(images)
        return features, [feature_quantiles(picture.positions(), seed=self._seed) for picture in features]

    def _texture_distance(self, textures: Quantiles) -> float:
        return float(np.mean(quantile_distances(textures, self._style_textures) / self._spreads))

    def _colour_distance(self, image: Image) -> float:
        return float(quantile_distances(colour_quantiles(image, seed=self._seed), self._style_colours)[0])


@cache
def _load_network() -> PerceptualNetwork:
    """Builds the network once per process."""
    return PerceptualNetwork()


def _rescale(image: Image, scale: float) -> Image:
    short_side = round(min(image.shape[:2]) * scale)
    return resize_short_side(image, max(short_side, MIN_PICTURE_SIDE))


def _with_positions(style: Image) -> Image:
    """Mirror a style image that is too small for AlexNet into a larger one, its strokes as large as they were."""
    if min(style.shape[:2]) >= MIN_SIDE:
        return style
    missing = [max(SMALLEST_JUDGED_SIDE - side, 0) for side in style.shape[:2]]
    mirrored: Image = np.pad(style, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="symmetric")
    return mirrored


def _check_pictures(pictures: Sequence[Image], *, name: str) -> None:
    for picture in pictures:
        if picture.ndim != 3 or picture.shape[2] != 3 or min(picture.shape[:2]) < MIN_PICTURE_SIDE:  # noqa: PLR2004
            raise QualityError(
                f"`{name}` must be RGB pictures with sides of at least {MIN_PICTURE_SIDE} px. Received the shape "
                f"{picture.shape}. Pass larger pictures of shape (height, width, 3)."
            )
        lowest, highest = float(picture.min()), float(picture.max())
        if not (lowest >= -_RANGE_SLACK and highest <= 1.0 + _RANGE_SLACK):
            raise QualityError(
                f"`{name}` must hold finite values in [0, 1]. Received values from {lowest:g} to {highest:g}. Divide "
                f"8-bit pixels by 255."
            )
