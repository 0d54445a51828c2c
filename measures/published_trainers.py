"""The trainers that people use, and their conventions: plain numbers, each read in that trainer's published source.

docs/trainers.md has the same as a table. Means over pictures and positions are what all of them take unless a field
says otherwise; all sum over their style layers.
"""

import enum
import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final, final

from measures.errors import TrainerError
from measures.loss_weights import TERMS
from measures.native_weights import NativeWeights

_BYTE_RANGE: Final = (255.0,) * 3
_UNIT_RANGE: Final = (1.0,) * 3

# torchvision.transforms._presets.ImageClassification: pictures in [0, 1] divided by the deviation of ImageNet.
_IMAGENET_RANGE: Final = (1 / 0.229, 1 / 0.224, 1 / 0.225)

_FOUR_ENDS: Final = ("relu1_2", "relu2_2", "relu3_3", "relu4_3")


class GramScale(enum.StrEnum):
    """What a Gram matrix is divided by."""

    POSITIONS_AND_CHANNELS = "height x width x channels"
    POSITIONS = "height x width"


class VariationForm(enum.StrEnum):
    """What a total-variation loss is of the differences between neighbouring pixels."""

    NONE = "none"
    MEAN_OF_SQUARES = "mean of squares, horizontal plus vertical"
    SUM_OF_SQUARES = "sum of squares over pixels and batch"
    SUM_OF_ABSOLUTES = "sum of absolute values over pixels, mean over the batch"


@final
@dataclass(frozen=True, kw_only=True)
class PublishedTrainer:
    """One trainer's conventions.

    Attributes:
        name: What it is called here.
        repository: Where it is published.
        own_network: Its loss network, in words.
        loss_network: The one of ours that gives its features, one of `models.networks.loss_network.LOSS_NETWORKS`.
        stand_in: Why that one only stands in for its own; empty where both are the same.
        content_layer: Of the content loss.
        style_layers: Of the style loss.
        style_share: Factor of each style layer: 1 where layers are summed, one over their number where it is the mean.
        gram_scale: What its Gram matrices are divided by.
        variation: Form of its total variation.
        variation_factor: What it multiplies that by, besides the weight.
        pixel_range: What 1 of our pixels is in the pixels that the total variation is taken of, (red, green, blue).
        published: Its default weights.
        weight_options: How its command line is given each weight, by term; a term without is none of its.
        layers_option: How its command line is given a weight of each style layer, by the layer's name; empty where it
            weighs them itself.
        style_size_option: How it is told the side of the style image in pixels; empty where it takes it as it is.
        command: Its training command without weights and style size; what is in capitals is the user's own.
        crop_size: Side of its training crops in pixels.
        batch_size: Its pictures in a batch.
        sources: The published file, at a commit, that each fact was read in.
    """

    name: str
    repository: str
    own_network: str
    loss_network: str
    stand_in: str = ""
    content_layer: str
    style_layers: tuple[str, ...]
    style_share: float = 1.0
    gram_scale: GramScale = GramScale.POSITIONS_AND_CHANNELS
    variation: VariationForm
    variation_factor: float = 1.0
    pixel_range: tuple[float, float, float]
    published: NativeWeights
    weight_options: Mapping[str, str]
    layers_option: str = ""
    style_size_option: str = ""
    command: str
    crop_size: int = 256
    batch_size: int = 4
    sources: Mapping[str, str]

    @property
    def has_variation(self) -> bool:
        """Whether it has a total-variation loss at all."""
        return self.variation is not VariationForm.NONE


_LENGSTROM: Final = PublishedTrainer(
    name="lengstrom",
    repository="lengstrom/fast-style-transfer",
    own_network="VGG-19 of MatConvNet, pixels 0 to 255 minus the mean colour",
    loss_network="vgg19",
    content_layer="relu4_2",
    style_layers=("relu1_1", "relu2_1", "relu3_1", "relu4_1", "relu5_1"),
    variation=VariationForm.MEAN_OF_SQUARES,
    pixel_range=_BYTE_RANGE,
    published=NativeWeights(content=7.5, style=100.0, total_variation=200.0),
    weight_options=MappingProxyType(
        {
            "content": "--content-weight {weight}",
            "style": "--style-weight {weight}",
            "total_variation": "--tv-weight {weight}",
        }
    ),
    command="python style.py --style {style} --train-path PHOTOS --checkpoint-dir CHECKPOINTS",
    sources=MappingProxyType(
        {
            "layers, Gram matrices, means, crop size": "src/optimize.py at 48289b1",
            "loss network": "src/vgg.py at 710047e",
            "range of the pixels": "src/transform.py at 1424228",
            "weights, options, batch size": "style.py at 021750b",
        }
    ),
)

