"""Averaging Adam: its steps are Keras' own, its average that of Shamir & Zhang."""

import keras
import numpy as np
import pytest
from keras import ops
from numpy.typing import NDArray

from objectives.training.averaging_optimizer import AVERAGE_DECAY, AveragingAdam

NUM_STEPS = 40


def build(optimizer: keras.Optimizer) -> list[keras.Variable]:
    variables = [keras.Variable(np.array([1.0, -2.0], np.float32)), keras.Variable(np.full((2, 3), 0.5, np.float32))]
    optimizer.build(variables)
    return variables


def gradients(step: int) -> list[NDArray[np.float32]]:
    generator = np.random.default_rng(step)
    return [generator.normal(size=shape).astype(np.float32) for shape in ((2,), (2, 3))]


def values(variables: list[keras.Variable]) -> list[NDArray[np.float32]]:
    return [np.array(ops.convert_to_numpy(variable)) for variable in variables]


def run(optimizer: keras.Optimizer) -> list[list[NDArray[np.float32]]]:
    variables = build(optimizer)
    path = [values(variables)]
    for step in range(NUM_STEPS):
        optimizer.apply([ops.convert_to_tensor(gradient) for gradient in gradients(step)])
        path.append(values(variables))
    return path


def test_before_the_first_step_the_average_is_the_initial_weights() -> None:
    optimizer = AveragingAdam(0.1)
    variables = build(optimizer)
    for average, value in zip(values(optimizer.averages), values(variables), strict=True):
        np.testing.assert_array_equal(average, value)


def test_after_one_step_the_average_is_the_weights() -> None:
    optimizer = AveragingAdam(0.1)
    variables = build(optimizer)
    optimizer.apply([ops.convert_to_tensor(gradient) for gradient in gradients(0)])
    for average, value in zip(values(optimizer.averages), values(variables), strict=True):
        np.testing.assert_allclose(average, value, rtol=1e-6)


def test_its_steps_are_those_of_adam() -> None:
    for ours, theirs in zip(run(AveragingAdam(0.1)), run(keras.optimizers.Adam(0.1)), strict=True):
        for one, other in zip(ours, theirs, strict=True):
            np.testing.assert_array_equal(one, other)


def test_the_average_is_the_weighted_mean_of_the_path() -> None:
    """Written out: the share of step s after t steps is its own move, times what the later moves left of it."""
    optimizer = AveragingAdam(0.1)
    path = run(optimizer)[1:]
    moves = [(AVERAGE_DECAY + 1) / (step + AVERAGE_DECAY) for step in range(1, NUM_STEPS + 1)]
    shares = [moves[s] * np.prod([1 - move for move in moves[s + 1 :]]) for s in range(NUM_STEPS)]
    assert sum(shares) == pytest.approx(1.0)
    for number, average in enumerate(values(optimizer.averages)):
        wanted = sum(share * weights[number] for share, weights in zip(shares, path, strict=True))
        np.testing.assert_allclose(average, wanted, rtol=1e-5)
