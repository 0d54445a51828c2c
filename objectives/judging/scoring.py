"""Scores pictures of whatever origin against their photos and a style image: one network's outputs together.

Pictures are read when their turn comes and not kept, so that memory does not grow with their number.
"""

import math
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Final, final

import numpy as np

from measures.quality import CONTENT_EXPONENT, PhotoQuality, Quality, average_photos
from models.pictures.images import Image, resize, resize_short_side
from objectives.errors import QualityError
from objectives.judging.combining import MeasuredSet, combine_set
from objectives.judging.judge import check_pictures
from objectives.judging.measuring import JudgedPhoto, measure_output, measure_photo
from objectives.judging.reasons import Reason, find_reasons
from objectives.judging.set_faults import SetMeasurer, common_part
from objectives.judging.style_reference import MIN_PICTURE_SIDE, StyleReference, median_side
from objectives.judging.torch_setup import single_thread

MAX_ROUNDING: Final = 2.0
"""Pixels by which a side may differ from the photo's proportions: what rounding leaves, also to an even number; a crop
by a hundredth of a picture of 256 px is more."""

MAX_PIXELS: Final = 1920 * 1088
"""Of a picture as it is judged; larger ones are shrunk to it. About what a screen shows of it: faults that are only
seen by magnifying do not count, and a picture of 24 megapixels needs no more memory."""

MAX_PROPORTIONS: Final = 16
"""Longest side of a picture in its shortest: beyond, a picture at the judged size would be millions of pixels long."""

MAX_STYLES: Final = 4
"""Scales of the style image that are kept: pictures of one size tend to come one after another."""

KEPT_BYTES: Final = 2**29
"""Of measured photos that are kept for further outputs of theirs: about 50 photos of proportions 3 : 2."""

SAME_PICTURE: Final = 2.0 / 255.0
"""Mean difference of thumbnails, in pixel values, up to which photo and style image are one picture: five pictures,
resized by three filters to half, three quarters and double size and saved as JPEG of quality 60, moved up to 2.0 of 255
levels; of 6,279 pairs of different photos the nearest were 20 apart."""

SHARED_PHOTO: Final = "judged by itself, for several pictures are of one photo"
"""Note of each picture of such a set."""

THUMBNAIL_SIDE: Final = 16
"""Shorter side, in pixels, of these thumbnails: at 32 px a nearest-neighbour resize already moves 3.7 levels."""


def bounded_size(height: int, width: int) -> tuple[int, int]:
    """Height and width at which a picture of this size is judged: its own up to `MAX_PIXELS`."""
    scale = min(1.0, math.sqrt(MAX_PIXELS / (height * width)))
    return max(1, round(height * scale)), max(1, round(width * scale))


def check_sizes(name: str, picture: Sequence[int], photo: Sequence[int]) -> None:
    """See that a picture of this size can be scored against a photo of that size.

    Args:
        name: Of the picture.
        picture: Its height and width.
        photo: Height and width of the photo.

    Raises:
        QualityError: A side of the picture is below 16 px, it is too long, or its proportions are not the photo's.
    """
    if min(picture[:2]) < MIN_PICTURE_SIDE:
        raise QualityError(
            f"{name!r} must have sides of at least {MIN_PICTURE_SIDE} px. Received {_size(picture)}. Pass a larger "
            f"picture."
        )
    if max(picture[:2]) > MAX_PROPORTIONS * min(picture[:2]):
        raise QualityError(
            f"{name!r} must not be longer than {MAX_PROPORTIONS} times its shorter side. Received {_size(picture)}. "
            f"Cut picture and photo into pieces."
        )
    if not _have_same_proportions(picture, photo):
        raise QualityError(
            f"{name!r} must have the photo's proportions. Received {_size(picture)} for a photo of {_size(photo)}. "
            f"Crop the photo as the picture was cropped."
        )


@final
@dataclass(frozen=True, kw_only=True)
class OutputPixels:
    """A picture and its photo, read.

    Attributes:
        picture: RGB in [0, 1], shape (height, width, 3).
        photo: RGB in [0, 1], of any size.
        remark: What was done to them as they were read, in words.
    """

    picture: Image
    photo: Image
    remark: str = ""


