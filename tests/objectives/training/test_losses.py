"""The three terms: values worked out by hand, an independent NumPy reference, and the shared conformance."""

from collections.abc import Mapping
from typing import Any, final

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from keras import ops
from numpy.typing import NDArray

from measures.loss_weights import TERMS
from objectives.training.losses import PIXELS, LossInputs, LossTerm, gram_matrix, loss_terms, total_variation
from tests.objectives.loss_conformance import LossConformance, Maps


def draw(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


def number(tensor: Any) -> float:
    return float(ops.convert_to_numpy(ops.mean(tensor)))


def content_losses(features: Mapping[str, Any], targets: Mapping[str, Any], references: Mapping[str, Any]) -> Any:
    term, _, _ = loss_terms(content_layers=list(targets), style_layers=list(targets))
    return term.per_image(LossInputs(outputs=features, photos=targets, style_grams={}), references)


def style_losses(features: Mapping[str, Any], targets: Mapping[str, Any], references: Mapping[str, Any]) -> Any:
    _, term, _ = loss_terms(content_layers=list(targets), style_layers=list(targets))
    return term.per_image(LossInputs(outputs=features, photos={}, style_grams=targets), references)


def variation_losses(pictures: Any, reference: float) -> Any:
    _, _, term = loss_terms(content_layers=["unused"], style_layers=["unused"])
    return term.per_image(LossInputs(outputs={PIXELS: pictures}, photos={}, style_grams={}), {PIXELS: reference})


def numpy_gram(features: NDArray[np.float32]) -> NDArray[np.float64]:
    _, height, width, channels = features.shape
    wide = features.astype(np.float64)
    return np.einsum("bhwi,bhwj->bij", wide, wide) / (height * width * channels)


@pytest.mark.parametrize("size", [1, 7, 64])
def test_gram_of_constant_features_is_one_over_channels(size: int) -> None:
    gram = gram_matrix(ops.ones((2, size, size, 4)))
    np.testing.assert_allclose(gram, np.full((2, 4, 4), 1 / 4), rtol=1e-6)


def test_gram_by_hand() -> None:
    features = np.array([[[[1, 2], [3, 0]]]], np.float32)
    wanted = np.array([[[1 + 9, 2], [2, 4]]]) / (2 * 2)
    np.testing.assert_allclose(gram_matrix(features), wanted, rtol=1e-6)


@given(
    batch=st.integers(1, 3),
    height=st.integers(1, 9),
    width=st.integers(1, 9),
    channels=st.integers(1, 5),
    seed=st.integers(0, 99),
)
@settings(max_examples=25, deadline=None)
def test_gram_equals_numpy_and_is_symmetric(batch: int, height: int, width: int, channels: int, seed: int) -> None:
    features = draw(batch, height, width, channels, seed=seed)
    gram = ops.convert_to_numpy(gram_matrix(features))
    np.testing.assert_allclose(gram, numpy_gram(features), rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(gram, gram.transpose(0, 2, 1), atol=1e-6)


def test_content_loss_by_hand() -> None:
    features = {"near": np.full((1, 2, 2, 1), 3.0, np.float32), "far": np.full((1, 1, 1, 4), 1.0, np.float32)}
    targets = {"near": np.full((1, 2, 2, 1), 1.0, np.float32), "far": np.full((1, 1, 1, 4), 4.0, np.float32)}
    # A squared distance of 4 over 8 and one of 9 over 18, a half each.
    assert number(content_losses(features, targets, {"near": 8.0, "far": 18.0})) == pytest.approx(0.5)


def test_content_loss_equals_numpy_and_reads_only_the_target_layers() -> None:
    features = {"one": draw(2, 4, 5, 3), "two": draw(2, 2, 3, 6, seed=1), "unused": draw(2, 9, 9, 1)}
    targets = {"one": draw(2, 4, 5, 3, seed=2), "two": draw(2, 2, 3, 6, seed=3)}
    wanted = np.mean([np.mean((features[name] - targets[name]) ** 2) / 1.7 for name in targets])
    assert number(content_losses(features, targets, {"one": 1.7, "two": 1.7})) == pytest.approx(wanted, rel=1e-5)


def test_style_loss_by_hand() -> None:
    features = {"layer": np.full((3, 5, 4, 2), 2.0, np.float32)}
    targets = {"layer": np.zeros((2, 2), np.float32)}
    # Every entry of the Gram matrix is 2 * 2 / 2 = 2, its squared distance 4.
    assert number(style_losses(features, targets, {"layer": 8.0})) == pytest.approx(0.5)


def test_style_loss_equals_numpy() -> None:
    features = {"one": draw(2, 4, 5, 3), "two": draw(2, 2, 3, 6, seed=1)}
    targets = {"one": draw(3, 3, seed=2), "two": draw(6, 6, seed=3)}
    reference = {"one": 0.3, "two": 5.0}
    wanted = np.mean([np.mean((numpy_gram(features[name]) - targets[name]) ** 2) / reference[name] for name in targets])
    assert number(style_losses(features, targets, reference)) == pytest.approx(wanted, rel=1e-5)


def test_losses_relative_to_their_references_do_not_change_with_the_features_scale() -> None:
    features, others, style = draw(2, 4, 4, 3), draw(2, 4, 4, 3, seed=1), draw(1, 4, 4, 3, seed=2)

    def measure(scale: float) -> tuple[float, float]:
        maps = {"layer": features * scale}
        content_reference = np.mean((features * scale - others * scale) ** 2)
        target = numpy_gram(style * scale)[0].astype(np.float32)
        style_reference = np.mean((numpy_gram(others * scale) - target) ** 2)
        content = content_losses(maps, {"layer": style * scale}, {"layer": content_reference})
        return number(content), number(style_losses(maps, {"layer": target}, {"layer": style_reference}))

    np.testing.assert_allclose(measure(300.0), measure(1.0), rtol=1e-4)


@pytest.mark.parametrize("size", [2, 5, 32])
def test_total_variation_of_a_ramp_is_its_squared_slope(size: int) -> None:
    ramp = np.broadcast_to(np.arange(size, dtype=np.float32)[None, None, :, None] * 0.02, (1, size, size, 3))
    assert number(total_variation(ramp)) == pytest.approx(0.02**2, rel=1e-4)
    both = ramp + ramp.transpose(0, 2, 1, 3)
    assert number(total_variation(both)) == pytest.approx(2 * 0.02**2, rel=1e-3)


@pytest.mark.parametrize(("height", "width"), [(2, 2), (8, 8), (5, 31)])
def test_total_variation_of_a_full_checkerboard_is_two(height: int, width: int) -> None:
    board = (np.indices((height, width)).sum(axis=0) % 2).astype(np.float32)
    pictures = np.broadcast_to(board[None, :, :, None], (2, height, width, 3))
    assert number(total_variation(pictures)) == pytest.approx(2.0)


def test_total_variation_of_stripes_counts_one_direction() -> None:
    stripes = np.broadcast_to((np.arange(8, dtype=np.float32) % 2)[None, :, None, None], (1, 8, 8, 3))
    assert number(total_variation(stripes)) == pytest.approx(1.0)


def test_total_variation_equals_numpy() -> None:
    pictures = draw(3, 7, 5, 3)
    wanted = np.mean(np.diff(pictures, axis=1) ** 2) + np.mean(np.diff(pictures, axis=2) ** 2)
    assert number(total_variation(pictures)) == pytest.approx(wanted, rel=1e-5)


def test_terms_are_those_of_the_weights_with_equal_shares_of_their_layers() -> None:
    terms = loss_terms(content_layers=["relu3_1"], style_layers=["relu1_1", "relu2_1", "relu3_1", "relu4_1"])
    assert tuple(term.name for term in terms) == TERMS
    assert [dict(term.layers) for term in terms] == [
        {"relu3_1": 1.0},
        dict.fromkeys(("relu1_1", "relu2_1", "relu3_1", "relu4_1"), 0.25),
        {PIXELS: 1.0},
    ]


def test_layers_count_by_their_shares() -> None:
    """By hand: 8 over 2 for three quarters, 3 over 6 for one quarter."""
    distances = {"near": np.array([8.0, 16.0], np.float32), "far": np.array([3.0, 6.0], np.float32)}
    term = LossTerm(name="any", layers={"near": 0.75, "far": 0.25}, measure=lambda inputs, layer: inputs.outputs[layer])
    inputs = LossInputs(outputs=distances, photos={}, style_grams={})
    np.testing.assert_allclose(term.per_image(inputs, {"near": 2.0, "far": 6.0}), [3.125, 6.25])


@final
class TestContentLoss(LossConformance):
    def losses(self, maps: Any) -> Any:
        targets = np.full(maps.shape, 0.3, np.float32)
        return content_losses({"layer": maps}, {"layer": targets}, {"layer": np.float32(0.2)})

    def over_the_batch(self, maps: Maps) -> float:
        return float(np.mean((maps.astype(np.float64) - 0.3) ** 2) / 0.2)

    def perfect(self) -> Maps:
        return np.full((2, 6, 8, 5), 0.3, np.float32)

    def tile(self) -> Maps:
        return self.perfect() + draw(2, 6, 8, 5)


@final
class TestStyleLoss(LossConformance):
    def losses(self, maps: Any) -> Any:
        target = numpy_gram(self.perfect())[0].astype(np.float32)
        return style_losses({"layer": maps}, {"layer": target}, {"layer": np.float32(0.01)})

    def over_the_batch(self, maps: Maps) -> float:
        return float(np.mean((numpy_gram(maps) - numpy_gram(self.perfect())[0]) ** 2) / 0.01)

    def perfect(self) -> Maps:
        return np.repeat(draw(1, 6, 8, 5), 2, axis=0)

    def tile(self) -> Maps:
        return draw(1, 3, 4, 5, seed=4)


@final
class TestTotalVariation(LossConformance):
    def losses(self, maps: Any) -> Any:
        return variation_losses(maps, 0.5)

    def over_the_batch(self, maps: Maps) -> float:
        wide = maps.astype(np.float64)
        return float((np.mean(np.diff(wide, axis=1) ** 2) + np.mean(np.diff(wide, axis=2) ** 2)) / 0.5)

    def perfect(self) -> Maps:
        return np.broadcast_to(np.array([0.1, 0.5, 0.9], np.float32), (2, 6, 8, 3)).copy()

    def tile(self) -> Maps:
        return np.broadcast_to((np.indices((2, 2)).sum(axis=0) % 2 * 0.5)[None, :, :, None], (1, 2, 2, 3)).astype("f4")
