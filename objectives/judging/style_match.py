"""How much an output looks painted like the style image: distances of feature and colour distributions. NumPy only.

Textures are compared by a sliced Wasserstein distance (Rabin et al. 2011; for style by Heitz et al., "A Sliced
Wasserstein Loss for Neural Texture Synthesis", CVPR 2021) of AlexNet features. Differs from Heitz et al.: features are
compared by their square roots, as in RootSIFT and the Hellinger distance, because raw ones let the few strongest
strokes decide; distances are squared, so that what two samples of few positions differ by chance adds the same to
each and cancels between them; directions and positions are fixed by a seed.

How large a network's strokes are is its own choice, so outputs are compared with the style image at several scales, and
the scale at which a network's outputs match best on the whole is taken for the one it paints at.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, final

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter

from models.pictures.images import Image
from objectives.judging.luminance import luminance

Quantiles = tuple[NDArray[np.float32], ...]
"""Per layer, sorted projections at even quantiles: shape (NUM_QUANTILES, NUM_DIRECTIONS)."""

NUM_DIRECTIONS: Final = 128
"""Directions a layer. Over six seeds the quality of 8 outputs spread by 6 % of itself (32 random ones: by 35 %); the
sorting costs .03 s for 8 pictures."""

NUM_POSITIONS: Final = 1024
"""At most so many sampled positions a layer; only relu1 has more at the judged size."""

NUM_QUANTILES: Final = 128
"""Points at which two distributions are compared: fewer than the positions of the deepest layer at the judged size."""

TEXTURE_LAYERS: Final = (1, 2, 3)
"""Indices of AlexNet's relu2 to relu4: strokes and motifs. relu1 answers to edges and sharpness of any kind, relu5 to
objects; at 128 px neither tells real outputs from recoloured photos as well."""

_COLOUR_NUMBER: Final = 5  # behind the layers', so that colours are projected in directions of their own

MIN_SCALE: Final = 1e-3
"""Smallest spread by which a distance is divided: only a single-colour style image has less."""

STYLE_SCALES: Final = (1.0, 0.7, 0.5, 0.35, 0.25)
"""The style image's shorter side, as shares of the pictures': from as large as the photo to a quarter of it, where
strokes are about as small as AlexNet tells apart. Steps of a square root of 2: half a step changes a match by about a
tenth."""

MIN_TEXTURE_GAP: Final = 0.08
"""Smallest gap between the anchors, in squared spreads of the style image: a third of the usual one at 256 px. Where a
recoloured photo is as near to the style image as tiles of it are, the rest is chance."""

MIN_TEXTURE_GAP_SHARE: Final = 0.5
"""Smallest gap of one photo as a share of the mean gap of all: a photo as richly textured as the style image leaves
less of its own, and what is left is mostly chance."""

POOLED_SHARE: Final = 0.25
"""Share of the photos' mean in each photo's zero point. Where the recoloured photo stands depends on the photo's own
texture more than where the restyled one does; half would spread a network's matches no less, and lets some recoloured
photos pass for painted."""

BLURS: Final = (0.5, 0.8, 1.2, 1.7, 2.5)
"""Standard deviations in pixels at which recoloured photos are measured: up to the blurriest short run seen."""

GRAIN_LEVELS: Final = (0.05, 0.15)
"""Standard deviations of grain, in pixel values, at which recoloured photos are measured: just seen, and as rough as
the roughest strokes. Busy paintings' small strokes are as near to grain as to strokes, for any measure of textures."""

GRAIN_BLURS: Final = (0.0, 1.5)
"""Standard deviations of the grain's blur in pixels: fine and coarse grain."""

SHARPENINGS: Final = (1.0, 3.0)
"""How many times the finest detail is added to recoloured photos that stand for sharpened ones."""

_SHARPNESS_SCALE: Final = 1.0  # pixels: finer detail than this is what a short run lacks
_SHARPNESS_FLOOR: Final = 0.02  # luminance: keeps flat pictures at sharpness 0

MIN_COLOUR_GAP: Final = 0.05
"""Smallest gap between the colour anchors, in pixel values: about the distance of a tiling to its style image."""

COLOUR_SHARE: Final = 0.5
"""Share of the texture match that is lost where no colour of the style image is taken up."""


def feature_quantiles(layers: Sequence[NDArray[np.float32]], *, seed: int) -> Quantiles:
    """Describes each layer's distribution of features by the quantiles of random projections.

    Args:
        layers: Non-negative features per layer, each of shape (positions, channels); only `TEXTURE_LAYERS` count.
        seed: Same seed and shape, same directions and positions.

    Returns:
        One array per layer.
    """
    return tuple(
        _project(np.sqrt(np.maximum(features, 0.0)), seed=(seed, number))
        for number, features in enumerate(layers)
        if number in TEXTURE_LAYERS
    )


