"""Which way each term of a loss pulls the pixels of some outputs: its gradient, on whichever backend Keras has."""

from collections.abc import Mapping, Sequence
from typing import Any, final

import keras
import numpy as np
from keras import ops
from numpy.typing import NDArray

from models.networks.loss_network import LossNetwork
from objectives.training.losses import PIXELS, LossInputs, LossTerm

Tensor = Any
References = Mapping[str, Mapping[str, float]]
Gradients = dict[str, NDArray[np.float32]]
"""By term, (pictures, height, width, 3)."""


def pixel_gradients(
    loss_network: LossNetwork,
    terms: Sequence[LossTerm],
    references: References,
    *,
    outputs: NDArray[np.float32],
    photos: NDArray[np.float32],
    style_grams: Mapping[str, NDArray[np.float32]],
) -> Gradients:
    """Return the gradient of each term with respect to the pixels of each output, of its own loss alone.

    Args:
        loss_network: Gives the layers of the terms.
        terms: The terms.
        references: What each is divided by, by term and layer.
        outputs: (pictures, height, width, 3) in [0, 1].
        photos: What the outputs were made of, of the same shape.
        style_grams: Gram matrix of the style image by style layer.
    """
    model = _PixelModel(loss_network, terms, references, style_grams=style_grams, shape=(1, *outputs.shape[1:]))
    # The gradient takes the place of the pixels: Keras has no other word for it on all backends.
    model.compile(optimizer=_GradientInstead(), jit_compile=False)
    gradients = {term.name: np.empty_like(outputs) for term in terms}
    for index, (output, photo) in enumerate(zip(outputs, photos, strict=True)):
        for term in terms:
            gradients[term.name][index] = model.gradient(term.name, output, photo)
    return gradients


@final
class _GradientInstead(keras.optimizers.Optimizer):
    """Puts in the place of each variable the gradient by it."""

    def __init__(self) -> None:
        super().__init__(learning_rate=1.0, name="gradient_instead")

    def update_step(self, gradient: Tensor, variable: keras.Variable, learning_rate: Tensor) -> None:  # noqa: ARG002
        self.assign(variable, gradient)


class _PixelModel(keras.Model):
    """One output whose pixels are all that is trained, and the loss of one term at a time."""

    def __init__(
        self,
        loss_network: LossNetwork,
        terms: Sequence[LossTerm],
        references: References,
        *,
        style_grams: Mapping[str, NDArray[np.float32]],
        shape: tuple[int, ...],
    ) -> None:
        super().__init__(name="pixels", dtype="float32")
        self.loss_features = loss_network.model
        self.terms = tuple(terms)
        self.references = {name: dict(scales) for name, scales in references.items()}
        self.style_grams = dict(style_grams)
        self.pixels = self.add_weight(name="pixels", shape=shape, initializer="zeros")
        self.selected = self.add_weight(name="selected", shape=(len(terms),), initializer="zeros", trainable=False)
        self.built = True

    def gradient(self, term: str, output: NDArray[np.float32], photo: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return the gradient of one term, (height, width, 3)."""
        self.pixels.assign(output[None])
        self.selected.assign([float(other.name == term) for other in self.terms])
        self.train_on_batch(photo[None])
        gradient: NDArray[np.float32] = np.array(ops.convert_to_numpy(self.pixels.value)[0])
        return gradient

    def call(self, inputs: Tensor, training: bool | None = None) -> Tensor:  # noqa: ARG002
        return ops.convert_to_tensor(self.pixels)

    def compute_loss(
        self,
        x: Tensor = None,
        y: Tensor = None,  # noqa: ARG002
        y_pred: Tensor = None,
        sample_weight: Tensor = None,  # noqa: ARG002  Keras' signature
        training: bool = True,  # noqa: ARG002
    ) -> Tensor:
        features = self.loss_features(x)
        inputs = LossInputs(
            outputs={PIXELS: y_pred, **self.loss_features(y_pred)},
            photos={name: ops.stop_gradient(value) for name, value in features.items()},
            style_grams={name: ops.convert_to_tensor(gram) for name, gram in self.style_grams.items()},
        )
        losses = [term.per_image(inputs, self.references[term.name]) for term in self.terms]
        return ops.sum(ops.mean(ops.stack(losses, axis=-1), axis=0) * ops.convert_to_tensor(self.selected))
