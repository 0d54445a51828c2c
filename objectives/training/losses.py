"""The three terms of the training objective, each divided by its reference: a weight of 1 means the same everywhere."""

from collections.abc import Mapping
from typing import Any

from keras import ops

Tensor = Any


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


def content_loss(
    features: Mapping[str, Tensor], targets: Mapping[str, Tensor], reference: Mapping[str, Tensor]
) -> Tensor:
    """Return the mean squared distance of features to those of the photos, relative to the reference.

    Johnson et al. (2016), section 3.2 (feature reconstruction loss). Differs from the paper: divided by the mean
    squared distance between the features of unrelated photos, so 1 means that nothing of the photo is left.

    Args:
        features: Features of the outputs by layer, (batch, height, width, channels).
        targets: Features of the photos for the wanted content layers, same shapes.
        reference: Mean squared distance between unrelated photos by layer, shape ().

    Returns:
        Shape (), at least 0; 0 is a perfect match. The mean over layers.
    """
    return _mean([ops.mean(ops.square(features[name] - targets[name])) / reference[name] for name in targets])


def style_loss(
    features: Mapping[str, Tensor], targets: Mapping[str, Tensor], reference: Mapping[str, Tensor]
) -> Tensor:
    """Return the mean squared distance of Gram matrices to the style image's, relative to the reference.

    Johnson et al. (2016), section 3.2 (style reconstruction loss). Differs from the paper: the mean over matrix
    entries, not the sum, divided per layer by the distance between photos and style image, so 1 is an unstyled photo.

    Args:
        features: Features of the outputs by layer, (batch, height, width, channels).
        targets: Gram matrix of the style image for the wanted style layers, (channels, channels).
        reference: Mean squared Gram distance between photos and style image by layer, shape ().

    Returns:
        Shape (), at least 0; 0 is a perfect match. The mean over layers.
    """
    return _mean(
        [
            ops.mean(ops.square(gram_matrix(features[name]) - ops.expand_dims(targets[name], 0))) / reference[name]
            for name in targets
        ]
    )


def total_variation(images: Tensor) -> Tensor:
    """Return the mean squared difference of neighbouring pixels, horizontal plus vertical.

    Means, not the sums of Johnson et al. (2016), so that the value does not depend on size or batch.

    Args:
        images: (batch, height, width, 3) in [0, 1].

    Returns:
        Shape (), in [0, 2]; 0 is a flat picture.
    """
    vertical = ops.mean(ops.square(images[:, 1:] - images[:, :-1]))
    horizontal = ops.mean(ops.square(images[:, :, 1:] - images[:, :, :-1]))
    return vertical + horizontal


def _mean(terms: list[Tensor]) -> Tensor:
    return sum(terms[1:], terms[0]) / len(terms)
