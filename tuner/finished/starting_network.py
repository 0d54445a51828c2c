"""What a training starts from instead of noise: the weights of a network that is trained already."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues
from tuner.checkpointed.network_files import NetworkFiles
from tuner.configuration.settings import StudyConfig
from tuner.errors import NetworkFileError
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
        ScoutError: It holds a scout of another version.
        SampledValuesError: A scout was not trained for these loss weights.
    """
    if NetworkFiles(path, command=COMMAND).read() is None:
        network = load_network(path)
    else:
        (network,) = load_scout(path).fold([SampledValues.of_weights(weights)])
    found: list[NDArray[np.float32]] = network.get_weights()
    wanted = build_network(config, precision="float32").get_weights()
    if [array.shape for array in found] != [array.shape for array in wanted]:
        raise NetworkFileError(
            f"`--from` {path} has other layers than the study's network, of width {config.network.width} with "
            f"{config.network.num_residual_blocks} residual blocks and {config.network.norm} norms. Name one that was "
            "trained from the same study's configuration."
        )
    return found
