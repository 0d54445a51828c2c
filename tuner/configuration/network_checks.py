"""What of a configuration only the network libraries can judge, checked before anything is stored or trained."""

import keras

from groundwork.similar_names import did_you_mean
from models.networks.loss_network import LOSS_NETWORKS
from tuner.configuration.settings import StudyConfig
from tuner.configuration.training_sections import LossSection
from tuner.errors import ConfigError

KERNEL_SHAPE = (3, 3, 4, 4)
"""Shape of any convolution's kernel: some initialisers are for matrices alone."""


def check_networks(config: StudyConfig) -> None:
    """Check the names of layers, weights and initialiser, without loading pretrained files.

    Raises:
        ConfigError: There is no such layer, source or initialiser; says which there are.
    """
    _check_loss_network(config.loss)
    _check_initializer(config.network.kernel_initializer)


def _check_loss_network(loss: LossSection) -> None:
    kind = LOSS_NETWORKS[loss.network]
    for setting, layers in {"content_layers": loss.content_layers, "style_layers": loss.style_layers}.items():
        for layer in layers:
            if layer not in kind.layers:
                similar = did_you_mean(layer, kind.layers, none="", listed=False)
                raise ConfigError(
                    f"`loss.{setting}` must name layers of {loss.network}: {', '.join(kind.layers)}. "
                    f"Received {layer!r}. {similar}".rstrip()
                )
    if loss.source is not None and loss.source not in kind.sources:
        raise ConfigError(
            f"`loss.source` must be {' or '.join(kind.sources)} for {loss.network}. Received {loss.source!r}."
        )


def _check_initializer(name: str) -> None:
    try:
        keras.initializers.get(name)(KERNEL_SHAPE)
    except (ValueError, TypeError) as error:
        raise ConfigError(
            "`network.kernel_initializer` must be the name of a Keras initialiser for convolutions, such as "
            f"glorot_uniform or he_normal. Received {name!r}."
        ) from error
