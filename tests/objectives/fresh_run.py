"""Short training runs in a process of their own, and the small trainer that the tests share.

    python fresh_run.py OUT.npz [--without-tensorflow] STYLE_WEIGHT...

makes one run after another, one for each style weight, and writes what each of them ended with.
"""

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, final

import numpy as np
from numpy.typing import NDArray

CONTENT_LAYER = "relu2_1"
STYLE_LAYERS = ("relu1_1", "relu2_1")
SIZE = 32
BATCH_SIZE = 2
NUM_BATCHES = 6


@final
class RefuseTensorFlow:
    """An import hook for a machine without TensorFlow."""

    def find_spec(self, name: str, path: Any = None, target: Any = None) -> None:  # noqa: ARG002  importlib's signature
        if name.partition(".")[0] == "tensorflow":
            raise ModuleNotFoundError(f"{name} may not be imported here")


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


def build_trainer(*, precision: str = "float32", **options: Any) -> Any:
    """A `StyleTrainer` of a small network at two layers of the real VGG-19."""
    from models.loss_network import LossNetwork
    from models.style_network import StyleNetworkOptions, build_style_network
    from objectives.references import measure_references, style_targets
    from objectives.training import StyleTrainer

    loss_network = LossNetwork("vgg19", layers=STYLE_LAYERS)
    grams = style_targets(loss_network, draw_style(), layers=STYLE_LAYERS)
    references = measure_references(loss_network, draw_crops(), grams, content_layers=[CONTENT_LAYER])
    values = {"width": 4, "num_residual_blocks": 1, **options}
    network = build_style_network(StyleNetworkOptions(**values), seed=1, precision=precision)
    return StyleTrainer(network, loss_network, style_grams=grams, references=references, precision=precision)


def batches(start: int = 0, stop: int = NUM_BATCHES) -> Iterator[tuple[NDArray[np.float32], dict[str, Any]]]:
    """Batches of crops without cached content features."""
    crops = draw_crops()
    for number in range(start, stop):
        yield crops[number * BATCH_SIZE : (number + 1) * BATCH_SIZE], {}


def run(trainer: Any, style_weight: float) -> dict[str, NDArray[np.float32]]:
    """One run from the start: the mean losses, every number it ended with, and a restyled picture."""
    from models.style_network import stylise
    from objectives.loss_weights import LossWeights

    trainer.start(LossWeights.normalised(content=1.0, style=style_weight, total_variation=0.1))
    losses = trainer.train(batches())
    picture = stylise(trainer.network, draw_crops(1))
    return {
        "losses": np.array(list(losses.to_dict().values()), np.float32),
        "state": np.concatenate([value.ravel() for value in trainer.state()]).astype(np.float32),
        "picture": picture,
    }


def main(arguments: Sequence[str]) -> None:
    """Run as the module's docstring says."""
    output, *rest = arguments
    if "--without-tensorflow" in rest:
        rest.remove("--without-tensorflow")
        sys.meta_path.insert(0, RefuseTensorFlow())
    trainer = build_trainer()
    runs = [run(trainer, float(weight)) for weight in rest]
    arrays = {f"{name}_{number}": value for number, values in enumerate(runs) for name, value in values.items()}
    import keras

    np.savez(Path(output), num_traces=trainer.num_traces, backend=keras.backend.backend(), **arrays)
    if any(name.partition(".")[0] == "tensorflow" for name in sys.modules):
        sys.stdout.write("TensorFlow was loaded\n")


if __name__ == "__main__":
    main(sys.argv[1:])
