"""The style network: shapes, ranges, weights, and that a saved file needs none of our code."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from models.errors import NetworkError
from models.networks.style_network import build_style_network, stylise
from models.networks.style_network_options import StyleNetworkOptions
from tests.models.networks.clean_process import load_in_clean_process

OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "batch norm": {"norm": "batch"},
    "tanh": {"output": "tanh"},
    "transposed": {"upsampling": "transposed"},
    "activation first": {"order": "activation_first"},
    "transposed, activation first": {"upsampling": "transposed", "order": "activation_first"},
    "he_normal": {"kernel_initializer": "he_normal"},
    "no residual blocks": {"num_residual_blocks": 0},
}


def draw_photos(*, height: int = 24, width: int = 32, num: int = 1, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((num, height, width, 3), dtype=np.float32)


def build(*, seed: int = 0, precision: str = "float32", **options: Any) -> keras.Model:
    values = {"width": 4, "num_residual_blocks": 1, **options}
    return build_style_network(StyleNetworkOptions(**values), seed=seed, precision=precision)


def set_saturating_output(network: keras.Model) -> None:
    last = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    last.set_weights([weight * 1000 for weight in last.get_weights()])


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_output_has_the_photos_shape_and_stays_in_range(options: dict[str, Any]) -> None:
    network, photos = build(**options), draw_photos(num=2)
    outputs = keras.ops.convert_to_numpy(network(photos))
    assert outputs.shape == photos.shape
    assert outputs.dtype == np.float32
    assert outputs.std() > 0.001
    set_saturating_output(network)
    extreme = keras.ops.convert_to_numpy(network(photos))
    assert 0 <= extreme.min() < 0.01
    assert 0.99 < extreme.max() <= 1


@pytest.mark.parametrize(("height", "width"), [(16, 16), (17, 19), (16, 45), (33, 18), (40, 40)])
def test_any_size_comes_back_at_its_own_size(height: int, width: int) -> None:
    photos = draw_photos(height=height, width=width)
    before = photos.copy()
    outputs = stylise(build(), photos)
    assert outputs.shape == photos.shape
    assert outputs.dtype == np.float32
    np.testing.assert_array_equal(photos, before)


def test_odd_sizes_are_continued_by_reflection_and_cut_off() -> None:
    network, photos = build(), draw_photos(height=18, width=20)
    continued = np.concatenate([photos, photos[:, -2:-4:-1]], axis=1)
    wanted = keras.ops.convert_to_numpy(network(continued))[:, :18]
    np.testing.assert_allclose(stylise(network, photos), wanted, atol=1e-6)


def test_stylise_takes_any_function_and_clips_its_output() -> None:
    outputs = stylise(lambda photos: photos * 4 - 1, draw_photos(height=17, width=16))
    assert (outputs.min(), outputs.max()) == (0, 1)


@pytest.mark.parametrize(("height", "width"), [(15, 64), (64, 15), (1, 1)])
def test_smaller_sizes_are_an_error(height: int, width: int) -> None:
    with pytest.raises(NetworkError, match=f"at least 16 px on each side. Received {width} x {height}"):
        stylise(build(), draw_photos(height=height, width=width))


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("norm", "layer", "`norm` must be one of instance, batch. Received 'layer'"),
        ("output", "relu", "`output` must be one of sigmoid, tanh"),
        ("upsampling", "bilinear", "`upsampling` must be one of nearest, transposed"),
        ("order", "random", "`order` must be one of norm_first, activation_first"),
        ("width", 0, "`width` must be at least 1. Received 0"),
        ("num_residual_blocks", -1, "`num_residual_blocks` must be 0 or more. Received -1"),
        ("kernel_initializer", "xavier", "`kernel_initializer` must name a Keras initialiser. Received 'xavier'"),
    ],
)
def test_options_that_do_not_exist_are_errors(name: str, value: Any, message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        build(**{name: value})


def test_same_seed_same_weights_and_another_seed_others() -> None:
    first, again, other = build(seed=3), build(seed=3), build(seed=4)
    for one, two in zip(first.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, two)
    photos = draw_photos()
    assert np.abs(stylise(first, photos) - stylise(other, photos)).max() > 0.01


def test_layers_of_one_shape_start_with_different_weights() -> None:
    kernels = [weight for weight in build(num_residual_blocks=2).get_weights() if weight.shape == (3, 3, 16, 16)]
    assert len(kernels) == 4
    assert len({kernel.tobytes() for kernel in kernels}) == 4


def test_number_of_parameters_of_the_papers_network() -> None:
    network = build_style_network(StyleNetworkOptions())
    kernels = 81 * 3 * 32 + 9 * 32 * 64 + 9 * 64 * 128 + 10 * 9 * 128 * 128 + 9 * 128 * 64 + 9 * 64 * 32 + 81 * 32 * 3
    norms = 2 * (32 + 64 + 128 + 10 * 128 + 64 + 32)
    assert network.count_params() == kernels + norms + 3


@pytest.mark.parametrize("norm", ["instance", "batch"])
@pytest.mark.parametrize("upsampling", ["nearest", "transposed"])
@pytest.mark.parametrize("order", ["norm_first", "activation_first"])
def test_no_bias_before_a_norm_and_no_norm_on_the_output(norm: str, upsampling: str, order: str) -> None:
    network = build(norm=norm, upsampling=upsampling, order=order)
    norms = (keras.layers.GroupNormalization, keras.layers.BatchNormalization)
    checked = 0
    for layer in network.layers:
        if isinstance(layer, norms):
            source = layer.input._keras_history.operation
            if isinstance(source, (keras.layers.Conv2D, keras.layers.Conv2DTranspose)):
                assert not source.use_bias, source.name
                checked += 1
    assert checked >= 1
    final = [layer for layer in network.layers if isinstance(layer, keras.layers.Conv2D)][-1]
    assert final.use_bias
    assert isinstance(network.layers[-1], keras.layers.Activation)


def test_order_says_what_comes_before_the_norm() -> None:
    def sources(order: str) -> set[str]:
        layers = build(order=order, num_residual_blocks=0).layers
        norms = [layer for layer in layers if isinstance(layer, keras.layers.GroupNormalization)]
        return {type(layer.input._keras_history.operation).__name__ for layer in norms}

    assert sources("norm_first") == {"Conv2D"}
    assert sources("activation_first") == {"ReLU"}


def test_instance_norm_treats_each_picture_on_its_own() -> None:
    photos = draw_photos(num=3)
    network = build()
    together = keras.ops.convert_to_numpy(network(photos, training=True))
    alone = [keras.ops.convert_to_numpy(network(photo[None], training=True)) for photo in photos]
    np.testing.assert_allclose(together, np.concatenate(alone), atol=1e-5)


def test_restyling_is_not_compiled_for_each_size() -> None:
    """Keras' own choice is to compile where there is a GPU, or with JAX."""
    assert build().jit_compile is False


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_variables_and_output_in_float32(precision: str) -> None:
    network, photos = build(precision=precision), draw_photos(height=16, width=16)
    assert {keras.backend.standardize_dtype(variable.dtype) for variable in network.variables} == {"float32"}
    assert any(layer.compute_dtype == precision.removeprefix("mixed_") for layer in network.layers)
    outputs = keras.ops.convert_to_numpy(network(photos))
    assert outputs.dtype == np.float32
    np.testing.assert_allclose(outputs, keras.ops.convert_to_numpy(build()(photos)), atol=0.05)


@pytest.mark.slow
def test_saved_networks_load_without_our_code(tmp_path: Path) -> None:
    photos = draw_photos(height=20, width=16, num=2)
    np.save(tmp_path / "photos.npy", photos)
    variants = [*OPTIONS.values(), {"precision": "mixed_float16"}]
    wanted = []
    for number, options in enumerate(variants):
        network = build(seed=number, **options)
        if options.get("norm") == "batch":
            for _ in range(3):
                network(photos, training=True)
        network.save(tmp_path / f"{number}.keras")
        wanted.append(keras.ops.convert_to_numpy(network(photos)))
    np.testing.assert_allclose(load_in_clean_process(tmp_path), np.stack(wanted), atol=1e-5)
