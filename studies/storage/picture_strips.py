"""Pictures of one size kept side by side as one PNG, without loss: a trial's outputs, a study's rung photos."""

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from studies.errors import StorageError


def encode_strip(pictures: NDArray[np.float32]) -> bytes:
    """Return pictures side by side as one PNG file's bytes.

    Args:
        pictures: (pictures, height, width, 3) in [0, 1]; without loss if they are multiples of 1/255.
    """
    strip = np.concatenate(list(np.round(np.clip(pictures, 0, 1) * 255.0).astype(np.uint8)), axis=1)
    buffer = io.BytesIO()
    Image.fromarray(strip).save(buffer, format="PNG")
    return buffer.getvalue()


def decode_strip(content: bytes, *, num_pictures: int) -> NDArray[np.float32]:
    """Return the pictures that `encode_strip` put side by side, (num_pictures, height, width, 3) in [0, 1].

    Raises:
        StorageError: The bytes are no picture, or not of so many parts.
    """
    try:
        strip = np.asarray(Image.open(io.BytesIO(content)).convert("RGB"))
    except OSError as error:
        raise StorageError(f"A picture of the study cannot be read: {error}. Restore the study's artifacts.") from error
    if strip.shape[1] % num_pictures:
        raise StorageError(
            f"A strip of pictures must divide into {num_pictures}. Received one {strip.shape[1]} px wide. Restore the "
            "study's artifacts."
        )
    return np.stack(np.split(strip, num_pictures, axis=1)).astype(np.float32) / np.float32(255.0)
