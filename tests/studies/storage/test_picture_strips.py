import numpy as np
import pytest

from studies.errors import StorageError
from studies.storage.picture_strips import decode_strip, encode_strip


def test_strip_keeps_8_bit_pictures_without_loss() -> None:
    levels = np.random.default_rng(0).integers(0, 256, (3, 5, 7, 3))
    pictures = (levels / 255).astype(np.float32)

    restored = decode_strip(encode_strip(pictures), num_pictures=3)

    np.testing.assert_array_equal(np.round(restored * 255), levels)
    assert restored.dtype == np.float32


def test_strip_of_another_number_of_pictures_is_refused() -> None:
    content = encode_strip(np.zeros((3, 4, 5, 3), np.float32))

    with pytest.raises(StorageError, match="divide into 4"):
        decode_strip(content, num_pictures=4)


def test_bytes_that_are_no_picture_are_refused() -> None:
    with pytest.raises(StorageError, match="cannot be read"):
        decode_strip(b"no picture", num_pictures=1)
