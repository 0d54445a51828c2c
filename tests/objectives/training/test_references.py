"""The scale of each loss: by an independent NumPy computation, whatever the batch, and never rounding noise."""

import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray

from measures.loss_weights import TERMS
from models.networks.loss_network import LossNetwork
from objectives.errors import TrainingError
from objectives.training.losses import PIXELS, LossInputs, loss_terms
from objectives.training.references import BATCH_SIZE, LossReferences, measure_references, style_targets
from tests.objectives.fresh_run import draw_crops, draw_style

LAYERS = ("relu1_1", "relu2_1")


@pytest.fixture(scope="module")
def loss_network() -> LossNetwork:
    return LossNetwork("vgg19", layers=LAYERS)


@pytest.fixture(scope="module")
def grams(loss_network: LossNetwork) -> dict[str, NDArray[np.float32]]:
    return style_targets(loss_network, draw_style(), layers=LAYERS)


def numpy_features(loss_network: LossNetwork, photos: NDArray[np.float32]) -> dict[str, NDArray[np.float64]]:
    return {name: ops.convert_to_numpy(values).astype(np.float64) for name, values in loss_network(photos).items()}


def numpy_gram(features: NDArray[np.float64]) -> NDArray[np.float64]:
    flat = features.reshape(-1, features.shape[-1])
    return flat.T @ flat / flat.size


def test_style_targets_are_the_style_images_gram_matrices(
    loss_network: LossNetwork, grams: dict[str, NDArray[np.float32]]
) -> None:
    features = numpy_features(loss_network, draw_style()[None])
    assert grams.keys() == set(LAYERS)
    for name, gram in grams.items():
        assert gram.shape == (features[name].shape[-1],) * 2
        np.testing.assert_allclose(gram, numpy_gram(features[name][0]), rtol=1e-4, atol=1e-2)


@pytest.mark.parametrize("num", [2, BATCH_SIZE, BATCH_SIZE + 3])
def test_references_equal_numpy(loss_network: LossNetwork, grams: dict[str, NDArray[np.float32]], num: int) -> None:
    photos = draw_crops(num)
    references = measure_references(loss_network, photos, grams, content_layers=["relu2_1"])
    features = numpy_features(loss_network, photos)
    pairs = [np.mean((features["relu2_1"][i] - features["relu2_1"][(i + 1) % num]) ** 2) for i in range(num)]
    assert references.content == pytest.approx({"relu2_1": np.mean(pairs)}, rel=1e-4)
    style = {
        name: np.mean([np.mean((numpy_gram(each) - grams[name]) ** 2) for each in features[name]]) for name in LAYERS
    }
    assert references.style == pytest.approx(style, rel=1e-4)
    variation = np.mean(np.diff(photos, axis=1) ** 2) + np.mean(np.diff(photos, axis=2) ** 2)
    assert references.total_variation == pytest.approx(variation, rel=1e-5)


def test_what_was_measured_is_one_in_its_own_units(
    loss_network: LossNetwork, grams: dict[str, NDArray[np.float32]]
) -> None:
    photos = draw_crops(6)
    references = measure_references(loss_network, photos, grams, content_layers=["relu2_1"])
    features = loss_network(photos)
    others = {"relu2_1": loss_network(np.roll(photos, -1, axis=0))["relu2_1"]}
    inputs = LossInputs(outputs={PIXELS: photos, **features}, photos=others, style_grams=grams)
    scales = references.by_term()
    for term in loss_terms(content_layers=["relu2_1"], style_layers=LAYERS):
        losses = ops.convert_to_numpy(term.per_image(inputs, scales[term.name]))
        assert losses.mean() == pytest.approx(1, rel=1e-4)


def test_references_are_by_the_terms_that_weights_name() -> None:
    references = LossReferences(content={"relu2_1": 2.0}, style={"relu1_1": 3.0}, total_variation=4.0)
    assert references.by_term() == {
        "content": {"relu2_1": 2.0},
        "style": {"relu1_1": 3.0},
        "total_variation": {PIXELS: 4.0},
    }
    assert tuple(references.by_term()) == TERMS


def test_references_of_more_of_the_same_photos_are_the_same(
    loss_network: LossNetwork, grams: dict[str, NDArray[np.float32]]
) -> None:
    photos = draw_crops(5)
    once = measure_references(loss_network, photos, grams, content_layers=LAYERS)
    twice = measure_references(loss_network, np.concatenate([photos, photos]), grams, content_layers=LAYERS)
    assert twice.content == pytest.approx(once.content, rel=1e-5)
    assert twice.style == pytest.approx(once.style, rel=1e-5)
    assert twice.total_variation == pytest.approx(once.total_variation, rel=1e-5)


@pytest.mark.parametrize("rounded", [False, True])
def test_photos_equal_to_the_style_image_are_an_error(
    loss_network: LossNetwork, grams: dict[str, NDArray[np.float32]], rounded: bool
) -> None:
    """Also where they differ in the last bit: features are in the thousands, so what rounding leaves is not tiny."""
    photo = np.nextafter(draw_style(), np.float32(1)) if rounded else draw_style()
    with pytest.raises(TrainingError, match=r"style loss at relu1_1 is .* do not differ"):
        measure_references(loss_network, np.stack([photo] * (BATCH_SIZE + 1)), grams, content_layers=[])


@pytest.mark.parametrize("num", [1, 4])
def test_photos_that_are_all_one_are_an_error(
    loss_network: LossNetwork, grams: dict[str, NDArray[np.float32]], num: int
) -> None:
    photos = np.repeat(draw_crops(1), num, axis=0)
    with pytest.raises(TrainingError, match=r"content loss at relu2_1 is .* Use other photos"):
        measure_references(loss_network, photos, grams, content_layers=["relu2_1"])


def test_flat_photos_are_an_error(loss_network: LossNetwork, grams: dict[str, NDArray[np.float32]]) -> None:
    levels = np.linspace(0.1, 0.9, 4, dtype=np.float32)
    photos = np.broadcast_to(levels[:, None, None, None], (4, 32, 32, 3)).copy()
    with pytest.raises(TrainingError, match="reference of the total variation is 0"):
        measure_references(loss_network, photos, grams, content_layers=["relu2_1"])


def test_photos_that_are_not_numbers_are_an_error(
    loss_network: LossNetwork, grams: dict[str, NDArray[np.float32]]
) -> None:
    photos = draw_crops(2)
    photos[0, 3, 3] = np.nan
    with pytest.raises(TrainingError, match=r"reference of the .* is (nan|inf)"):
        measure_references(loss_network, photos, grams, content_layers=["relu2_1"])


def test_a_slightly_different_photo_is_difference_enough(loss_network: LossNetwork) -> None:
    style = draw_style()
    grams = style_targets(loss_network, style, layers=LAYERS)
    photos = np.stack([style, np.clip(style + 0.01, 0, 1)])
    assert measure_references(loss_network, photos, grams, content_layers=["relu2_1"]).style["relu2_1"] > 0


def test_a_tilt_divides_by_less_what_weighs_more() -> None:
    measured = LossReferences(content={"relu2_1": 2.0}, style={"relu1_1": 3.0, "relu2_1": 6.0}, total_variation=0.1)
    tilted = measured.tilted(1.0)
    assert tilted.style == pytest.approx({"relu1_1": 3.0 / (2 / 3), "relu2_1": 6.0 / (4 / 3)})
    assert (tilted.content, tilted.total_variation) == (measured.content, measured.total_variation)
    assert measured.tilted(0.0) == measured
