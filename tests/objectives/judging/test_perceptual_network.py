import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from models.pictures.images import Image, resize
from models.pretrained import files as pretrained
from objectives.judging.perceptual_network import NUM_LAYERS, PerceptualNetwork
from objectives.judging.torch_setup import import_lpips
from tests.objectives.drawn_pictures import draw_photo, draw_style

pytestmark = pytest.mark.slow

SIZES = [(64, 64), (97, 131), (31, 40)]


@pytest.fixture(scope="module")
def network() -> PerceptualNetwork:
    return PerceptualNetwork()


def to_torch(image: Image) -> torch.Tensor:
    return torch.from_numpy(image.transpose(2, 0, 1).copy())[None] * 2 - 1


def pictures(height: int, width: int) -> list[Image]:
    photo = draw_photo(height=height, width=width)
    style = resize(draw_style(), height=height, width=width)
    return [photo, style, 0.5 * photo + 0.5 * style]


def fresh_lpips(arrays: dict[str, NDArray[np.float32]]) -> torch.nn.Module:
    """lpips.LPIPS with its backbone filled through its own state dict, independently of the code under test."""
    with pytest.warns(UserWarning, match="deprecated"):
        model = import_lpips().LPIPS(net="alex", pnet_rand=True, verbose=False)
    names = ["slice1.0", "slice2.3", "slice3.6", "slice4.8", "slice5.10"]
    state = {}
    for number, name in enumerate(names, start=1):
        state[f"net.{name}.weight"] = torch.tensor(arrays[f"conv{number}.kernel"]).permute(3, 2, 0, 1)
        state[f"net.{name}.bias"] = torch.tensor(arrays[f"conv{number}.bias"])
    assert not model.load_state_dict(state, strict=False).unexpected_keys
    return model.eval()


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_distance_from_kept_features_equals_lpips_called_directly(
    network: PerceptualNetwork, height: int, width: int
) -> None:
    reference = fresh_lpips(pretrained.load("alexnet"))
    images = pictures(height, width)
    features = network.features(images)
    for first in range(3):
        for second in range(3):
            with torch.no_grad():
                wanted = float(reference(to_torch(images[first]), to_torch(images[second])))
            assert network.distance(features[first], features[second]) == pytest.approx(wanted, abs=1e-5)


def test_distance_to_itself_is_zero(network: PerceptualNetwork) -> None:
    features = network.features([draw_photo()])[0]
    assert network.distance(features, features) == 0.0


def test_pictures_of_several_sizes_come_back_in_order(network: PerceptualNetwork) -> None:
    images = [draw_photo(0), draw_photo(1, height=70), draw_photo(2)]
    together = network.features(images)
    for image, features in zip(images, together, strict=True):
        alone = network.features([image])[0]
        assert len(features.layers) == NUM_LAYERS
        for one, other in zip(features.layers, alone.layers, strict=True):
            torch.testing.assert_close(one, other, rtol=1e-4, atol=1e-4)


def test_positions_are_the_pixels_of_each_layer(network: PerceptualNetwork) -> None:
    features = network.features([draw_photo()])[0]
    for samples, layer in zip(features.positions(), features.layers, strict=True):
        assert samples.shape == (layer.shape[1] * layer.shape[2], layer.shape[0])
        np.testing.assert_array_equal(samples[1], layer[:, 0, 1].numpy())


def test_building_leaves_torchs_random_numbers_alone() -> None:
    state = torch.get_rng_state()
    PerceptualNetwork()
    assert torch.equal(torch.get_rng_state(), state)
