"""Loss references: what each loss measures on unrelated photos, once per study, so that weights become comparable."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final, final

import numpy as np
from keras import ops
from numpy.typing import NDArray

from measures.style_tilt import tilted_layers
from models.networks.loss_network import LossNetwork
from objectives.errors import TrainingError
from objectives.training.losses import PIXELS, gram_matrix, mean_square, neighbour_differences

BATCH_SIZE: Final = 8
"""Photos measured at once: bounds memory, changes nothing."""

SMALLEST_REFERENCE: Final = 1e-9
"""A reference below this fraction of the mean square of what is compared is no scale but rounding: float32 leaves up to
1e-14 between a picture and itself in batches of other sizes."""


@final
@dataclass(frozen=True, kw_only=True)
class LossReferences:
    """The scale of each loss on the study's photos and style image.

    Attributes:
        content: Mean squared feature distance between pairs of different photos, by content layer.
        style: Mean squared distance of Gram matrices between photos and the style image, by style layer; in a trainer's
            own loss what divides each layer in its place (`objectives.training.native_losses`).
        total_variation: Mean total variation of the photos.
    """

    content: dict[str, float]
    style: dict[str, float]
    total_variation: float

    def by_term(self) -> dict[str, dict[str, float]]:
        """Return the scale of each term by layer, as the terms of `loss_terms` read them."""
        return {**asdict(self), "total_variation": {PIXELS: self.total_variation}}

    def tilted(self, tilt: float) -> "LossReferences":
        """Return references by which the style layers weigh as a tilt has them; at 0 they are the same.

        A layer of twice the weight is divided by half its reference: the training step knows nothing of tilts.
        """
        weights = tilted_layers([*self.style], tilt)
        return replace(self, style={layer: scale / weights[layer] for layer, scale in self.style.items()})

    def to_dict(self) -> dict[str, Any]:
        """Return plain values, for a study's attributes and exported files."""
        return asdict(self)


def style_targets(
    loss_network: LossNetwork, style_image: NDArray[np.float32], *, layers: Sequence[str]
) -> dict[str, NDArray[np.float32]]:
    """Return the Gram matrix of the style image by layer, each (channels, channels).

    Args:
        loss_network: Gives the wanted layers.
        style_image: (height, width, 3) in [0, 1].
        layers: The style layers.
    """
    features = loss_network(style_image[None])
    return {name: ops.convert_to_numpy(gram_matrix(features[name]))[0] for name in layers}


def measure_references(
    loss_network: LossNetwork,
    photos: NDArray[np.float32],
    style_grams: dict[str, NDArray[np.float32]],
    *,
    content_layers: Sequence[str],
) -> LossReferences:
    """Measure the scale of each loss on a fixed set of photos.

    A photo is compared with the next one of the set for content, and with the style image for style.

    Args:
        loss_network: Gives the content layers and the layers of `style_grams`.
        photos: (photos, height, width, 3) in [0, 1], at least two, all of the training crop's size.
        style_grams: Gram matrix of the style image by style layer.
        content_layers: The content layers.

    Raises:
        TrainingError: Photos, or photos and style image, show no difference that could serve as a scale.
    """
    content: dict[str, list[float]] = {name: [] for name in content_layers}
    squares: dict[str, list[float]] = {name: [] for name in content_layers}
    style: dict[str, list[float]] = {name: [] for name in style_grams}
    partners = np.roll(photos, -1, axis=0)
    for start in range(0, len(photos), BATCH_SIZE):
        features = loss_network(photos[start : start + BATCH_SIZE])
        others = loss_network(partners[start : start + BATCH_SIZE])
        for name in content_layers:
            content[name].extend(_numbers(mean_square(features[name] - others[name])))
            squares[name].extend(_numbers(mean_square(features[name])))
        for name, target in style_grams.items():
            style[name].extend(_numbers(mean_square(gram_matrix(features[name]) - target[None])))
    return LossReferences(
        content={
            name: _scale(f"content loss at {name}", values, typical=float(np.mean(squares[name])))
            for name, values in content.items()
        },
        style={
            name: _scale(f"style loss at {name}", values, typical=float(np.mean(np.square(style_grams[name]))))
            for name, values in style.items()
        },
        total_variation=_scale("total variation", [_mean_variation(photos)], typical=1.0),
    )


def _mean_variation(photos: NDArray[np.float32]) -> float:
    """Total variation as one mean over all photos: training amplifies the last bit in which a mean of means differs."""
    vertical, horizontal = (ops.mean(ops.square(values)) for values in neighbour_differences(photos))
    return float(ops.convert_to_numpy(vertical + horizontal))


def _numbers(per_image: Any) -> list[float]:
    return [float(value) for value in ops.convert_to_numpy(per_image)]


def _scale(name: str, distances: list[float], *, typical: float) -> float:
    """Return the mean distance; `typical` is the mean square of what was compared."""
    scale = float(np.mean(distances))
    if not np.isfinite(scale) or scale <= SMALLEST_REFERENCE * typical:
        raise TrainingError(
            f"The reference of the {name} is {scale:.3g}: the photos do not differ from each other or from the "
            "style image. Use other photos or another style image."
        )
    return scale
