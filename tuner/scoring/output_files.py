"""Picture files as outputs to be scored: each is read when its turn comes, and no larger than it is judged."""

from collections.abc import Mapping
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image as Pillow

from groundwork.file_hashes import sha256_of
from models.pictures.images import Image, is_transparent, measure_picture, open_picture, read_image
from objectives.judging.scoring import Output, OutputPixels, bounded_size


def list_outputs(photo_of: Mapping[Path, Path], *, style: Path) -> list[Output]:
    """Lists pictures with their photos; only headers are read, and the photos' bytes to tell one photo from another.

    Args:
        photo_of: The photo of each picture.
        style: The style image, which is only looked at for transparency.

    Raises:
        ImageError: A file is no readable picture; when an output is read, too.
    """
    photo_ids = {photo: sha256_of(photo) for photo in set(photo_of.values())}
    style_shows_through = is_transparent(style)
    return [
        Output(
            name=str(file),
            own_size=measure_picture(file),
            size=bounded_size(*measure_picture(file)),
            photo_name=str(photo),
            photo_size=measure_picture(photo),
            photo_id=photo_ids[photo],
            read=partial(_read_output, file, photo, style_shows_through),
        )
        for file, photo in photo_of.items()
    ]


def _read_output(file: Path, photo: Path, style_shows_through: bool) -> OutputPixels:
    picture = _read_bounded(file)  # first: it says what is wrong with a damaged file
    named = {"picture": is_transparent(file), "photo": is_transparent(photo), "style image": style_shows_through}
    through = [name for name, found in named.items() if found]
    remarks = [f"transparent pixels of {' and '.join(through)} taken for white"] if through else []
    height, width = measure_picture(file)
    if picture.shape[:2] != (height, width):
        remarks.append(f"picture shrunk from {width}x{height} px to {picture.shape[1]}x{picture.shape[0]} px")
    return OutputPixels(picture=picture, photo=_read_bounded(photo), remark="; ".join(remarks))


def _read_bounded(path: Path) -> Image:
    """A huge picture is shrunk before it is turned into floats, which take four times its memory."""
    own = measure_picture(path)
    height, width = bounded_size(*own)
    if own == (height, width):
        return read_image(path)
    picture = open_picture(path, at_least=min(height, width))
    shrunk = picture.resize((width, height), Pillow.Resampling.LANCZOS)
    return np.asarray(shrunk, dtype=np.float32) / np.float32(255.0)
