"""Short training runs in a process of their own, and the small trainer that the tests share.

    python fresh_run.py OUT.npz STYLE_WEIGHT...

makes one run after another, one for each style weight, and writes what each of them ended with.
"""

import functools
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, TypedDict

import keras
import numpy as np
from numpy.typing import NDArray

from measures.sampled_values import SampledValues
from models.networks.loss_network import LossNetwork
from models.networks.style_network import build_style_network, stylise
from models.networks.style_network_options import StyleNetworkOptions
from objectives.training.references import LossReferences, measure_references, style_targets
from objectives.training.trainer import Batch, StyleTrainer

CONTENT_LAYER = "relu2_1"
STYLE_LAYERS = ("relu1_1", "relu2_1")
SIZE = 32
BATCH_SIZE = 2
NUM_BATCHES = 6


class Objective(TypedDict):
    """What a run is started with besides its sampled values."""

    style_targets: dict[str, NDArray[np.float32]]
    references: LossReferences


def draw_crops(num: int = BATCH_SIZE * NUM_BATCHES) -> NDArray[np.float32]:
    """Coloured blocks with some noise, (num, 32, 32, 3)."""
    generator = np.random.default_rng(5)
    blocks = generator.random((num, 4, 4, 3)).repeat(SIZE // 4, axis=1).repeat(SIZE // 4, axis=2)
    noise = generator.normal(scale=0.05, size=blocks.shape)
    return np.clip(blocks + noise, 0, 1).astype(np.float32)


def draw_style() -> NDArray[np.float32]:
    """Diagonal stripes in two colours, (32, 32, 3)."""
    wave = 0.5 + 0.5 * np.sin(np.indices((SIZE, SIZE)).sum(axis=0) * 1.3)[..., None]
    return (wave * (0.9, 0.7, 0.1) + (1 - wave) * (0.1, 0.2, 0.6)).astype(np.float32)


def build_trainer(*, precision: str = "float32", **options: Any) -> StyleTrainer:
    """A trainer of a small network at two layers of the real VGG-19."""
    loss_network = LossNetwork("vgg19", layers=STYLE_LAYERS)
    values = {"width": 4, "num_residual_blocks": 1, **options}
    network = build_style_network(StyleNetworkOptions(**values), seed=1, precision=precision)
    return StyleTrainer(
        network, loss_network, content_layers=[CONTENT_LAYER], style_layers=STYLE_LAYERS, precision=precision
    )


@functools.cache
def objective() -> Objective:
    """What the runs minimise: the stripes' Gram matrices, and the references of stripes and crops."""
    loss_network = LossNetwork("vgg19", layers=STYLE_LAYERS)
    targets = style_targets(loss_network, draw_style(), layers=STYLE_LAYERS)
    references = measure_references(loss_network, draw_crops(), targets, content_layers=[CONTENT_LAYER])
    return {"style_targets": targets, "references": references}


def batches(start: int = 0, stop: int = NUM_BATCHES) -> Iterator[Batch]:
    """Batches of crops without cached content features."""
    crops = draw_crops()
    for number in range(start, stop):
        yield crops[number * BATCH_SIZE : (number + 1) * BATCH_SIZE], {}


def run(trainer: StyleTrainer, style_weight: float) -> dict[str, NDArray[np.float32]]:
    """One run from the start: the mean losses, every number it ended with, and a picture that it painted."""
    trainer.start(SampledValues(style_to_content=style_weight, tv_to_content=0.1), **objective())
    losses = trainer.train(batches())
    with trainer.averaged() as network:
        picture = stylise(network, draw_crops(1))
    return {
        "losses": np.array(list(losses.values()), np.float32),
        "state": np.concatenate([value.ravel() for value in trainer.state()]).astype(np.float32),
        "picture": picture,
    }


def main(arguments: Sequence[str]) -> None:
    """Run as the module's docstring says."""
    output, *weights = arguments
    trainer = build_trainer()
    runs = [run(trainer, float(weight)) for weight in weights]
    arrays = {f"{name}_{number}": value for number, values in enumerate(runs) for name, value in values.items()}
    np.savez(Path(output), num_traces=trainer.num_traces, backend=keras.backend.backend(), **arrays)


if __name__ == "__main__":
    main(sys.argv[1:])
