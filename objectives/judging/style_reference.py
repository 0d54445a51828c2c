"""The style image as pictures of one size are compared with it: measured once, whatever the number of pictures."""

from collections.abc import Sequence
from functools import cached_property
from typing import Final, final

import numpy as np
from numpy.typing import NDArray

from models.pictures.images import Image, centre_crop, resize_short_side
from objectives.judging.anchor_pictures import shuffle_tiles
from objectives.judging.borders import measure_border
from objectives.judging.copying import StylePatches
from objectives.judging.faults import measure_levels
from objectives.judging.luminance import luminance
from objectives.judging.perceptual_network import PictureFeatures, shared_network
from objectives.judging.style_match import (
    STYLE_SCALES,
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

LONGEST_STYLE: Final = 8
"""Longest side of the style image in its shortest; of a longer one the middle is judged."""

NUM_TILINGS: Final = 4
"""Shuffled tilings whose mean distance anchors style match 1; their distances differ by about a tenth."""


_SMALLEST_SEARCHED_STYLE: Final = 64  # pixels: a smaller style image is mirrored, so that windows of its detail fit in


@final
class StyleReference:
    """Everything that is measured of the style image alone, for pictures of one shorter side.

    How large the strokes are that a network makes of a style image is its own choice: textures are compared with the
    style image at each of `STYLE_SCALES`, whatever size a trial trained with.

    Attributes:
        style: RGB in [0, 1], with the pictures' shorter side.
        judged_side: Pixels of the shorter side at which a picture's textures and colours are compared.
        judged_style: The style image with that shorter side.
        levels: What it shows of each fault itself.
        contrast: Standard deviation of its luminance.
    """

    def __init__(self, style: Image, *, picture_side: float, seed: int = 0) -> None:
        """Measures the style image.

        Args:
            style: RGB in [0, 1], best with a shorter side as long as the pictures' or longer.
            picture_side: Pixels of the pictures' shorter sides, their median.
            seed: Of the sampled positions, directions and tiles.
        """
        style = _middle(style)
        self.style = resize_short_side(style, round(picture_side))
        self.levels = measure_levels(self.style, border=measure_border(self.style))
        self.contrast = float(luminance(self.style).std())
        self.judged_side = round(float(np.clip(picture_side, SMALLEST_JUDGED_SIDE, LARGEST_JUDGED_SIDE)))
        if picture_side < SMALLEST_JUDGED_SIDE:  # enlarged as the pictures are: a sharp one would be unlike them
            style = self.style
        self.judged_style = resize_short_side(style, self.judged_side)
        self.seed = seed
        self._scaled = [_scaled(style, self.judged_side, scale, at_least=self.judged_side) for scale in STYLE_SCALES]
        self._textures = self.textures(self._scaled)[1]
        self._spreads = [quantile_spreads(textures) for textures in self._textures]
        self._colours = colour_quantiles(self.judged_style, seed=seed)
        self._tilings: dict[tuple[int, int], tuple[NDArray[np.float64], float]] = {}

    @cached_property
    def patches(self) -> tuple[StylePatches, ...]:
        """The style image at each scale, prepared for the search of its pieces; made when first asked for."""
        return tuple(
            StylePatches(_scaled(self.style, LARGEST_JUDGED_SIDE, scale, at_least=_SMALLEST_SEARCHED_STYLE))
            for scale in STYLE_SCALES
        )

    def textures(self, images: Sequence[Image]) -> tuple[list[PictureFeatures], list[Quantiles]]:
        """Looks at pictures of the judged size: their features, and the distributions of these."""
        features = shared_network().features(images)
        return features, [feature_quantiles(picture.positions(), seed=self.seed) for picture in features]

    def texture_distances(self, textures: Quantiles) -> NDArray[np.float64]:
        """Squared distances of a picture's `textures` to those of the style image at each scale.

        Returns:
            In squared spreads of the style image's, shape (scales,); lower is nearer.
        """
        return np.array([self._distance(textures, number) for number in range(len(self._textures))])

    def colour_distance(self, image: Image) -> float:
        """Distance of a picture's colours to the style image's, in pixel values; lower is nearer."""
        return float(quantile_distances(colour_quantiles(image, seed=self.seed), self._colours)[0])

    def tiling_distances(self, height: int, width: int) -> tuple[NDArray[np.float64], float]:
        """What shuffled tiles of the style image differ from it, measured once for each size.

        Returns:
            Mean squared texture distances at each scale, shape (scales,), and mean colour distance at the largest.
        """
        if (height, width) not in self._tilings:
            tilings = [self._tile(number, height, width) for number in range(len(STYLE_SCALES))]
            textures = [
                np.mean([self._distance(textures, number) for textures in self.textures(pictures)[1]])
                for number, pictures in enumerate(tilings)
            ]
            colours = [self.colour_distance(tiling) for tiling in tilings[0]]
            self._tilings[height, width] = (np.array(textures), float(np.mean(colours)))
        return self._tilings[height, width]

    def _distance(self, textures: Quantiles, number: int) -> float:
        distances = quantile_distances(textures, self._textures[number])
        return float(np.mean((distances / self._spreads[number]) ** 2))

    def _tile(self, number: int, height: int, width: int) -> list[Image]:
        return [
            shuffle_tiles(self._scaled[number], height=height, width=width, seed=self.seed + tiling)
            for tiling in range(NUM_TILINGS)
        ]


def median_side(pictures: Sequence[tuple[int, ...]]) -> float:
    """Median of the shorter sides of pictures of these shapes."""
    return float(np.median([min(shape[:2]) for shape in pictures]))


def _middle(style: Image) -> Image:
    longest = LONGEST_STYLE * min(style.shape[:2])
    height, width = (min(side, longest) for side in style.shape[:2])
    return style if style.shape[:2] == (height, width) else centre_crop(style, height=height, width=width)


def _scaled(style: Image, side: int, scale: float, *, at_least: int) -> Image:
    """The style image with a share of a shorter side, mirrored until both sides are long enough: strokes stay as large.

    Args:
        style: RGB in [0, 1].
        side: Pixels.
        scale: Of the shorter side.
        at_least: Pixels of both sides.
    """
    smaller = resize_short_side(style, max(round(side * scale), MIN_PICTURE_SIDE))
    missing = [max(at_least - length, 0) for length in smaller.shape[:2]]
    mirrored: Image = np.pad(smaller, [(0, missing[0]), (0, missing[1]), (0, 0)], mode="symmetric")
    return mirrored
