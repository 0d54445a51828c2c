"""A style network whose norms follow a condition: many networks in one, each of which can be taken out."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final, final

import keras
import numpy as np
from keras import layers, ops
from numpy.typing import NDArray

from models.errors import NetworkError
from models.networks.style_network import NORM_EPSILON, build_style_network
from models.networks.style_network_builder import StyleNetworkBuilder
from models.networks.style_network_options import StyleNetworkOptions

Tensor = Any

PHOTO: Final = "photo"
CONDITION: Final = "condition"
"""Names of the two inputs."""


@final
@dataclass(frozen=True, kw_only=True)
class ConditionOptions:
    """What a style network is conditioned on, and what reads it.

    Attributes:
        size: Numbers in a condition.
        hidden_units: Units of each hidden layer between the condition and the norms' scales and shifts.
    """

    size: int
    hidden_units: tuple[int, ...] = (64, 64)

    def __post_init__(self) -> None:
        for name, numbers in (("size", (self.size,)), ("hidden_units", self.hidden_units)):
            if not numbers or min(numbers) < 1:
                raise NetworkError(f"`{name}` must be at least 1. Received {getattr(self, name)}.")

    def to_dict(self) -> dict[str, Any]:
        """Return the options as plain values."""
        return asdict(self)


def build_conditioned_network(
    options: StyleNetworkOptions, condition: ConditionOptions, *, seed: int = 0, precision: str = "float32"
) -> keras.Model:
    """Build a style network whose instance norms take scale and shift from a small network of a condition.

    Conditional instance norm (Dumoulin, Shlens and Kudlur 2017, arXiv:1610.07629), its scales and shifts not stored
    for each condition but computed from it, as in "You Only Train Once" (Dosovitskiy and Djolonga, ICLR 2020), section
    3. Differs from the latter: the norms alone are conditioned, so that at a fixed condition it is a plain style
    network (`fold`); and its last layers begin with kernels of zero, so that each condition begins as the plain network
    of the same seed.

    Args:
        options: The architecture; `norm` must be "instance".
        condition: What it is conditioned on.
        seed: Seed of the initial weights.
        precision: Keras dtype policy of the hidden layers; variables, output and what reads the condition are float32.

    Returns:
        A functional Keras model of built-in layers only. Inputs by name: "photo", (batch, height, width, 3) float32 RGB
        in [0, 1] as for a plain style network, and "condition", (batch, size) float32. Output: as the photos.

    Raises:
        NetworkError: The norm is not "instance".
    """
    if options.norm != "instance":
        raise NetworkError(
            f"`norm` of a conditioned style network must be instance. Received {options.norm!r}. A batch norm mixes "
            "what different conditions make of their photos."
        )
    photos = keras.Input((None, None, 3), name=PHOTO)
    given = keras.Input((condition.size,), name=CONDITION)
    norms = _ConditionedNorms(_read_condition(given, condition, seed=seed), precision=precision)
    builder = StyleNetworkBuilder(options, normalise=norms, seed=seed, precision=precision)
    network = keras.Model(
        {PHOTO: photos, CONDITION: given}, builder.string_together(photos), name="conditioned_style_network"
    )
    network.jit_compile = False
    return network


def _read_condition(given: Tensor, condition: ConditionOptions, *, seed: int) -> Tensor:
    # A stream of its own: the convolutions draw from the seed itself, as in the plain network.
    seeds = np.random.default_rng([seed, 1])
    hidden = given
    for number, units in enumerate(condition.hidden_units):
        initializer = keras.initializers.GlorotUniform(seed=int(seeds.integers(2**31)))
        hidden = layers.Dense(
            units, activation="relu", kernel_initializer=initializer, dtype="float32", name=f"condition_{number}"
        )(hidden)
    return hidden


@final
class _ConditionedNorms:
    """Instance norms whose scale and shift are computed from a reading of the condition, (batch, units)."""

    def __init__(self, reading: Tensor, *, precision: str) -> None:
        self._reading = reading
        self._precision = precision
        self._num_norms = 0

    def __call__(self, hidden: Tensor) -> Tensor:
        name, channels = f"norm_{self._num_norms}", hidden.shape[-1]
        self._num_norms += 1
        normed = layers.GroupNormalization(
            groups=-1, epsilon=NORM_EPSILON, center=False, scale=False, dtype=self._precision, name=name
        )(hidden)
        scaled = layers.Multiply(dtype=self._precision)([normed, self._per_channel(f"{name}_scale", channels, "ones")])
        return layers.Add(dtype=self._precision)([scaled, self._per_channel(f"{name}_shift", channels, "zeros")])

    def _per_channel(self, name: str, channels: int, start: str) -> Tensor:
        """Return (batch, 1, 1, channels), at first the same for every condition."""
        values = layers.Dense(channels, kernel_initializer="zeros", bias_initializer=start, dtype="float32", name=name)(
            self._reading
        )
        return layers.Reshape((1, 1, channels), dtype="float32")(values)


def fold(
    network: keras.Model, options: StyleNetworkOptions, conditions: NDArray[np.float32] | Sequence[Sequence[float]]
) -> list[keras.Model]:
    """Take the plain style networks out of a conditioned one.

    Args:
        network: What `build_conditioned_network` built, trained or not.
        options: The architecture that it was built with.
        conditions: (conditions, size).

    Returns:
        For each condition a plain float32 style network, whose outputs are the conditioned network's at that condition
        but for rounding.
    """
    names = [layer.name for layer in network.layers if isinstance(layer, layers.GroupNormalization)]
    ends = [network.get_layer(f"{name}_{end}").output for name in names for end in ("scale", "shift")]
    reader = keras.Model(network.input[CONDITION], ends)
    read = [ops.convert_to_numpy(values) for values in reader(ops.convert_to_tensor(conditions, "float32"))]
    folded = []
    for row in range(len(conditions)):
        plain = build_style_network(options)
        for layer in network.layers:
            if layer.name.startswith("convolution_"):
                plain.get_layer(layer.name).set_weights(layer.get_weights())
        for number, name in enumerate(names):
            plain.get_layer(name).set_weights([read[2 * number][row], read[2 * number + 1][row]])
        folded.append(plain)
    return folded
