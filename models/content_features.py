"""Content features of a study's crops, computed once and read by every trial."""

import os
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, final

import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.loss_network import LossNetwork

BATCH_SIZE: Final = 8
"""Crops per pass of the loss network: bounds memory, changes nothing."""


@final
class ContentFeatures:
    """Loss-network features of a table of crops, divided by a scale per layer, in float16 files that are memory-mapped.

    The scale (root of the content loss's reference) brings features near 1, well inside float16's range, whatever
    the loss network's own range is.
    """

    def __init__(self, tables: Mapping[str, NDArray[np.float16]]) -> None:
        self._tables = dict(tables)

    def batch(self, indices: NDArray[np.intp]) -> dict[str, NDArray[np.float16]]:
        """Return the scaled features of some crops by layer, each (len(indices), height, width, channels)."""
        return {name: np.asarray(table[indices]) for name, table in self._tables.items()}


def cache_size(loss_network: LossNetwork, crops: NDArray[np.uint8], *, layers: Sequence[str]) -> int:
    """Return how many bytes the cached features of these crops would take."""
    features = loss_network(_pixels(crops[:1]))
    return sum(int(np.prod(features[name].shape)) for name in layers) * len(crops) * np.dtype(np.float16).itemsize


def cache_content_features(
    loss_network: LossNetwork,
    crops: NDArray[np.uint8],
    *,
    scales: Mapping[str, float],
    folder: Path,
) -> ContentFeatures:
    """Compute the content features of a table of crops, or map those that an earlier run left in the folder.

    Args:
        loss_network: Gives the layers named in `scales`.
        crops: (crops, size, size, 3) uint8.
        scales: Positive divisor by layer.
        folder: Where the files lie. Its name must identify crops, loss network and scales: files in it are trusted.
            Its modification time says when it was last used.

    Raises:
        OSError: The disk is full or the folder cannot be written; nothing unfinished is left under the final name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    paths = {name: folder / f"{name}.npy" for name in scales}
    if not all(path.exists() for path in paths.values()):
        _compute(loss_network, crops, scales=scales, paths=paths)
    os.utime(folder)
    return ContentFeatures({name: np.load(path, mmap_mode="r") for name, path in paths.items()})


def _compute(
    loss_network: LossNetwork, crops: NDArray[np.uint8], *, scales: Mapping[str, float], paths: Mapping[str, Path]
) -> None:
    # Written, not memory-mapped: on a full disk a write is an error, a touched page kills the process.
    with tempfile.TemporaryDirectory(dir=next(iter(paths.values())).parent) as unfinished, ExitStack() as stack:
        files = {name: stack.enter_context((Path(unfinished) / path.name).open("wb")) for name, path in paths.items()}
        for start in range(0, len(crops), BATCH_SIZE):
            features = loss_network(_pixels(crops[start : start + BATCH_SIZE]))
            for name, file in files.items():
                table = (ops.convert_to_numpy(features[name]) / scales[name]).astype(np.float16)
                if start == 0:
                    _write_header(file, shape=(len(crops), *table.shape[1:]))
                file.write(table.tobytes())
        stack.close()
        for path in paths.values():
            os.replace(Path(unfinished) / path.name, path)  # noqa: PTH105


def _write_header(file: BinaryIO, *, shape: tuple[int, ...]) -> None:
    description = np.lib.format.dtype_to_descr(np.dtype(np.float16))
    np.lib.format.write_array_header_1_0(file, {"descr": description, "fortran_order": False, "shape": shape})


def _pixels(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    return crops.astype(np.float32) / 255.0