def colour_quantiles(image: Image, *, seed: int) -> Quantiles:
    """Describes a picture's distribution of colours in the same way.

    Args:
        image: RGB in [0, 1], shape (height, width, 3).
        seed: Same seed and shape, same directions and positions.

    Returns:
        One array in a tuple.
    """
    return (_project(image.reshape(-1, 3), seed=(seed, _COLOUR_NUMBER)),)


def quantile_distances(first: Quantiles, second: Quantiles) -> NDArray[np.float64]:
    """Sliced 2-Wasserstein distance of each layer; shape (layers,), 0 for equal distributions, lower is nearer."""
    return np.array(
        [np.sqrt(np.mean((one - other) ** 2, dtype=np.float64)) for one, other in zip(first, second, strict=True)]
    )


def quantile_spreads(quantiles: Quantiles) -> NDArray[np.float64]:
    """Spread of each layer over all directions, at least `MIN_SCALE`; the unit in which distances are added up."""
    spreads = [np.sqrt(np.mean(np.var(layer, axis=0, dtype=np.float64))) for layer in quantiles]
    return np.maximum(spreads, MIN_SCALE)


def sharpness(image: Image) -> float:
    """Share of a picture's luminance contrast that is detail finer than a pixel or two; at least 0.

    Args:
        image: RGB in [0, 1], shape (height, width, 3).
    """
    plane = luminance(image)
    detail = plane - gaussian_filter(plane, _SHARPNESS_SCALE)
    return float(detail.std()) / (float(plane.std()) + _SHARPNESS_FLOOR)


def blurred(image: Image, deviation: float) -> Image:
    """Blurs a picture with a Gaussian of so many pixels; 0 changes nothing."""
    soft: Image = gaussian_filter(image, (deviation, deviation, 0.0), mode="nearest")
    return soft


def grained(image: Image, deviation: float, *, blur: float, seed: int) -> Image:
    """Adds grain of so many pixel values, grey and colour alike, blurred by so many pixels."""
    grain = np.random.default_rng(seed).standard_normal(image.shape).astype(np.float32)
    grain = blurred(grain, blur)
    rough: Image = np.clip(image + deviation * grain / grain.std(), 0.0, 1.0).astype(np.float32)
    return rough


def sharpened(image: Image, times: float) -> Image:
    """Adds detail finer than a pixel or two so many times; 0 changes nothing."""
    sharp: Image = np.clip(image + times * (image - blurred(image, _SHARPNESS_SCALE)), 0.0, 1.0).astype(np.float32)
    return sharp


@final
@dataclass(frozen=True, kw_only=True)
class ZeroCurve:
    """Distances of one way to change a recoloured photo's sharpness.

    Attributes:
        sharpness: Of the changed photo, rising, shape (steps,).
        distances: Its squared texture distances to the style image at each scale, shape (steps, scales).
    """

    sharpness: NDArray[np.float64]
    distances: NDArray[np.float64]

    def at(self, sharpness: float) -> NDArray[np.float64]:
        """Return the distances at a sharpness, those of the nearer end beyond it; shape (scales,)."""
        return np.array([np.interp(sharpness, self.sharpness, column) for column in self.distances.T])


@final
@dataclass(frozen=True, kw_only=True)
class StyleAnchors:
    """What stands for style match 0 and 1 with one photo.

    A recoloured photo is compared at the output's own sharpness. A short run's outputs are soft, and AlexNet sees
    softness before it sees strokes: against the sharp photo everything that a short run paints would read 0. Sharper
    than the photo it is compared with grain and with sharpening, which otherwise pass for small strokes.

    Attributes:
        softened: Recoloured photos, blurred.
        roughened: The same with grain of each kind, and sharpened; each begins with the recoloured photo as it is.
        texture_one: Mean squared texture distance of shuffled style tiles at each scale, shape (scales,).
        colour_zero: Colour distance of the photo.
        colour_one: Mean colour distance of shuffled style tiles.
    """

    softened: ZeroCurve
    roughened: tuple[ZeroCurve, ...]
    texture_one: NDArray[np.float64]
    colour_zero: float
    colour_one: float

    def texture_zero(self, sharpness: float) -> NDArray[np.float64]:
        """Squared texture distance at each scale of the nearest trivial picture that is so sharp; shape (scales,)."""
        rougher = [curve for curve in self.roughened if sharpness > curve.sharpness[0]]
        nearest: NDArray[np.float64] = np.min([curve.at(sharpness) for curve in (self.softened, *rougher)], axis=0)
        return nearest

    def colour_match(self, distance: float) -> float:
        """1 as near as shuffled style tiles, 0 as far as the photo; in [0, 1], higher is better."""
        gap = max(self.colour_zero - self.colour_one, MIN_COLOUR_GAP)
        return float(np.clip(1.0 - (distance - self.colour_one) / gap, 0.0, 1.0))