@final
@dataclass(frozen=True, kw_only=True)
class Output:
    """A picture and the photo that it was made from, still to be read.

    Attributes:
        name: Of the picture.
        own_size: Height and width of the picture's file; its proportions must be the photo's.
        size: Height and width of the picture as it is read, which may be shrunk.
        photo_name: Of the photo.
        photo_size: Height and width of the photo's file.
        photo_id: The same for two outputs of one photo only.
        read: Reads both; called once, when the turn comes.
    """

    name: str
    own_size: tuple[int, int]
    size: tuple[int, int]
    photo_name: str
    photo_size: tuple[int, int]
    photo_id: str
    read: Callable[[], OutputPixels]


@final
@dataclass(frozen=True, kw_only=True)
class PictureScore:
    """Quality of one picture.

    Attributes:
        picture: Its name.
        photo: Name of its photo.
        quality: Its parts.
        reasons: What lowered the quality, the most costly first.
        note: What was done to photo and style image before they were compared, in words; empty if nothing.
    """

    picture: str
    photo: str
    quality: PhotoQuality
    reasons: tuple[Reason, ...]
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: the picture, its quality and parts, the raw terms, reasons and note."""
        return {
            "picture": self.picture,
            "photo": self.photo,
            **_parts(self.quality),
            "reasons": [reason.to_dict() for reason in self.reasons],
            "note": self.note,
        }


@final
@dataclass(frozen=True, kw_only=True)
class OutputsScore:
    """Quality of pictures that one network painted.

    Attributes:
        name: What they are called together.
        quality: Means over the pictures; fixed pattern and collapse are None where there is one picture, or several of
            one photo, whose standard error is None too: it is over photos.
        reasons: What lowered the quality, the most costly first.
        pictures: Each of them, in the given order.
    """

    name: str
    quality: Quality
    reasons: tuple[Reason, ...]
    pictures: tuple[PictureScore, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: name, quality with its standard error and parts, raw terms, reasons, each picture."""
        return {
            "name": self.name,
            **_parts(self.quality),
            "standard_error": self.quality.standard_error,
            "spread": self.quality.spread,
            "reasons": [reason.to_dict() for reason in self.reasons],
            "pictures": [picture.to_dict() for picture in self.pictures],
        }


