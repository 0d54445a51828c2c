"""Scores the outputs of a style network against their photos and the style image.

The judge looks through AlexNet, training through VGG, so a trial cannot win by fitting the judge; and it never sees
loss weights.
"""

from collections.abc import Sequence
from typing import Final, final

from measures.quality import CONTENT_EXPONENT, Quality
from models.pictures.images import Image
from objectives.errors import QualityError
from objectives.judging.combining import MeasuredSet, combine_set
from objectives.judging.measuring import measure_output, measure_photo
from objectives.judging.set_faults import measure_set
from objectives.judging.style_reference import MIN_PICTURE_SIDE, StyleReference, median_side
from objectives.judging.torch_setup import single_thread

_RANGE_SLACK: Final = 1e-3  # rounding of a resize or of float16; more means pixels of another range


@final
class Judge:
    """Quality of restyled photos, by one style image and one set of photos; deterministic.

    Photos and style image are measured once; each output then costs one or two passes through AlexNet.
    """

    def __init__(
        self, *, style: Image, photos: Sequence[Image], content_exponent: float = CONTENT_EXPONENT, seed: int = 0
    ) -> None:
        """Measures photos and style image.

        Args:
            style: RGB in [0, 1], shape (height, width, 3), best with a shorter side as long as the photos' or longer:
                it is compared at the judge's own scales, whatever size a network was trained with.
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
            check_pictures(pictures, name=name)
        self.content_exponent = content_exponent
        with single_thread():
            side = median_side([photo.shape for photo in photos])
            self._style = StyleReference(style, picture_side=side, seed=seed)
            self._photos = tuple(measure_photo(photo, style=self._style) for photo in photos)
            self._photos_together = measure_set(photos)

    def score(self, outputs: Sequence[Image]) -> Quality:
        """Scores one output per photo.

        Args:
            outputs: RGB in [0, 1], one per photo in the photos' order, each of its photo's size.

        Returns:
            Parts per photo and their means. With one photo the fixed pattern and the collapse are None.

        Raises:
            QualityError: Another number of outputs than photos, another size, pixels outside [0, 1] or not finite.
        """
        check_pictures(outputs, name="outputs")
        sizes = [output.shape[:2] for output in outputs]
        wanted = [photo.shape[:2] for photo in self._photos]
        if sizes != wanted:
            raise QualityError(
                f"`outputs` must have the photos' sizes {wanted}. Received {sizes}. Pass one output per photo, in "
                f"their order."
            )
        with single_thread():
            measured = MeasuredSet(
                outputs=[
                    measure_output(output, photo=photo, style=self._style)
                    for output, photo in zip(outputs, self._photos, strict=True)
                ],
                together=measure_set(outputs),
                photos_together=self._photos_together,
                style_levels=self._style.levels,
                style_contrast=self._style.contrast,
            )
        return combine_set(measured, content_exponent=self.content_exponent)


def check_pictures(pictures: Sequence[Image], *, name: str) -> None:
    """See that pictures can be judged.

    Args:
        pictures: Of any size from 16 px.
        name: What an error calls them.

    Raises:
        QualityError: One is of another shape than (height, width, 3), too small, or has pixels outside [0, 1].
    """
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
