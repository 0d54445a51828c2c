"""The style network: a feed-forward network that restyles a photo in one pass."""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, Final, Literal, final

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from models.errors import NetworkError

SIZE_MULTIPLE: Final = 4
"""Two stride-2 convolutions: sides inside the graph are multiples of 4."""

MINIMUM_SIZE: Final = 16
"""Smallest side in pixels: a quarter of it must still be wider than the reflection padding of the residual blocks."""

Tensor = Any


@final
@dataclass(frozen=True, kw_only=True)
class StyleNetworkOptions:
    """Architecture of a style network; changing any of them makes another study, not another trial.

    Attributes:
        width: Channels of the first convolution; the residual blocks have four times as many. The paper's is 32.
        num_residual_blocks: Residual blocks between down- and upsampling. The paper's is 5.
        norm: "instance" (Ulyanov et al. 2016, arXiv:1607.08022) or "batch" (the paper's).
        output: "sigmoid" or "tanh" (shifted and halved); both give pixels in [0, 1].
        upsampling: "nearest" (resize, then convolve: Odena et al. 2016) or "transposed" (the paper's).
        order: "norm_first" (convolve, normalise, activate) or "activation_first" (convolve, activate, normalise).
        kernel_initializer: Name of a Keras initialiser.
    """

    width: int = 32
    num_residual_blocks: int = 5
    norm: Literal["instance", "batch"] = "instance"
    output: Literal["sigmoid", "tanh"] = "sigmoid"
    upsampling: Literal["nearest", "transposed"] = "nearest"
    order: Literal["norm_first", "activation_first"] = "norm_first"
    kernel_initializer: str = "glorot_uniform"

    def __post_init__(self) -> None:
        if self.width < 1:
            raise NetworkError(f"`width` must be at least 1. Received {self.width}. Try 16 or 32.")
        if self.num_residual_blocks < 0:
            raise NetworkError(f"`num_residual_blocks` must be 0 or more. Received {self.num_residual_blocks}. Try 5.")
        _check_choice("norm", self.norm, ("instance", "batch"))
        _check_choice("output", self.output, ("sigmoid", "tanh"))
        _check_choice("upsampling", self.upsampling, ("nearest", "transposed"))
        _check_choice("order", self.order, ("norm_first", "activation_first"))

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values, for a configuration file."""
        return asdict(self)


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    if value not in choices:
        raise NetworkError(f"`{name}` must be one of {', '.join(choices)}. Received {value!r}.")


def build_style_network(options: StyleNetworkOptions, *, seed: int = 0, precision: str = "float32") -> keras.Model:
    """Build a style network with freshly drawn weights.

    The 3-5-3 network of Johnson, Alahi and Fei-Fei (2016, supplementary material, table 1): three convolutions,
    five residual blocks, two upsamplings and a final convolution.

    Differs from the paper: reflection padding in every convolution instead of one large reflection at the input and
    unpadded residual blocks; nearest upsampling and instance norm by default; sigmoid instead of scaled tanh; no norm
    on the output; no bias before a norm.

    Args:
        options: The architecture.
        seed: Seed of the initial weights; the same seed gives the same weights.
        precision: Keras dtype policy of the hidden layers; variables and output are float32 under each of them.

    Returns:
        A functional Keras model of built-in layers only, so that a saved file loads without this package.
        Input and output: (batch, height, width, 3) float32 RGB in [0, 1], height and width multiples of 4, at least
        16; other sizes go through `stylise`.
    """
    builder = _Builder(options, seed, precision)
    width = options.width
    images = keras.Input((None, None, 3), name="photo")
    hidden = builder.convolution_block(images, width, kernel=9)
    hidden = builder.convolution_block(hidden, width * 2, strides=2)
    hidden = builder.convolution_block(hidden, width * 4, strides=2)
    for _ in range(options.num_residual_blocks):
        hidden = builder.residual_block(hidden, width * 4)
    hidden = builder.upsampling_block(hidden, width * 2)
    hidden = builder.upsampling_block(hidden, width)
    network = keras.Model(images, builder.output(hidden), name="style_network")
    # Restyling alone is not worth a compilation for each size of photo.
    network.jit_compile = False
    return network


@final
class _Builder:
    """Strings the layers together; one seed per layer, drawn in order from the network's seed."""

    def __init__(self, options: StyleNetworkOptions, seed: int, precision: str) -> None:
        self._options = options
        self._precision = precision
        self._seeds = np.random.default_rng(seed)

    def convolution_block(self, inputs: Tensor, filters: int, *, kernel: int = 3, strides: int = 1) -> Tensor:
        hidden = self._convolution(inputs, filters, kernel=kernel, strides=strides, use_bias=self._activation_follows)
        return self._norm_and_activation(hidden)

    def residual_block(self, inputs: Tensor, filters: int) -> Tensor:
        hidden = self.convolution_block(inputs, filters)
        hidden = self._convolution(hidden, filters, use_bias=False)
        return layers.Add(dtype=self._precision)([inputs, self._norm()(hidden)])

    def upsampling_block(self, inputs: Tensor, filters: int) -> Tensor:
        if self._options.upsampling == "nearest":
            return self.convolution_block(
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
        )(inputs)
        return self._norm_and_activation(hidden)

    def output(self, inputs: Tensor) -> Tensor:
        hidden = layers.Conv2D(3, 9, kernel_initializer=self._initializer(), dtype=self._precision)(_reflect(inputs, 4))
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
        )(_reflect(inputs, kernel // 2))

    def _norm(self) -> keras.layers.Layer:
        if self._options.norm == "instance":
            return layers.GroupNormalization(groups=-1, epsilon=1e-5, dtype=self._precision)
        return layers.BatchNormalization(momentum=0.9, epsilon=1e-5, dtype=self._precision)

    def _norm_and_activation(self, hidden: Tensor) -> Tensor:
        if self._options.order == "norm_first":
            return layers.ReLU(dtype=self._precision)(self._norm()(hidden))
        return self._norm()(layers.ReLU(dtype=self._precision)(hidden))


def _reflect(inputs: Tensor, margin: int) -> Tensor:
    return ops.pad(inputs, [[0, 0], [margin, margin], [margin, margin], [0, 0]], mode="reflect")


def stylise(network: Callable[[Tensor], Tensor], photos: NDArray[np.float32]) -> NDArray[np.float32]:
    """Restyle photos of any size from 16 px up.

    Sides that are no multiple of 4 are continued by reflection before the network and cut off after it.

    Args:
        network: A style network: a Keras model, or any function of a batch of photos.
        photos: (batch, height, width, 3) float32 RGB in [0, 1].

    Returns:
        (batch, height, width, 3) float32 RGB in [0, 1], the photos' own size.

    Raises:
        NetworkError: A side is shorter than 16 px.
    """
    height, width = photos.shape[1:3]
    if min(height, width) < MINIMUM_SIZE:
        raise NetworkError(
            f"`photos` must be at least {MINIMUM_SIZE} px on each side. Received {width} x {height}. Enlarge the photo."
        )
    margins = [(0, 0), (0, -height % SIZE_MULTIPLE), (0, -width % SIZE_MULTIPLE), (0, 0)]
    padded = np.pad(photos, margins, mode="reflect").astype(np.float32)
    predict = network.predict_on_batch if isinstance(network, keras.Model) else network
    outputs = np.asarray(ops.convert_to_numpy(predict(padded)), np.float32)
    return np.clip(outputs[:, :height, :width], np.float32(0), np.float32(1))
