"""The terms of the training objective, each relative to its reference: a weight of 1 means the same everywhere.

A term gives one number an image; the mean over the batch comes last, so that images of one batch can be weighted each
in its own way.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, final

from keras import ops

Tensor = Any

PIXELS: Final = "pixels"
"""The "layer" of a term that looks at the picture itself."""


def gram_matrix(features: Tensor) -> Tensor:
    """Return the Gram matrices of feature maps, divided by height x width x channels.

    Johnson et al. (2016), section 3.2, with their normalisation.

    Args:
        features: (batch, height, width, channels).

    Returns:
        (batch, channels, channels), symmetric.
    """
    channels = features.shape[-1]
    flat = ops.reshape(features, (ops.shape(features)[0], -1, channels))
    positions = ops.cast(ops.shape(flat)[1], flat.dtype)
    return ops.matmul(ops.transpose(flat, (0, 2, 1)), flat) / (positions * channels)


def mean_square(values: Tensor) -> Tensor:
    """Return the mean square of each image's values, (batch,), of any shape (batch, ...)."""
    return ops.mean(ops.square(values), axis=tuple(range(1, values.ndim)))


def total_variation(images: Tensor) -> Tensor:
    """Return the mean squared difference of neighbouring pixels, horizontal plus vertical, of each image.

    Means, not the sums of Johnson et al. (2016), so that the value does not depend on size or batch.

    Args:
        images: (batch, height, width, 3) in [0, 1].

    Returns:
        (batch,), in [0, 2]; 0 is a flat picture.
    """
    vertical, horizontal = neighbour_differences(images)
    return mean_square(vertical) + mean_square(horizontal)


def neighbour_differences(images: Tensor) -> tuple[Tensor, Tensor]:
    """Return what each pixel differs from the one above and from the one to the left, where there is one.

    Args:
        images: (batch, height, width, 3).

    Returns:
        (batch, height - 1, width, 3) and (batch, height, width - 1, 3).
    """
    return images[:, 1:] - images[:, :-1], images[:, :, 1:] - images[:, :, :-1]


@final
@dataclass(frozen=True, kw_only=True)
class LossInputs:
    """What the terms compare.

    Attributes:
        outputs: Features of the outputs by layer, (batch, height, width, channels); at `PIXELS` the outputs themselves.
        photos: Features of the photos by content layer, the same shapes.
        style_grams: Gram matrix of the style image by style layer, (channels, channels).
    """

    outputs: Mapping[str, Tensor]
    photos: Mapping[str, Tensor]
    style_grams: Mapping[str, Tensor]


@final
@dataclass(frozen=True, kw_only=True)
class LossTerm:
    """One term of the objective.

    Attributes:
        name: One of `measures.loss_weights.TERMS`.
        layers: Share of each layer in the term; they sum to 1.
        measure: Gives the term at one layer before it is divided by its reference, (batch,), from inputs and layer.
    """

    name: str
    layers: Mapping[str, float]
    measure: Callable[[LossInputs, str], Tensor]

    def per_image(self, inputs: LossInputs, references: Mapping[str, Tensor]) -> Tensor:
        """Return the mean over the layers, relative to their references.

        Args:
            inputs: A batch.
            references: Scale of the term by layer, shape ().

        Returns:
            (batch,), at least 0, lower is better.
        """
        parts = [self.measure(inputs, layer) / references[layer] * share for layer, share in self.layers.items()]
        return sum(parts[1:], parts[0])


def content_distance(inputs: LossInputs, layer: str) -> Tensor:
    """Return the mean squared distance of the outputs' features to those of the photos, (batch,).

    Johnson et al. (2016), section 3.2 (feature reconstruction loss). Differs from the paper: its reference is the mean
    squared distance between the features of unrelated photos, so that 1 means that nothing of the photo is left.
    """
    return mean_square(inputs.outputs[layer] - inputs.photos[layer])


def style_distance(inputs: LossInputs, layer: str) -> Tensor:
    """Return the mean squared distance of the outputs' Gram matrices to the style image's, (batch,).

    Johnson et al. (2016), section 3.2 (style reconstruction loss). Differs from the paper: the mean over matrix
    entries, not the sum; its reference is the distance between photos and style image, so that 1 is an unstyled photo.
    """
    return mean_square(gram_matrix(inputs.outputs[layer]) - ops.expand_dims(inputs.style_grams[layer], 0))


def variation(inputs: LossInputs, layer: str) -> Tensor:
    """Return the total variation of the outputs, (batch,); its reference is that of the photos."""
    return total_variation(inputs.outputs[layer])


def loss_terms(*, content_layers: Sequence[str], style_layers: Sequence[str]) -> tuple[LossTerm, ...]:
    """Return the terms in the order of `measures.loss_weights.TERMS`, the layers of each with equal shares."""
    return (
        LossTerm(name="content", layers=_equal_shares(content_layers), measure=content_distance),
        LossTerm(name="style", layers=_equal_shares(style_layers), measure=style_distance),
        LossTerm(name="total_variation", layers=_equal_shares([PIXELS]), measure=variation),
    )


def _equal_shares(layers: Sequence[str]) -> dict[str, float]:
    return dict.fromkeys(layers, 1.0 / len(layers))
