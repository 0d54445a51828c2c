"""A study's pictures: the style image, and the photos in their four disjoint sets."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self, final

import numpy as np
from numpy.typing import NDArray

from groundwork.file_hashes import sha256_of
from models.pictures.datasets import HeldOutCounts, PhotoSplit, draw_crops, held_out_pictures, split_photos
from models.pictures.images import Image, centre_crop, read_style_image
from models.pictures.photos import Photo, PhotoCollection, open_photos
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError


@final
@dataclass(frozen=True, kw_only=True)
class StudyPictures:
    """What a study looks at; two studies with the same digests look at the same.

    Attributes:
        style_path: File of the style image.
        style: The style image at the study's style size, (height, width, 3): what trials train with.
        judged_style: The same at the held-out photos' size, by which outputs are judged, whatever trials train with.
        style_sha256: Hash of the style image's file.
        collection: All usable photos.
        split: The photos' disjoint sets: training, rung, calibration, report.
        other_styles: The style image by the other sizes that trials may train with.
    """

    style_path: Path
    style: Image
    judged_style: Image
    style_sha256: str
    collection: PhotoCollection
    split: PhotoSplit
    other_styles: Mapping[int, Image] = field(default_factory=dict)

    def identity(self) -> dict[str, str]:
        """Return the hashes that tell these pictures from others."""
        return {"style_sha256": self.style_sha256, "photos_digest": self.collection.digest}

    def summary(self) -> dict[str, Any]:
        """Return how many photos there are, and in which set, for a study's attributes."""
        split = self.split
        return {
            "training": len(split.training),
            "rung": [photo.sha256 for photo in split.rung],
            "calibration": [photo.sha256 for photo in split.calibration],
            "report": [photo.sha256 for photo in split.report],
            "skipped": len(self.collection.skipped),
        }

    def crops(self, config: StudyConfig) -> NDArray[np.uint8]:
        """Draw the study's table of training crops, (num_crops, crop_size, crop_size, 3)."""
        data = config.data
        return draw_crops(
            self.collection, self.split.training, num_crops=data.num_crops, size=data.crop_size, seed=config.seed
        )

    def with_style(self, config: StudyConfig) -> Self:
        """Return the same photos with the style image of another configuration, which is else the same.

        Raises:
            ConfigError: No style image is given.
            ImageError: The style image is missing, no picture, too small or flat.
        """
        return replace(self, **_read_style(config))

    def held_out(self, photos: Sequence[Photo], *, size: int) -> NDArray[np.float32]:
        """Return the middle squares of some photos, maybe none, (photos, size, size, 3): one shape, one compilation."""
        return held_out_squares(self.collection, photos, size=size)


def held_out_squares(collection: PhotoCollection, photos: Sequence[Photo], *, size: int) -> NDArray[np.float32]:
    """Return the middle squares of some photos of a collection, maybe none, (photos, size, size, 3).

    Raises:
        ImageError: A photo is gone or damaged.
    """
    pictures = held_out_pictures(collection, photos, size=size)
    squares = [centre_crop(picture, height=size, width=size) for picture in pictures]
    return np.asarray(squares, dtype=np.float32).reshape(len(squares), size, size, 3)


def open_pictures(config: StudyConfig) -> StudyPictures:
    """Find and check a study's pictures.

    Raises:
        ConfigError: No style image or no photos are given.
        ImageError: The style image is missing, no picture, too small or flat.
        PhotosError: There are no photos, or too few of the needed size.
    """
    if config.style is not None and not config.photos:
        raise ConfigError("No photos are given. Name a folder, files or .zip archives: --photos photos/")
    data = config.data
    style = _read_style(config)
    collection = open_photos(config.photos)
    counts = HeldOutCounts(rung=data.held_out.rung, calibration=data.held_out.calibration, report=data.held_out.report)
    split = split_photos(
        collection, held_out=counts, seed=config.seed, min_side=max(data.crop_size, data.held_out.size)
    )
    return StudyPictures(**style, collection=collection, split=split)


def _read_style(config: StudyConfig) -> dict[str, Any]:
    """Return what `StudyPictures` has of the style image, by field."""
    if config.style is None:
        raise ConfigError("No style image is given. Name one: --style painting.jpg")
    own = config.data.style_size
    return {
        "style_path": config.style,
        "style": read_style_image(config.style, size=own),
        "judged_style": read_style_image(config.style, size=config.data.held_out.size),
        "style_sha256": sha256_of(config.style),
        "other_styles": {
            size: read_style_image(config.style, size=size) for size in config.search.style_size or () if size != own
        },
    }
