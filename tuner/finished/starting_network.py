"""What a training starts from instead of noise: the weights of a network that is trained already."""

from pathlib import Path

import keras
import numpy as np
from numpy.typing import NDArray

from groundwork.file_hashes import sha256_of
from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues
from tuner.checkpointed.network_files import NetworkFiles
from tuner.configuration.settings import StudyConfig
from tuner.errors import NetworkFileError, ScoutError
from tuner.finished.stylising import load_network
from tuner.scouting.scout import load_scout
from tuner.scouting.scout_files import COMMAND
from tuner.search.resources import build_network


def starting_weights(path: Path, config: StudyConfig, weights: LossWeights) -> list[NDArray[np.float32]]:
    """Return a network's weights, as the study's style network takes them.

    Args:
        path: A .keras file: a style network, or a scout, of which the network of the loss weights is taken.
        config: The study's configuration.
        weights: The loss weights that are trained with.

    Raises:
        NetworkFileError: The file is missing or damaged, or holds another architecture than the study's.
        ScoutError: It holds a scout of another version, or of another style image.
        SampledValuesError: A scout was not trained for these loss weights.
    """
    if NetworkFiles(path, command=COMMAND).read() is None:
        network = load_network(path)
    else:
        scout = load_scout(path)
        if config.style is not None and scout.pictures.get("style_sha256") != sha256_of(config.style):
            raise ScoutError(f"Scout {path} was trained with another style image. Take the study's own, or train one.")
        (network,) = scout.fold([SampledValues.of_weights(weights)])
    if _layers(network) != _layers(build_network(config, precision="float32")):
        raise NetworkFileError(
            f"`--from` {path} has other layers than the study's network, of width {config.network.width} with "
            f"{config.network.num_residual_blocks} residual blocks, {config.network.norm} norms and "
            f"{config.network.output} output. Name one that was trained from the same study's configuration."
        )
    found: list[NDArray[np.float32]] = network.get_weights()
    return found


def _layers(network: keras.Model) -> list[tuple[str, object, list[tuple[int, ...]]]]:
    """Return what tells architectures apart: of each layer its kind, its activation and the shapes of its weights."""
    return [
        (type(layer).__name__, layer.get_config().get("activation"), [array.shape for array in layer.get_weights()])
        for layer in network.layers
    ]
