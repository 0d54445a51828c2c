"""The style network: a feed-forward network that restyles a photo in one pass."""

from collections.abc import Callable
from typing import Any, Final, final

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from models.errors import NetworkError
from models.networks.style_network_builder import StyleNetworkBuilder
from models.networks.style_network_options import StyleNetworkOptions

SIZE_MULTIPLE: Final = 4
"""Two stride-2 convolutions: sides inside the graph are multiples of 4."""

MINIMUM_SIZE: Final = 16
"""Smallest side in pixels: a quarter of it must still be wider than the reflection padding of the residual blocks."""

NORM_EPSILON: Final = 1e-5
"""Added to the variance; that of Ulyanov et al. (2016) and of most norms."""

Tensor = Any


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
    norms = _Norms(options, precision)
    builder = StyleNetworkBuilder(options, normalise=norms, seed=seed, precision=precision)
    photos = keras.Input((None, None, 3), name="photo")
    network = keras.Model(photos, builder.string_together(photos), name="style_network")
    # Restyling alone is not worth a compilation for each size of photo.
    network.jit_compile = False
    return network


@final
class _Norms:
    """Norms with a scale and a shift of their own, called `norm_0`, `norm_1` and so on."""

    def __init__(self, options: StyleNetworkOptions, precision: str) -> None:
        self._kind = options.norm
        self._precision = precision
        self._num_norms = 0

    def __call__(self, hidden: Tensor) -> Tensor:
        name = f"norm_{self._num_norms}"
        self._num_norms += 1
        if self._kind == "instance":
            return layers.GroupNormalization(groups=-1, epsilon=NORM_EPSILON, dtype=self._precision, name=name)(hidden)
        return layers.BatchNormalization(momentum=0.9, epsilon=NORM_EPSILON, dtype=self._precision, name=name)(hidden)


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