_JCJOHNSON: Final = PublishedTrainer(
    name="jcjohnson",
    repository="jcjohnson/fast-neural-style",
    own_network="VGG-16 of Caffe, pixels 0 to 255 minus the mean colour",
    loss_network="vgg19",
    stand_in="its loss network, Caffe's VGG-16, is not here; VGG-19 of the same authors stands in",
    content_layer="relu3_3",
    style_layers=_FOUR_ENDS,
    variation=VariationForm.SUM_OF_SQUARES,
    # Only the gradient is coded, and it is that of half the squares.
    variation_factor=0.5,
    pixel_range=_BYTE_RANGE,
    published=NativeWeights(content=1.0, style=5.0, total_variation=1e-6),
    weight_options=MappingProxyType(
        {
            "content": "-content_weights {weight}",
            "style": "-style_weights {weight}",
            "total_variation": "-tv_strength {weight}",
        }
    ),
    layers_option="-style_weights {relu1_2},{relu2_2},{relu3_3},{relu4_3}",
    style_size_option="-style_image_size {size}",
    command="th train.lua -h5_file PHOTOS.h5 -style_image {style}",
    sources=MappingProxyType(
        {
            "weights, layers by number, options, batch size": "train.lua at 69523d4",
            "a weight for each style layer": "fast_neural_style/utils.lua at 2317ce3",
            "means": "fast_neural_style/ContentLoss.lua and StyleLoss.lua at 2cdacb2",
            "Gram matrices": "fast_neural_style/GramMatrix.lua at 2cdacb2",
            "total variation": "fast_neural_style/TotalVariation.lua at 2cdacb2",
            "range of the pixels": "fast_neural_style/preprocess.lua and models.lua at 2cdacb2",
        }
    ),
)

_PYTORCH_EXAMPLES: Final = PublishedTrainer(
    name="pytorch-examples",
    repository="pytorch/examples, fast_neural_style",
    own_network="VGG-16 of torchvision, pixels 0 to 1 minus mean, divided by deviation",
    loss_network="vgg16",
    content_layer="relu2_2",
    style_layers=_FOUR_ENDS,
    variation=VariationForm.NONE,
    pixel_range=_BYTE_RANGE,
    published=NativeWeights(content=1e5, style=1e10, total_variation=0.0),
    weight_options=MappingProxyType({"content": "--content-weight {weight}", "style": "--style-weight {weight}"}),
    style_size_option="--style-size {size}",
    command="python neural_style/neural_style.py train --dataset PHOTOS --style-image {style} "
    "--save-model-dir MODELS --cuda 1",
    sources=MappingProxyType(
        {
            "weights, content layer, means, options, sizes": "neural_style/neural_style.py at bec1ed0",
            "style layers, loss network": "neural_style/vgg.py at 24bfb3c",
            "Gram matrices, range of the pixels": "neural_style/utils.py at 2b456e8",
        }
    ),
)

_GORDICALEKSA: Final = PublishedTrainer(
    name="gordicaleksa",
    repository="gordicaleksa/pytorch-neural-style-transfer-johnson",
    own_network="VGG-16 of torchvision, pixels 0 to 1 minus mean, divided by deviation",
    loss_network="vgg16",
    content_layer="relu2_2",
    style_layers=_FOUR_ENDS,
    style_share=1 / len(_FOUR_ENDS),
    variation=VariationForm.SUM_OF_ABSOLUTES,
    pixel_range=_IMAGENET_RANGE,
    published=NativeWeights(content=1.0, style=4e5, total_variation=0.0),
    weight_options=MappingProxyType(
        {
            "content": "--content_weight {weight}",
            "style": "--style_weight {weight}",
            "total_variation": "--tv_weight {weight}",
        }
    ),
    command="python training_script.py --style_img_name {style_name}",
    sources=MappingProxyType(
        {
            "weights, content layer, means, options, sizes": "training_script.py at 0d80b83",
            "style layers, loss network": "models/definitions/perceptual_loss_net.py at d87f2a8",
            "Gram matrices, total variation, range of the pixels": "utils/utils.py at 06911b1",
        }
    ),
)

