"""The style image as pictures of one scale are compared with it: measured once, whatever the number of pictures."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final, final

import numpy as np

from models.pictures.images import Image, resize_short_side
from objectives.judging.anchor_pictures import shuffle_tiles
from objectives.judging.copying import StylePatches
from objectives.judging.faults import measure_levels
from objectives.judging.luminance import luminance
from objectives.judging.perceptual_network import MIN_SIDE, PictureFeatures, shared_network
from objectives.judging.style_match import (
    Quantiles,
    colour_quantiles,
    feature_quantiles,
    quantile_distances,
    quantile_spreads,
)

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


@final
class StyleReference:
    """Everything that is measured of the style image alone, at the scale of pictures of one shorter side.

    Attributes:
        style: RGB in [0, 1], as it was given.
        judged_side: Pixels of the shorter side at which a picture's textures and colours are compared.
        judged_style: The style image at that scale.
        levels: What it shows of each fault itself.
        contrast: Standard deviation of its luminance.
    """

    def __init__(self, style: Image, *, picture_side: float, seed: int = 0) -> None:
        """Measures the style image.

        Args:
            style: RGB in [0, 1], at the scale that its strokes should have on the pictures.
            picture_side: Pixels of the pictures' shorter sides, their median.
            seed: Of the sampled positions, directions and tiles.
        """
        self.style = style
        self.levels = measure_levels(style)
        self.contrast = float(luminance(style).std())
        self.judged_side = round(float(np.clip(picture_side, SMALLEST_JUDGED_SIDE, LARGEST_JUDGED_SIDE)))
        self.judged_style = _with_positions(_rescale(style, self.judged_side / picture_side))
        self._picture_side = picture_side
        self._seed = seed
        self._textures = self.textures([self.judged_style])[1][0]
        self._spreads = quantile_spreads(self._textures)
        self._colours = colour_quantiles(self.judged_style, seed=seed)
        self._tilings: dict[tuple[int, int], tuple[float, float]] = {}

    @cached_property
    def patches(self) -> StylePatches:
        """The style image prepared for the search of its pieces; made when first asked for, small pictures are not."""
        return StylePatches(_rescale(self.style, LARGEST_JUDGED_SIDE / self._picture_side))

    def textures(self, images: Sequence[Image]) -> tuple[list[PictureFeatures], list[Quantiles]]:
        """Looks at pictures of the judged size: their features, and the distributions of these."""
        features = shared_network().features(images)
        return features, [feature_quantiles(picture.positions(), seed=self._seed) for picture in features]

    def texture_distance(self, textures: Quantiles) -> float:
        """Distance of a picture's `textures` to the style image's, in spreads of these; lower is nearer."""
        return float(np.mean(quantile_distances(textures, self._textures) / self._spreads))

    def colour_distance(self, image: Image) -> float:
        """Distance of a picture's colours to the style image's, in pixel values; lower is nearer."""
        return float(quantile_distances(colour_quantiles(image, seed=self._seed), self._colours)[0])

    def tiling_distances(self, height: int, width: int) -> tuple[float, float]:
        """Mean texture and colour distance of shuffled tiles of the style image, measured once for each size."""
        if (height, width) not in self._tilings:
            tilings = [
                shuffle_tiles(self.judged_style, height=height, width=width, seed=self._seed + number)
                for number in range(NUM_TILINGS)
            ]
            textures = [self.texture_distance(texture) for texture in self.textures(tilings)[1]]
            colours = [self.colour_distance(tiling) for tiling in tilings]
            self._tilings[height, width] = (float(np.mean(textures)), float(np.mean(colours)))
        return self._tilings[height, width]


def median_side(pictures: Sequence[tuple[int, ...]]) -> float:
    """Median of the shorter sides of pictures of these shapes."""
    return float(np.median([min(shape[:2]) for shape in pictures]))


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
