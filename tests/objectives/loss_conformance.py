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
    """One number an image, 0 at a perfect match, never negative, a mean over positions, and differentiable."""

    @abstractmethod
    def losses(self, maps: Any) -> Any:
        """The term for each of a batch of maps, against a target that does not depend on their number or size."""

    @abstractmethod
    def over_the_batch(self, maps: Maps) -> float:
        """The term as one mean over batch and positions, by NumPy in float64."""

    @abstractmethod
    def perfect(self) -> Maps:
        """Maps for which the term is 0."""

    @abstractmethod
    def tile(self) -> Maps:
        """One map whose repetition, side by side, changes no mean; not a perfect match."""

    def each(self, maps: Maps) -> NDArray[np.float32]:
        values: NDArray[np.float32] = ops.convert_to_numpy(self.losses(maps))
        return values

    def value(self, maps: Maps) -> float:
        return float(self.each(maps).mean())

    def draw(self, *, num: int = 2, height: int = 6, width: int = 8, seed: int = 0) -> Maps:
        shape = (num, height, width, self.tile().shape[-1])
        return np.random.default_rng(seed).random(shape, dtype=np.float32)

    @pytest.mark.parametrize("num", [1, 2, 5])
    def test_one_float32_an_image(self, num: int) -> None:
        losses = self.each(self.draw(num=num))
        assert losses.shape == (num,)
        assert losses.dtype == np.float32

    def test_zero_at_a_perfect_match(self) -> None:
        np.testing.assert_allclose(self.each(self.perfect()), 0, atol=1e-9)

    @pytest.mark.parametrize("seed", range(5))
    def test_positive_elsewhere(self, seed: int) -> None:
        assert (self.each(self.draw(seed=seed)) > 1e-3).all()

    @pytest.mark.parametrize("num", [1, 3, 4])
    def test_the_mean_over_images_is_the_mean_over_the_batch(self, num: int) -> None:
        maps = self.draw(num=num)
        assert self.value(maps) == pytest.approx(self.over_the_batch(maps), rel=1e-5)

    def test_an_image_counts_for_itself_alone(self) -> None:
        maps = self.draw(num=3)
        together = self.each(maps)
        np.testing.assert_allclose([self.value(one[None]) for one in maps], together, rtol=1e-5)
        np.testing.assert_allclose(self.each(maps[::-1]), together[::-1], rtol=1e-5)
        assert len({*together.tolist()}) == 3
        changed = np.stack([maps[0], self.draw(num=1, seed=9)[0], maps[2]])
        np.testing.assert_allclose(self.each(changed)[[0, 2]], together[[0, 2]], rtol=1e-5)
        assert self.each(changed)[1] != pytest.approx(together[1], rel=1e-5)

    def test_no_gradient_reaches_another_image(self) -> None:
        variable = tf.Variable(self.draw(num=3))
        with tf.GradientTape() as tape:
            second = self.losses(variable)[1]
        gradient = tape.gradient(second, variable).numpy()
        np.testing.assert_array_equal(gradient[[0, 2]], 0)
        assert np.abs(gradient[1]).max() > 0

    @pytest.mark.parametrize(("rows", "columns"), [(2, 2), (1, 3), (16, 16)])
    def test_does_not_change_with_size(self, rows: int, columns: int) -> None:
        tiles = np.tile(self.tile(), (1, rows, columns, 1))
        assert self.value(tiles) == pytest.approx(self.value(self.tile()), rel=1e-4)
        assert self.value(tiles) > 1e-3

    def test_gradient_is_finite_and_that_of_the_loss(self) -> None:
        maps = self.draw(seed=1)
        variable = tf.Variable(maps)
        with tf.GradientTape() as tape:
            loss = ops.mean(self.losses(variable))
        gradient = tape.gradient(loss, variable).numpy()
        assert np.isfinite(gradient).all()
        step = 1e-2 * gradient / np.linalg.norm(gradient)
        slope = (self.value(maps + step) - self.value(maps - step)) / 2e-2
        assert slope == pytest.approx(np.linalg.norm(gradient), rel=2e-2)

    def test_gradient_is_finite_at_a_perfect_match(self) -> None:
        variable = tf.Variable(self.perfect())
        with tf.GradientTape() as tape:
            loss = ops.mean(self.losses(variable))
        np.testing.assert_allclose(tape.gradient(loss, variable).numpy(), 0, atol=1e-4)
