"""Scores single pictures, of whatever origin, against a photo and a style image."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from models.images import Image, resize, resize_short_side
from objectives.errors import QualityError
from objectives.judge import MIN_PICTURE_SIDE, Judge
from objectives.quality import CONTENT_EXPONENT, PhotoQuality

MAX_STRETCH: Final = 1.1
"""A photo may be stretched by a tenth to fit a picture: rounding of small sizes needs some, a crop would need more."""


@final
@dataclass(frozen=True, kw_only=True)
class PictureScore:
    """Quality of one picture.

    Attributes:
        picture: Its name.
        quality: Its parts; the fixed pattern and the collapse are None, they need several outputs.
        note: What was done to photo and style image before they were compared, in words; empty if nothing.
    """

    picture: str
    quality: PhotoQuality
    note: str

    def to_dict(self) -> dict[str, Any]:
        """Return plain values: the picture, its quality and parts, the raw terms, and the note."""
        return {
            "picture": self.picture,
            "quality": self.quality.quality,
            "content_preservation": self.quality.content_preservation,
            "style_match": self.quality.style_match,
            "artefact_factor": self.quality.artefact_factor,
            "terms": dict(self.quality.terms),
            "note": self.note,
        }


def score_pictures(
    pictures: Sequence[tuple[str, Image]],
    *,
    photo: Image,
    style: Image,
    content_exponent: float = CONTENT_EXPONENT,
    seed: int = 0,
) -> list[PictureScore]:
    """Scores each picture by itself, as if it were the only output of its network.

    The photo is resized to each picture's size, and the style image so that its shorter side equals the picture's: how
    large its strokes were meant to be is unknown. So scores differ a little from those of a study that took the style
    image at another size.

    Args:
        pictures: Names and pictures, RGB in [0, 1], of any sizes with the photo's proportions.
        photo: RGB in [0, 1], shape (height, width, 3).
        style: RGB in [0, 1], any size.
        content_exponent: Weight of content preservation against style match, in [0, 1].
        seed: Of the sampled positions, directions and tiles.

    Returns:
        One score per picture, in the given order.

    Raises:
        QualityError: A picture has other proportions than the photo, is smaller than 16 px, or has pixels outside
            [0, 1].
        PretrainedError: AlexNet's weights are neither cached nor fetchable.
    """
    judges: dict[tuple[int, ...], Judge] = {}
    scores = []
    for name, picture in pictures:
        size = picture.shape[:2]
        _check_proportions(name, picture, photo)
        if size not in judges:
            judges[size] = Judge(
                style=resize_short_side(style, min(size)),
                photos=[resize(photo, height=size[0], width=size[1])],
                content_exponent=content_exponent,
                seed=seed,
            )
        quality = judges[size].score([picture]).photos[0]
        scores.append(PictureScore(picture=name, quality=quality, note=_note(picture, photo, style)))
    return scores


def _check_proportions(name: str, picture: Image, photo: Image) -> None:
    if min(picture.shape[:2]) < MIN_PICTURE_SIDE:
        raise QualityError(
            f"{name!r} must have sides of at least {MIN_PICTURE_SIDE} px. Received {_size(picture)}. Pass a larger "
            f"picture."
        )
    stretch = picture.shape[1] * photo.shape[0] / (picture.shape[0] * photo.shape[1])
    if max(stretch, 1.0 / stretch) > MAX_STRETCH:
        raise QualityError(
            f"{name!r} must have the photo's proportions. Received {_size(picture)} for a photo of {_size(photo)}. "
            f"Crop the photo as the picture was cropped."
        )


def _note(picture: Image, photo: Image, style: Image) -> str:
    changes = []
    if picture.shape != photo.shape:
        changes.append(f"photo resized from {_size(photo)} to {_size(picture)}")
    if min(style.shape[:2]) != min(picture.shape[:2]):
        changes.append(f"style image resized to a shorter side of {min(picture.shape[:2])} px")
    return "; ".join(changes)


def _size(image: Image) -> str:
    return f"{image.shape[1]}x{image.shape[0]} px"
