"""The conditioned style network: how it begins, that its condition matters, and the plain networks taken out of it."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
from numpy.typing import NDArray

from models.errors import NetworkError
from models.networks.conditioned_style_network import (
    CONDITION,
    PHOTO,
    ConditionOptions,
    build_conditioned_network,
    fold,
)
from models.networks.style_network import build_style_network, stylise
from models.networks.style_network_options import StyleNetworkOptions
from tests.models.networks.clean_process import load_in_clean_process

OPTIONS: dict[str, dict[str, Any]] = {
    "defaults": {},
    "tanh": {"output": "tanh"},
    "transposed": {"upsampling": "transposed"},
    "activation first": {"order": "activation_first"},
    "no residual blocks": {"num_residual_blocks": 0},
}
CONDITIONS = np.array([[0.0, 1.0, 0.5], [1.0, 0.2, -0.5]], np.float32)
SIZE = CONDITIONS.shape[1]


def draw_photos(num: int = 1) -> NDArray[np.float32]:
    return np.random.default_rng(0).random((num, 24, 32, 3), dtype=np.float32)


def options_of(**values: Any) -> StyleNetworkOptions:
    return StyleNetworkOptions(**{"width": 4, "num_residual_blocks": 1, **values})


def build(*, seed: int = 0, precision: str = "float32", hidden: tuple[int, ...] = (8,), **values: Any) -> keras.Model:
    condition = ConditionOptions(size=SIZE, hidden_units=hidden)
    return build_conditioned_network(options_of(**values), condition, seed=seed, precision=precision)


def moved(network: keras.Model) -> keras.Model:
    """Move every weight, as training would."""
    generator = np.random.default_rng(1)
    network.set_weights([weight + 0.2 * generator.standard_normal(weight.shape) for weight in network.get_weights()])
    return network


def paint(network: keras.Model, photos: NDArray[np.float32], condition: NDArray[np.float32]) -> NDArray[np.float32]:
    rows = np.repeat(condition[None], len(photos), axis=0)
    outputs: NDArray[np.float32] = keras.ops.convert_to_numpy(network({PHOTO: photos, CONDITION: rows}))
    return outputs


@pytest.mark.parametrize("values", OPTIONS.values(), ids=OPTIONS)
def test_every_condition_begins_as_the_plain_network_of_the_seed(values: dict[str, Any]) -> None:
    photos = draw_photos(num=2)
    plain = build_style_network(options_of(**values), seed=3)
    for condition in CONDITIONS:
        outputs = paint(build(seed=3, **values), photos, condition)
        assert outputs.dtype == np.float32
        np.testing.assert_allclose(outputs, keras.ops.convert_to_numpy(plain(photos)), atol=1e-5)


@pytest.mark.parametrize("values", OPTIONS.values(), ids=OPTIONS)
def test_folded_networks_paint_what_the_conditioned_one_paints(values: dict[str, Any]) -> None:
    network, photos = moved(build(**values)), draw_photos(num=2)
    folded = fold(network, options_of(**values), CONDITIONS)
    outputs = [paint(network, photos, condition) for condition in CONDITIONS]
    assert np.abs(outputs[0] - outputs[1]).max() > 0.01
    for plain, wanted in zip(folded, outputs, strict=True):
        assert [weight.shape for weight in plain.get_weights()] == [
            weight.shape for weight in build_style_network(options_of(**values)).get_weights()
        ]
        np.testing.assert_allclose(keras.ops.convert_to_numpy(plain(photos)), wanted, atol=1e-5)


def test_each_photo_of_a_batch_has_its_own_condition() -> None:
    network, photos = moved(build()), draw_photos(num=2)
    together = keras.ops.convert_to_numpy(network({PHOTO: photos, CONDITION: CONDITIONS}))
    for row, condition in enumerate(CONDITIONS):
        np.testing.assert_allclose(together[row : row + 1], paint(network, photos[row : row + 1], condition), atol=1e-5)


def test_same_seed_same_weights_and_another_seed_others() -> None:
    first, again, other = (build(seed=seed).get_weights() for seed in (3, 3, 4))
    for one, two in zip(first, again, strict=True):
        np.testing.assert_array_equal(one, two)
    readers = [one for one in first if one.ndim == 2 and one.any()]
    others = [one for one in other if one.ndim == 2 and one.any()]
    assert len(readers) == 1
    assert np.abs(readers[0] - others[0]).max() > 0.01


@pytest.mark.parametrize("precision", ["mixed_float16", "mixed_bfloat16"])
def test_mixed_precision_keeps_variables_and_output_in_float32(precision: str) -> None:
    network, photos = moved(build(precision=precision)), draw_photos()
    assert {keras.backend.standardize_dtype(variable.dtype) for variable in network.variables} == {"float32"}
    outputs = paint(network, photos, CONDITIONS[0])
    assert outputs.dtype == np.float32
    (folded,) = fold(network, options_of(), CONDITIONS[:1])
    np.testing.assert_allclose(stylise(folded, photos), outputs, atol=0.1)


@pytest.mark.slow
def test_folded_networks_load_without_this_project(tmp_path: Path) -> None:
    photos = draw_photos()
    (folded,) = fold(moved(build()), options_of(), CONDITIONS[:1])
    folded.save(tmp_path / "0.keras")
    np.save(tmp_path / "photos.npy", photos)
    np.testing.assert_allclose(load_in_clean_process(tmp_path)[0], stylise(folded, photos), atol=1e-6)


def test_a_batch_norm_is_an_error() -> None:
    with pytest.raises(NetworkError, match=r"`norm` of a conditioned style network must be instance. Received 'batch'"):
        build(norm="batch")


@pytest.mark.parametrize(("name", "value"), [("size", 0), ("hidden_units", ()), ("hidden_units", (8, 0))])
def test_what_reads_the_condition_must_have_a_size(name: str, value: Any) -> None:
    with pytest.raises(NetworkError, match=f"`{name}` must be at least 1. Received"):
        ConditionOptions(**{"size": 2, name: value})