@final
@dataclass(frozen=True, kw_only=True)
class TextureMatches:
    """How near a network's outputs come to the style image's texture, at the scale that it paints at.

    Attributes:
        scale: The style image's shorter side as a share of the pictures', of `STYLE_SCALES`.
        matches: Of each output: 0 as far as an equally sharp recoloured photo, 1 as near as shuffled style tiles; not
            clipped, higher is better.
        distances: Squared texture distance of each output to the style image at that scale.
    """

    scale: float
    distances: tuple[float, ...]
    matches: tuple[float, ...]


def texture_matches(
    distances: NDArray[np.float64], *, zeros: NDArray[np.float64], ones: NDArray[np.float64]
) -> TextureMatches:
    """Compares a network's outputs with their anchors.

    Args:
        distances: Squared texture distances of the outputs to the style image, shape (outputs, scales).
        zeros: `StyleAnchors.texture_zero` of their photos, the same shape.
        ones: `StyleAnchors.texture_one` of their photos, the same shape.
    """
    zeros = POOLED_SHARE * zeros.mean(axis=0) + (1.0 - POOLED_SHARE) * zeros
    gaps = zeros - ones
    gaps = np.maximum(np.maximum(gaps, MIN_TEXTURE_GAP_SHARE * gaps.mean(axis=0)), MIN_TEXTURE_GAP)
    matches = (zeros - distances) / gaps
    best = int(np.argmax(matches.mean(axis=0)))
    return TextureMatches(
        scale=STYLE_SCALES[best], distances=tuple(distances[:, best].tolist()), matches=tuple(matches[:, best].tolist())
    )


def style_match(*, texture: float, colour: float, copied: float) -> float:
    """Style match before it is clipped; higher is better.

    Colour alone earns nothing: it only scales the texture, so that a recoloured photo stays at 0.

    Args:
        texture: Of `texture_matches`.
        colour: `StyleAnchors.colour_match`.
        copied: Share that is copied out of the style image, in [0, 1]; what is copied is not painted.

    Returns:
        1 for shuffled style tiles, 0 for the recoloured photo, below 0 for what is even farther from the style image.
    """
    kept = (1.0 - copied) ** 2 * (1.0 - COLOUR_SHARE + COLOUR_SHARE * colour)
    return min(texture, 1.0) * kept if texture > 0.0 else texture


@cache
def _draw_directions(num_channels: int, seed: tuple[int, int]) -> NDArray[np.float32]:
    """Unit directions, shape (channels, NUM_DIRECTIONS), orthogonal as far as there are channels: far less chance."""
    generator = np.random.default_rng(seed)
    num_bases = -(-NUM_DIRECTIONS // num_channels)
    bases = [np.linalg.qr(generator.standard_normal((num_channels, num_channels)))[0] for _ in range(num_bases)]
    directions: NDArray[np.float32] = np.concatenate(bases, axis=1)[:, :NUM_DIRECTIONS].astype(np.float32)
    directions.flags.writeable = False
    return directions


@cache
def _draw_positions(num_positions: int, seed: tuple[int, int]) -> NDArray[np.intp]:
    positions: NDArray[np.intp] = np.random.default_rng(seed).permutation(num_positions)[:NUM_POSITIONS]
    positions.flags.writeable = False
    return positions


def _project(samples: NDArray[np.float32], *, seed: tuple[int, int]) -> NDArray[np.float32]:
    directions = _draw_directions(samples.shape[1], seed)
    if len(samples) > NUM_POSITIONS:
        samples = samples[_draw_positions(len(samples), seed)]
    ordered = np.sort(samples @ directions, axis=0)
    place = np.clip((np.arange(NUM_QUANTILES) + 0.5) / NUM_QUANTILES * len(ordered) - 0.5, 0, len(ordered) - 1)
    below = np.floor(place).astype(np.intp)
    above = np.minimum(below + 1, len(ordered) - 1)
    share = (place - below).astype(np.float32)[:, None]
    quantiles: NDArray[np.float32] = ordered[below] * (1.0 - share) + ordered[above] * share
    return quantiles
