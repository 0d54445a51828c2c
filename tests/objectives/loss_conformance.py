"""What every term of the training objective promises; each term's test class inherits this and says how it is fed."""

from abc import ABC, abstractmethod
from typing import Any

import numpy as np
import pytest
import tensorflow as tf
from keras import ops
from numpy.typing import NDArray

Maps = NDArray[np.float32]
"""Pictures, or features of pictures: (batch, height, width, channels)."""


class LossConformance(ABC):
    """Scalar, 0 at a perfect match, never negative, a mean over batch and positions, and differentiable."""

    @abstractmethod
    def loss(self, maps: Any) -> Any:
        """The term for a batch of maps, against a target that does not depend on their number or size."""

    @abstractmethod
    def perfect(self) -> Maps:
        """Maps for which the term is 0."""

    @abstractmethod
    def tile(self) -> Maps:
        """One map whose repetition, side by side, changes no mean; not a perfect match."""

    def value(self, maps: Maps) -> float:
        return float(ops.convert_to_numpy(self.loss(maps)))

    def draw(self, *, num: int = 2, height: int = 6, width: int = 8, seed: int = 0) -> Maps:
        shape = (num, height, width, self.tile().shape[-1])
        return np.random.default_rng(seed).random(shape, dtype=np.float32)

    def test_scalar_of_float32(self) -> None:
        loss = ops.convert_to_numpy(self.loss(self.draw()))
        assert loss.shape == ()
        assert loss.dtype == np.float32

    def test_zero_at_a_perfect_match(self) -> None:
        assert self.value(self.perfect()) == pytest.approx(0, abs=1e-9)

    @pytest.mark.parametrize("seed", range(5))
    def test_positive_elsewhere(self, seed: int) -> None:
        assert self.value(self.draw(seed=seed)) > 1e-3

    @pytest.mark.parametrize("num", [1, 3])
    def test_a_mean_over_the_batch(self, num: int) -> None:
        maps = self.draw(num=num)
        alone = [self.value(each[None]) for each in maps]
        assert self.value(maps) == pytest.approx(np.mean(alone), rel=1e-5)
        assert self.value(np.concatenate([maps, maps])) == pytest.approx(self.value(maps), rel=1e-5)

    @pytest.mark.parametrize(("rows", "columns"), [(2, 2), (1, 3), (16, 16)])
    def test_does_not_change_with_size(self, rows: int, columns: int) -> None:
        tiles = np.tile(self.tile(), (1, rows, columns, 1))
        assert self.value(tiles) == pytest.approx(self.value(self.tile()), rel=1e-4)
        assert self.value(tiles) > 1e-3

    def test_gradient_is_finite_and_that_of_the_loss(self) -> None:
        maps = self.draw(seed=1)
        variable = tf.Variable(maps)
        with tf.GradientTape() as tape:
            loss = self.loss(variable)
        gradient = tape.gradient(loss, variable).numpy()
        assert np.isfinite(gradient).all()
        step = 1e-2 * gradient / np.linalg.norm(gradient)
        slope = (self.value(maps + step) - self.value(maps - step)) / 2e-2
        assert slope == pytest.approx(np.linalg.norm(gradient), rel=2e-2)

    def test_gradient_is_finite_at_a_perfect_match(self) -> None:
        variable = tf.Variable(self.perfect())
        with tf.GradientTape() as tape:
            loss = self.loss(variable)
        np.testing.assert_allclose(tape.gradient(loss, variable).numpy(), 0, atol=1e-4)
