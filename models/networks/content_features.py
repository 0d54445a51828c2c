"""Content features of a study's crops, computed once and read by every trial."""

import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Final, final

import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.networks.loss_network import LossNetwork

BATCH_SIZE: Final = 8
"""Crops per pass of the loss network: bounds memory, changes nothing."""

FEATURE_UNIT: Final = 64.0
"""What cached features are counted in. VGG-19's reach 25,000 on a checkerboard, VGG-16's have a root mean square of 0.6
in the first layer: in this unit both lie well inside float16's range of 6e-5 to 65,504. A power of two rounds nothing.
"""


@final
class ContentFeatures:
    """Loss-network features of a table of crops, in `FEATURE_UNIT`s, in float16 files that are memory-mapped."""

    def __init__(self, tables: Mapping[str, NDArray[np.float16]]) -> None:
        self._tables = dict(tables)

    def batch(self, indices: NDArray[np.intp]) -> dict[str, NDArray[np.float16]]:
        """Return the features of some crops by layer, each (len(indices), height, width, channels)."""
        return {name: np.asarray(table[indices]) for name, table in self._tables.items()}


def cache_size(loss_network: LossNetwork, crops: NDArray[np.uint8], *, layers: Sequence[str]) -> int:
    """Return how many bytes the cached features of these crops would take."""
    features = loss_network(_pixels(crops[:1]))
    return sum(int(np.prod(features[name].shape)) for name in layers) * len(crops) * np.dtype(np.float16).itemsize


def cache_content_features(
    loss_network: LossNetwork,
    crops: NDArray[np.uint8],
    *,
    layers: Sequence[str],
    folder: Path,
    on_crops: Callable[[int], None] = lambda _: None,
) -> ContentFeatures:
    """Compute the content features of a table of crops, or map those that an earlier run left in the folder.

    Args:
        loss_network: Gives the layers.
        crops: (crops, size, size, 3) uint8.
        layers: The content layers.
        folder: Where the files lie. Its name must identify crops and loss network: whole files in it are trusted,
            others computed again. Its modification time says when it was last used.
        on_crops: Told how many crops are done, now and then while features are computed.

    Raises:
        OSError: The disk is full or the folder cannot be written; nothing unfinished is left under the final name.
    """
    folder.mkdir(parents=True, exist_ok=True)
    os.utime(folder)
    paths = {name: folder / f"{name}.npy" for name in layers}
    tables = _map(paths, num_crops=len(crops))
    if tables is None:
        _compute(loss_network, crops, paths=paths, on_crops=on_crops)
        tables = {name: np.load(path, mmap_mode="r") for name, path in paths.items()}
    return ContentFeatures(tables)


def _map(paths: Mapping[str, Path], *, num_crops: int) -> dict[str, NDArray[np.float16]] | None:
    """Map the tables; None if one is missing or, after a power cut perhaps, not whole."""
    try:
        tables = {name: np.load(path, mmap_mode="r") for name, path in paths.items()}
    except (FileNotFoundError, ValueError, EOFError):
        return None
    return tables if all(len(table) == num_crops for table in tables.values()) else None


def _compute(
    loss_network: LossNetwork,
    crops: NDArray[np.uint8],
    *,
    paths: Mapping[str, Path],
    on_crops: Callable[[int], None],
) -> None:
    # Written, not memory-mapped: on a full disk a write is an error, a touched page kills the process.
    with tempfile.TemporaryDirectory(dir=next(iter(paths.values())).parent) as unfinished, ExitStack() as stack:
        files = {name: stack.enter_context((Path(unfinished) / path.name).open("wb")) for name, path in paths.items()}
        for start in range(0, len(crops), BATCH_SIZE):
            features = loss_network(_pixels(crops[start : start + BATCH_SIZE]))
            for name, file in files.items():
                table = (ops.convert_to_numpy(features[name]) / FEATURE_UNIT).astype(np.float16)
                if start == 0:
                    _write_header(file, shape=(len(crops), *table.shape[1:]))
                file.write(table.tobytes())
            on_crops(min(start + BATCH_SIZE, len(crops)))
        for file in files.values():
            file.flush()
            os.fsync(file.fileno())
        stack.close()
        for path in paths.values():
            os.replace(Path(unfinished) / path.name, path)  # noqa: PTH105


def _write_header(file: BinaryIO, *, shape: tuple[int, ...]) -> None:
    description = np.lib.format.dtype_to_descr(np.dtype(np.float16))
    np.lib.format.write_array_header_1_0(file, {"descr": description, "fortran_order": False, "shape": shape})


def _pixels(crops: NDArray[np.uint8]) -> NDArray[np.float32]:
    return crops.astype(np.float32) / 255.0