_MAGENTA: Final = PublishedTrainer(
    name="magenta",
    repository="magenta/magenta, arbitrary_image_stylization",
    own_network="VGG-16 of Caffe with average pooling, pixels 0 to 255 minus the mean colour",
    loss_network="vgg19",
    stand_in="its loss network, Caffe's VGG-16 with average pooling, is not here; VGG-19 of the same authors stands in",
    content_layer="relu3_3",
    style_layers=_FOUR_ENDS,
    gram_scale=GramScale.POSITIONS,
    variation=VariationForm.MEAN_OF_SQUARES,
    # TensorFlow's l2_loss is half the sum of squares.
    variation_factor=0.5,
    pixel_range=_UNIT_RANGE,
    published=NativeWeights(content=1.0, style=5e-4, total_variation=1e4),
    weight_options=MappingProxyType(
        {
            "content": "--content_weights='{{\"vgg_16/conv3\": {weight}}}'",
            "style": '--style_weights=\'{{"vgg_16/conv1": {weight}, "vgg_16/conv2": {weight}, '
            '"vgg_16/conv3": {weight}, "vgg_16/conv4": {weight}}}\'',
            "total_variation": "--total_variation_weight={weight}",
        }
    ),
    layers_option='--style_weights=\'{{"vgg_16/conv1": {relu1_2}, "vgg_16/conv2": {relu2_2}, '
    '"vgg_16/conv3": {relu3_3}, "vgg_16/conv4": {relu4_3}}}\'',
    command="arbitrary_image_stylization_train --style_dataset_file=STYLES.tfrecord --imagenet_data_dir=PHOTOS "
    "--vgg_checkpoint=VGG --inception_v3_checkpoint=INCEPTION --train_dir=MODELS",
    batch_size=8,
    sources=MappingProxyType(
        {
            "weights, options, sizes": "arbitrary_image_stylization_train.py at 01b59d3",
            "means": "arbitrary_image_stylization_losses.py at 015636e",
            "Gram matrices, total variation": "image_stylization/learning.py at 01b59d3",
            "layers, pooling, range of the pixels": "image_stylization/vgg.py at 14aba70",
        }
    ),
)

TRAINERS: Final[Mapping[str, PublishedTrainer]] = MappingProxyType(
    {trainer.name: trainer for trainer in (_LENGSTROM, _JCJOHNSON, _PYTORCH_EXAMPLES, _GORDICALEKSA, _MAGENTA)}
)
"""The trainers by name."""


def have_same_defaults(one: PublishedTrainer, other: PublishedTrainer) -> bool:
    """Return whether the published weights of two trainers are one loss up to a constant: none on total variation."""
    looks = [
        (trainer.loss_network, trainer.content_layer, trainer.style_layers, trainer.gram_scale)
        for trainer in (one, other)
    ]
    ratios = [trainer.published.style * trainer.style_share / trainer.published.content for trainer in (one, other)]
    without_variation = not one.published.total_variation and not other.published.total_variation
    return looks[0] == looks[1] and without_variation and math.isclose(*ratios)


def check_weights(trainer: PublishedTrainer, weights: NativeWeights) -> None:
    """Refuse weights of a term that a trainer has not.

    Raises:
        TrainerError: A total-variation weight is given, and the trainer has no such loss.
    """
    if weights.total_variation and not trainer.has_variation:
        raise TrainerError(
            f"{trainer.name} has no total-variation loss. Received a weight of {weights.total_variation:g} for it. "
            "Give 0 there."
        )


def trainer_terms(trainer: PublishedTrainer) -> tuple[str, ...]:
    """Return the terms that a trainer's loss has, in the order of `TERMS`."""
    return tuple(term for term in TERMS if term in trainer.weight_options)
