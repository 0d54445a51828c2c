"""The 3-5-3 style network's layers, whatever norms it has."""

from collections.abc import Callable
from typing import Any, final

import keras
import numpy as np
from keras import layers, ops

from models.errors import NetworkError
from models.networks.style_network_options import StyleNetworkOptions

Tensor = Any


@final
class StyleNetworkBuilder:
    """Strings the layers together; one seed per convolution, drawn in order from the network's seed.

    Convolutions are called `convolution_0`, `convolution_1` and so on: with the same options, networks with other norms
    have the same convolutions under the same names, and with the same seed the same initial kernels.
    """

    def __init__(
        self, options: StyleNetworkOptions, *, normalise: Callable[[Tensor], Tensor], seed: int, precision: str
    ) -> None:
        """Take what the network is made of.

        Args:
            options: The architecture, its norm aside.
            normalise: Puts a norm behind feature maps, (batch, height, width, channels), each time another one.
            seed: Of the initial kernels.
            precision: Keras dtype policy of the hidden layers.
        """
        self._options = options
        self._normalise = normalise
        self._precision = precision
        self._seeds = np.random.default_rng(seed)
        self._num_convolutions = 0

    def string_together(self, photos: Tensor) -> Tensor:
        """Return what the whole network makes of photos, both (batch, height, width, 3) in [0, 1]."""
        width = self._options.width
        hidden = self._convolution_block(photos, width, kernel=9)
        hidden = self._convolution_block(hidden, width * 2, strides=2)
        hidden = self._convolution_block(hidden, width * 4, strides=2)
        for _ in range(self._options.num_residual_blocks):
            hidden = self._residual_block(hidden, width * 4)
        hidden = self._upsampling_block(hidden, width * 2)
        return self._output(self._upsampling_block(hidden, width))

    def _convolution_block(self, inputs: Tensor, filters: int, *, kernel: int = 3, strides: int = 1) -> Tensor:
        hidden = self._convolution(inputs, filters, kernel=kernel, strides=strides, use_bias=self._activation_follows)
        return self._norm_and_activation(hidden)

    def _residual_block(self, inputs: Tensor, filters: int) -> Tensor:
        hidden = self._convolution_block(inputs, filters)
        hidden = self._convolution(hidden, filters, use_bias=False)
        return layers.Add(dtype=self._precision)([inputs, self._normalise(hidden)])

    def _upsampling_block(self, inputs: Tensor, filters: int) -> Tensor:
        if self._options.upsampling == "nearest":
            return self._convolution_block(
                layers.UpSampling2D(2, interpolation="nearest", dtype=self._precision)(inputs), filters
            )
        hidden = layers.Conv2DTranspose(
            filters,
            3,
            strides=2,
            padding="same",
            use_bias=self._activation_follows,
            kernel_initializer=self._initializer(),
            dtype=self._precision,
            name=self._next_name(),
        )(inputs)
        return self._norm_and_activation(hidden)

    def _output(self, inputs: Tensor) -> Tensor:
        hidden = self._convolution(inputs, 3, kernel=9, use_bias=True)
        hidden = layers.Activation(self._options.output, dtype="float32")(hidden)
        if self._options.output == "sigmoid":
            return hidden
        return layers.Rescaling(scale=0.5, offset=0.5, dtype="float32")(hidden)

    @property
    def _activation_follows(self) -> bool:
        """Only then has a bias an effect: a norm takes it away again."""
        return self._options.order == "activation_first"

    def _initializer(self) -> keras.Initializer:
        name = self._options.kernel_initializer
        try:
            initializer = keras.initializers.get(name)
        except ValueError as error:
            raise NetworkError(
                f"`kernel_initializer` must name a Keras initialiser. Received {name!r}. Try 'glorot_uniform'."
            ) from error
        config = initializer.get_config()
        if "seed" in config:
            config["seed"] = int(self._seeds.integers(2**31))
        return type(initializer).from_config(config)

    def _convolution(
        self, inputs: Tensor, filters: int, *, kernel: int = 3, strides: int = 1, use_bias: bool
    ) -> Tensor:
        return layers.Conv2D(
            filters,
            kernel,
            strides=strides,
            use_bias=use_bias,
            kernel_initializer=self._initializer(),
            dtype=self._precision,
            name=self._next_name(),
        )(_reflect(inputs, kernel // 2))

    def _next_name(self) -> str:
        name = f"convolution_{self._num_convolutions}"
        self._num_convolutions += 1
        return name

    def _norm_and_activation(self, hidden: Tensor) -> Tensor:
        if self._options.order == "norm_first":
            return layers.ReLU(dtype=self._precision)(self._normalise(hidden))
        return self._normalise(layers.ReLU(dtype=self._precision)(hidden))


def _reflect(inputs: Tensor, margin: int) -> Tensor:
    return ops.pad(inputs, [[0, 0], [margin, margin], [margin, margin], [0, 0]], mode="reflect")
