"""Scores pictures of whatever origin against their photos and a style image: one network's outputs together."""

import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, final

import numpy as np

from measures.quality import CONTENT_EXPONENT, PhotoQuality, Quality, average_photos
from models.pictures.images import Image, resize, resize_short_side
from objectives.errors import QualityError
from objectives.judging.judge import Judge
from objectives.judging.reasons import Reason, find_reasons
from objectives.judging.style_reference import MIN_PICTURE_SIDE

MAX_ROUNDING: Final = 2.0
"""Pixels by which a side may differ from the photo's proportions: what rounding leaves, also to an even number; a crop
by a hundredth of a picture of 256 px is more."""

MAX_JUDGES: Final = 4
"""Judges that are kept: pictures of one photo and size tend to come one after another."""

SAME_PICTURE: Final = 2.0 / 255.0
"""Mean difference of thumbnails, in pixel values, up to which photo and style image are one picture: five pictures,
resized by three filters to half, three quarters and double size and saved as JPEG of quality 60, moved up to 2.0 of 255
levels; of 6,279 pairs of different photos the nearest were 20 apart."""

SHARED_PHOTO: Final = "judged by itself, for several pictures are of one photo"
"""Note of each picture of such a set."""

THUMBNAIL_SIDE: Final = 16
"""Shorter side, in pixels, of these thumbnails: at 32 px a nearest-neighbour resize already moves 3.7 levels."""


def check_sizes(name: str, picture: Sequence[int], photo: Sequence[int]) -> None:
    """See that a picture of this size can be scored against a photo of that size.

    Args:
        name: Of the picture.
        picture: Its height and width.
        photo: Height and width of the photo.

    Raises:
        QualityError: A side of the picture is below 16 px, or its proportions are not the photo's.
    """
    if min(picture[:2]) < MIN_PICTURE_SIDE:
        raise QualityError(
            f"{name!r} must have sides of at least {MIN_PICTURE_SIDE} px. Received {_size(picture)}. Pass a larger "
            f"picture."
        )
    if not _have_same_proportions(picture, photo):
        raise QualityError(
            f"{name!r} must have the photo's proportions. Received {_size(picture)} for a photo of {_size(photo)}. "
            f"Crop the photo as the picture was cropped."
        )


@final
@dataclass(frozen=True, kw_only=True)
class Output:
    """A picture and the photo that it was made from.

    Attributes:
        name: Of the picture.
        picture: RGB in [0, 1], shape (height, width, 3), with the photo's proportions.
        photo_name: Of the photo.
        photo: RGB in [0, 1], of any size.
        remark: What was done to them as they were read, in words.
    """

    name: str
    picture: Image
    photo_name: str
    photo: Image
    remark: str = ""


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
    (their median): how large its strokes were meant to be is unknown. So scores differ a little from those of a study
    that took the style image at another size.
    """

    def __init__(self, style: Image, *, content_exponent: float = CONTENT_EXPONENT, seed: int = 0) -> None:
        """Take the style image.

        Args:
            style: RGB in [0, 1], any size.
            content_exponent: Weight of content preservation against style match, in [0, 1].
            seed: Of the sampled positions, directions and tiles.
        """
        self._style = style
        self._content_exponent = content_exponent
        self._seed = seed
        self._judges: OrderedDict[tuple[str, ...], Judge] = OrderedDict()

    def score(self, name: str, outputs: Sequence[Output]) -> OutputsScore:
        """Scores pictures that one network painted, or a single picture as if it were the only one.

        Args:
            name: What they are called together.
            outputs: At least one.

        Raises:
            QualityError: A picture has other proportions than its photo, is smaller than 16 px, or has pixels outside
                [0, 1].
            PretrainedError: AlexNet's weights are neither cached nor fetchable.
        """
        for output in outputs:
            check_sizes(output.name, output.picture.shape[:2], output.photo.shape[:2])
        together = _have_own_photos(outputs)
        quality = self._measure(outputs) if together else self._measure_each(outputs)
        return OutputsScore(
            name=name,
            quality=quality,
            reasons=find_reasons(quality, content_exponent=self._content_exponent),
            pictures=tuple(
                PictureScore(
                    picture=output.name,
                    photo=output.photo_name,
                    quality=photo,
                    reasons=find_reasons(photo, content_exponent=self._content_exponent),
                    note="; ".join(
                        self._remarks(output, outputs) if together else [*self._remarks(output), SHARED_PHOTO]
                    ),
                )
                for output, photo in zip(outputs, quality.photos, strict=True)
            ),
        )

    def _measure(self, outputs: Sequence[Output]) -> Quality:
        return self._judge(outputs).score([output.picture for output in outputs])

    def _measure_each(self, outputs: Sequence[Output]) -> Quality:
        """Outputs of one photo share its detail, which would pass for a pattern of the network."""
        alone = [self._measure([output]).photos[0] for output in outputs]
        return replace(average_photos(alone), standard_error=None)

    def _judge(self, outputs: Sequence[Output]) -> Judge:
        """The judge of these photos at these sizes; measuring photos costs more than scoring a picture of them."""
        photos = [
            resize(output.photo, height=output.picture.shape[0], width=output.picture.shape[1]) for output in outputs
        ]
        key = tuple(_digest(photo) for photo in photos)
        if key not in self._judges:
            self._judges[key] = Judge(
                style=resize_short_side(self._style, _short_side(outputs)),
                photos=photos,
                content_exponent=self._content_exponent,
                seed=self._seed,
            )
        self._judges.move_to_end(key)
        while len(self._judges) > MAX_JUDGES:
            self._judges.popitem(last=False)
        return self._judges[key]

    def _remarks(self, output: Output, judged_with: Sequence[Output] = ()) -> list[str]:
        side = _short_side(judged_with or [output])
        remarks = [output.remark] if output.remark else []
        if output.picture.shape != output.photo.shape:
            remarks.append(f"photo resized from {_size(output.photo.shape)} to {_size(output.picture.shape)}")
        if min(self._style.shape[:2]) != side:
            remarks.append(f"style image resized to a shorter side of {side} px")
        if _are_same(output.photo, self._style):
            remarks.append("photo and style image are the same picture, so the style match says nothing")
        return remarks


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


def _short_side(outputs: Sequence[Output]) -> int:
    """Median of the pictures' shorter sides."""
    return round(float(np.median([min(output.picture.shape[:2]) for output in outputs])))


def _have_own_photos(outputs: Sequence[Output]) -> bool:
    return len({_digest(output.photo) for output in outputs}) == len(outputs)


def _digest(image: Image) -> str:
    return f"{hashlib.sha256(image.tobytes()).hexdigest()} {image.shape}"


def _have_same_proportions(one: Sequence[int], other: Sequence[int]) -> bool:
    """Whether rounding one side of one of two pictures explains by how much their proportions differ.

    The width of the first exceeds that of the other's proportions by `excess` / the other's height, and so on for each
    side: the excess is measured where it is least.
    """
    excess = abs(one[1] * other[0] - one[0] * other[1])
    return excess <= MAX_ROUNDING * max(*one[:2], *other[:2])


def _size(shape: Sequence[int]) -> str:
    return f"{shape[1]}x{shape[0]} px"