@final
class PictureScorer:
    """Scores sets of pictures against one style image.

    Photos are resized to the size of their picture, and the style image so that its shorter side equals the pictures'
    (their median), as in a study; strokes are compared at that scale and smaller ones.
    """

    def __init__(self, style: Image) -> None:
        """Take the style image: RGB in [0, 1], any size."""
        self._own_size = style.shape[:2]
        height, width = bounded_size(*self._own_size)
        self._style = resize(style, height=height, width=width)
        self._styles: OrderedDict[float, StyleReference] = OrderedDict()
        self._photos = _KeptPhotos()

    def score(
        self, name: str, outputs: Sequence[Output], *, on_picture: Callable[[], None] = lambda: None
    ) -> OutputsScore:
        """Scores pictures that one network painted, or a single picture as if it were the only one.

        Args:
            name: What they are called together.
            outputs: At least one.
            on_picture: Called after each picture.

        Raises:
            QualityError: A picture has other proportions than its photo, is smaller than 16 px, too long, has pixels
                outside [0, 1], or was replaced meanwhile.
            PretrainedError: AlexNet's weights are neither cached nor fetchable.
        """
        for output in outputs:
            check_sizes(output.name, output.own_size, output.photo_size)
        if len({output.photo_id for output in outputs}) == len(outputs):
            quality, notes = self._score_together(outputs, on_picture)
        else:  # outputs of one photo share its detail, which would pass for a pattern of the network
            alone = [self._score_together([output], on_picture) for output in outputs]
            quality = replace(average_photos([one.photos[0] for one, _ in alone]), standard_error=None)
            notes = [[*remarks, SHARED_PHOTO] for _, (remarks,) in alone]
        return OutputsScore(
            name=name,
            quality=quality,
            reasons=find_reasons(quality, content_exponent=CONTENT_EXPONENT),
            pictures=tuple(
                PictureScore(
                    picture=output.name,
                    photo=output.photo_name,
                    quality=photo,
                    reasons=find_reasons(photo, content_exponent=CONTENT_EXPONENT),
                    note="; ".join(note),
                )
                for output, photo, note in zip(outputs, quality.photos, notes, strict=True)
            ),
        )

    def _score_together(
        self, outputs: Sequence[Output], on_picture: Callable[[], None]
    ) -> tuple[Quality, list[list[str]]]:
        """Quality, and what was done to each picture before it was compared, in words."""
        sizes = [output.size for output in outputs]
        measured, notes = [], []
        with single_thread():
            side = median_side(sizes)
            style = self._style_for(side)
            together, photos_together = SetMeasurer(common_part(sizes)), SetMeasurer(common_part(sizes))
            for output in outputs:
                pixels = _read(output)
                photo = resize(pixels.photo, height=output.size[0], width=output.size[1])
                key = (output.photo_id, output.size, side)
                judged = self._photos.get(key, partial(measure_photo, photo, style=style))
                measured.append(measure_output(pixels.picture, photo=judged, style=style))
                together.add(pixels.picture)
                photos_together.add(photo)
                notes.append(self._remarks(output, pixels, style_side=round(side)))
                on_picture()
        measured_set = MeasuredSet(
            outputs=measured,
            together=together.levels(),
            photos_together=photos_together.levels(),
            style_levels=style.levels,
            style_contrast=style.contrast,
        )
        return combine_set(measured_set, content_exponent=CONTENT_EXPONENT), notes

    def _style_for(self, side: float) -> StyleReference:
        if side not in self._styles:
            self._styles[side] = StyleReference(self._style, picture_side=side)
        self._styles.move_to_end(side)
        while len(self._styles) > MAX_STYLES:
            self._styles.popitem(last=False)
        return self._styles[side]

    def _remarks(self, output: Output, pixels: OutputPixels, *, style_side: int) -> list[str]:
        remarks = [pixels.remark] if pixels.remark else []
        if output.size != output.photo_size:
            remarks.append(f"photo resized from {_size(output.photo_size)} to {_size(output.size)}")
        if min(self._own_size) != style_side:
            remarks.append(f"style image resized to a shorter side of {style_side} px")
        if _are_same(pixels.photo, self._style):
            remarks.append("photo and style image are the same picture, so the style match says nothing")
        return remarks


@final
class _KeptPhotos:
    """Measured photos, those that were asked for last, in `KEPT_BYTES`; at least one."""

    def __init__(self) -> None:
        self._photos: OrderedDict[tuple[object, ...], JudgedPhoto] = OrderedDict()

    def get(self, key: tuple[object, ...], measure: Callable[[], JudgedPhoto]) -> JudgedPhoto:
        """The photo of this key, measured where it is not kept: that costs more than to measure an output of it."""
        photo = self._photos.pop(key, None) or measure()
        self._photos[key] = photo
        while len(self._photos) > 1 and sum(kept.num_bytes for kept in self._photos.values()) > KEPT_BYTES:
            self._photos.popitem(last=False)
        return photo


def _parts(quality: Quality | PhotoQuality) -> dict[str, Any]:
    return {
        "quality": quality.quality,
        **quality.parts(),
        "terms": dict(quality.terms),
    }


def _are_same(photo: Image, style: Image) -> bool:
    if not _have_same_proportions(photo.shape, style.shape):
        return False
    thumbnail = resize_short_side(photo, THUMBNAIL_SIDE)
    other = resize(style, height=thumbnail.shape[0], width=thumbnail.shape[1])
    return float(np.abs(thumbnail - other).mean()) <= SAME_PICTURE


def _read(output: Output) -> OutputPixels:
    pixels = output.read()
    check_pictures([pixels.picture], name=output.name)
    check_pictures([pixels.photo], name=output.photo_name)
    if pixels.picture.shape[:2] != output.size:
        raise QualityError(
            f"{output.name!r} was {_size(output.size)} at first and is {_size(pixels.picture.shape)} now. Score it "
            f"again once it is written."
        )
    return pixels


def _have_same_proportions(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether rounding one side of one of two pictures explains by how much their proportions differ.

    The width of the first exceeds that of the other's proportions by `excess` / the other's height, and so on for each
    side: the excess is measured where it is least.
    """
    excess = abs(one[1] * other[0] - one[0] * other[1])
    return excess <= MAX_ROUNDING * max(*one[:2], *other[:2])


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]}x{shape[0]} px"
