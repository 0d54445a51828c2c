"""How far an output was pasted together from the style image, where a style network would have painted. NumPy only.

Pasted pieces match the style image's distribution of textures better than any painting does, so a style match that
only compares distributions is won by them. Two measurements find them: the style image at its own place (a half blend
of photo and style image), and small patches of it at any place (shuffled tiles, also blended with a photo).
"""

from typing import Final, final

import numpy as np
import scipy.fft
from numpy.typing import NDArray
from scipy.ndimage import uniform_filter

from models.pictures.images import Image
from objectives.judging.luminance import Plane, box_blur, halve, luminance

PATCH_SIDE: Final = 16
"""Pixels at half the compared size: an eighth of a square picture. A larger patch would miss smaller pieces, with a
smaller one any smooth patch is found by chance."""

PATCH_STEP: Final = 2
"""Every second patch in both directions is looked for: a quarter of the cost, and pieces are larger than a patch."""

TOLERATED_LAYOUT: Final = 0.1
"""Correlation with the stretched style image's layout that chance reaches; real outputs measured up to 0.05."""

TOLERATED_PATCHES: Final = 0.6
"""Best correlation of a patch with the style image that chance reaches, mean over patches: real outputs of seven styles
measured up to 0.55, with smooth styles more than with rough ones."""

COPIED_PATCHES: Final = 0.75
"""From here on everything counts as copied: shuffled tiles, pure or in blends with a photo, measured 0.73 to 0.91."""

SMALLEST_SEARCHED_SIDE: Final = 96
"""Pixels: pictures of a shorter side below this are not searched for patches. Enlarged, they are so smooth that patches
are found by chance: outputs of three sweeps against unrelated style images read up to 15 % copied at 64 px, 52 % at 48
px and 64 to 100 % at 32 px, but nothing at 96 px."""

_FINE_RADIUS: Final = 4  # pixels of the detail plane: keeps strokes and outlines, drops areas that may agree by chance
_VARIANCE_FLOOR: Final = 1e-6  # one thousandth of a brightness step's square; keeps flat pictures finite
_QUIET_SHARE: Final = 0.1  # of the style image's median contrast: what is flatter would correlate with anything


def fine_detail(image: Image) -> Plane:
    """Luminance of a picture at half size without its large areas.

    Args:
        image: RGB in [0, 1], shape (height, width, 3).

    Returns:
        Shape (height // 2, width // 2), mean 0.
    """
    plane = halve(luminance(image))
    detail = plane - box_blur(plane, _FINE_RADIUS)
    centred: Plane = detail - detail.mean()
    return centred


def copied_layout(output: Plane, *, photo: Plane, style: Plane) -> float:
    """How far an output shows the style image itself, at its own place, as a blend or a pasted copy does.

    Args:
        output: `fine_detail` of the output.
        photo: `fine_detail` of the photo; what the style image shares with it is left out.
        style: `fine_detail` of the style image, stretched to the photo's size.

    Returns:
        In [0, 1], lower is better: 0 up to a correlation of `TOLERATED_LAYOUT`, 1 for the style image itself.
    """
    photo_energy = float((photo**2).mean()) + _VARIANCE_FLOOR
    own = style - photo * (float((style * photo).mean()) / photo_energy)
    shared = float((output * own).mean())
    energies = (float((output**2).mean()) + _VARIANCE_FLOOR) * (float((own**2).mean()) + _VARIANCE_FLOOR)
    return float(np.clip((shared / np.sqrt(energies) - TOLERATED_LAYOUT) / (1.0 - TOLERATED_LAYOUT), 0.0, 1.0))


@final
class StylePatches:
    """The style image's detail, prepared so that patches are looked for everywhere in it."""

    def __init__(self, style: Image) -> None:
        """Prepares the style image.

        Args:
            style: RGB in [0, 1], at the scale at which outputs are compared; too small a one holds no patch.
        """
        plane = fine_detail(style)
        self._shape = plane.shape
        self._spectrum = scipy.fft.rfft2(plane)
        mean = uniform_filter(plane, PATCH_SIDE, mode="nearest")
        variance = uniform_filter(plane**2, PATCH_SIDE, mode="nearest") - mean**2
        quiet = max(_QUIET_SHARE * float(np.median(variance)), _VARIANCE_FLOOR)
        # The filter's windows are centred, a patch is found by its first pixel.
        first = PATCH_SIDE // 2
        last = [side - PATCH_SIDE + 1 for side in plane.shape]
        window = np.s_[first : first + max(last[0], 0), first : first + max(last[1], 0)]
        self._deviation = np.sqrt(np.maximum(variance[window], quiet))

    def copied_patches(self, output: Plane, *, photo: Plane) -> float:
        """How far an output is made of pieces of the style image, at any place, also when blended with the photo.

        From each patch of the output, what it shares with the photo is taken away; the rest is looked for in the style
        image by normalised cross-correlation.

        Args:
            output: `fine_detail` of the output.
            photo: `fine_detail` of the photo, the same shape.

        Returns:
            In [0, 1], lower is better: 0 up to a mean best correlation of `TOLERATED_PATCHES`, 1 from
            `COPIED_PATCHES` on.
        """
        found = self.best_correlation(output, photo=photo)
        return float(np.clip((found - TOLERATED_PATCHES) / (COPIED_PATCHES - TOLERATED_PATCHES), 0.0, 1.0))

    def best_correlation(self, output: Plane, *, photo: Plane) -> float:
        """Best correlation of each patch with any place of the style image, mean over patches; 0 without patches."""
        if not self._deviation.size:
            return 0.0
        step = PATCH_STEP * PATCH_SIDE
        best = [
            self._correlate(_without(output[window], photo[window]))
            for row in range(0, output.shape[0] - PATCH_SIDE + 1, step)
            for column in range(0, output.shape[1] - PATCH_SIDE + 1, step)
            for window in [np.s_[row : row + PATCH_SIDE, column : column + PATCH_SIDE]]
        ]
        return float(np.mean(best)) if best else 0.0

    def _correlate(self, patch: Plane) -> float:
        """Highest correlation with any place; the circular product is exact wherever the patch fits in."""
        spectrum = self._spectrum * np.conj(scipy.fft.rfft2(patch, self._shape))
        height, width = self._deviation.shape
        product: NDArray[np.float32] = scipy.fft.irfft2(spectrum, self._shape)[:height, :width]
        deviation = np.sqrt(float((patch**2).mean()) + _VARIANCE_FLOOR)
        return float((product / (patch.size * deviation * self._deviation)).max())


def _without(patch: Plane, photo: Plane) -> Plane:
    """What of a patch the photo does not explain, mean 0."""
    centred, explained = patch - patch.mean(), photo - photo.mean()
    share = float((centred * explained).mean()) / (float((explained**2).mean()) + _VARIANCE_FLOOR)
    rest: Plane = centred - share * explained
    return rest
