"""The scout's network: a style network conditioned on where in the search space the loss weights lie."""

from collections.abc import Iterator, Sequence
from typing import Final

import keras
import numpy as np

from measures.ratio_space import CODE_SIZE, draw_positions, encode
from measures.sampled_values import SampledValues
from models.networks.conditioned_style_network import (
    CONDITION,
    PHOTO,
    ConditionOptions,
    build_conditioned_network,
    fold,
)
from objectives.training.trainer import LOSS_WEIGHTS, Batch
from tuner.configuration.settings import StudyConfig
from tuner.scouting.scout_identity import space_of
from tuner.search.resources import StudyResources, network_options

_DRAW_STREAM: Final = 7
"""Apart from the streams of crops and their order, which are drawn from the same seed."""


def training_config(config: StudyConfig) -> StudyConfig:
    """Return the configuration with the scout's training in place of a trial's."""
    scout = config.scout
    training = config.training.model_copy(
        update={
            "images": -(-scout.images // scout.batch_size) * scout.batch_size,
            "batch_size": scout.batch_size,
            "learning_rate": scout.learning_rate,
        }
    )
    return config.model_copy(update={"training": training})


def build_scout(config: StudyConfig, *, precision: str | None = None) -> keras.Model:
    """Build the scout's network with its initial weights.

    Raises:
        NetworkError: The study's networks have no instance norm.
    """
    units = config.scout.hidden_units
    return build_conditioned_network(
        network_options(config),
        ConditionOptions(size=CODE_SIZE, hidden_units=(units, units)),
        seed=config.seed,
        precision=precision or config.training.precision,
    )


def scout_batches(resources: StudyResources, start: int, stop: int) -> Iterator[Batch]:
    """Yield the batches between two numbers of images seen: the study's crops, each with weights of its own.

    What is drawn follows from the seed and the number of images seen alone, so that a training can go on anywhere.
    """
    config = resources.config
    space, size = space_of(config), config.training.batch_size
    for position in range(start, stop, size):
        ((photos, targets),) = resources.batches(position, position + size)
        generator = np.random.default_rng([config.seed, _DRAW_STREAM, position])
        positions = draw_positions(size, generator)
        weights = np.stack([values.loss_weights().as_vector() for values in space.at(positions)]).astype(np.float32)
        yield {PHOTO: photos, CONDITION: encode(positions)}, {**targets, LOSS_WEIGHTS: weights}  # type: ignore[dict-item]


def fold_scout(network: keras.Model, config: StudyConfig, values: Sequence[SampledValues]) -> list[keras.Model]:
    """Take the plain style networks of some values out of a scout's network.

    Raises:
        SampledValuesError: A ratio lies outside the ranges that the scout was trained for.
    """
    return fold(network, network_options(config), encode(space_of(config).positions(values)))
