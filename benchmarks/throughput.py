"""Images per second of the training step by crop size, batch and width, against the first row.

    .venv/bin/python benchmarks/throughput.py
    KERAS_BACKEND=jax .venv/bin/python benchmarks/throughput.py --precision mixed_bfloat16 --sizes 256 --batches 8 32

Cached content features, VGG-19 at the default layers. The first step (tracing) is not counted. Prints a Markdown table.
"""

import argparse
import time

from tuner.installation.environment import load_networks

SECONDS = 8.0


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sizes", type=int, nargs="+", default=[64, 96, 128])
    parser.add_argument("--batches", type=int, nargs="+", default=[2, 4])
    parser.add_argument("--widths", type=int, nargs="+", default=[16])
    parser.add_argument("--precision", default="float32")
    arguments = parser.parse_args()
    load_networks()
    import keras

    print(f"{keras.backend.backend()} on {', '.join(keras.distribution.list_devices())}\n")
    print("| crop | batch | width | images/s | ratio |\n|---|---|---|---|---|")
    first = None
    for size in arguments.sizes:
        for batch in arguments.batches:
            for width in arguments.widths:
                speed = measure(size=size, batch=batch, width=width, precision=arguments.precision)
                first = first or speed
                print(f"| {size} | {batch} | {width} | {speed:.1f} | {speed / first:.2f} |", flush=True)


def measure(*, size: int, batch: int, width: int, precision: str) -> float:
    import numpy as np

    from measures.sampled_values import SampledValues
    from models.networks.loss_network import LossNetwork
    from models.networks.style_network import build_style_network
    from models.networks.style_network_options import StyleNetworkOptions
    from objectives.training.references import measure_references, style_targets
    from objectives.training.trainer import StyleTrainer
    from tuner.configuration.training_sections import LossSection

    layers = LossSection()
    loss_network = LossNetwork(
        layers.network, layers=list(dict.fromkeys((*layers.content_layers, *layers.style_layers)))
    )
    generator = np.random.default_rng(0)
    photos = generator.random((batch, size, size, 3)).astype(np.float32)
    grams = style_targets(
        loss_network, generator.random((size, size, 3)).astype(np.float32), layers=layers.style_layers
    )
    references = measure_references(loss_network, photos, grams, content_layers=layers.content_layers)
    features = loss_network(photos)
    cached = {
        name: (np.asarray(features[name]) / references.content[name] ** 0.5).astype(np.float16)
        for name in layers.content_layers
    }
    network = build_style_network(StyleNetworkOptions(width=width), precision=precision)
    trainer = StyleTrainer(
        network,
        loss_network,
        content_layers=layers.content_layers,
        style_layers=layers.style_layers,
        precision=precision,
    )
    sampled = SampledValues(style_to_content=1.0, tv_to_content=0.01)
    trainer.start(sampled, style_targets=grams, references=references)
    trainer.train([(photos, cached)] * 2)
    num_steps, started = 0, time.perf_counter()
    while time.perf_counter() - started < SECONDS:
        trainer.train([(photos, cached)] * 2)
        num_steps += 2
    return num_steps * batch / (time.perf_counter() - started)


if __name__ == "__main__":
    main()
