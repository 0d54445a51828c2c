"""What a scout costs: its training step against the plain network's, alternating in one run, and a sweep's settings.

    .venv/bin/python benchmarks/scout_cost.py --style painting.jpg --photos photos/

At the sizes of the preset `quick`, batches as its scout has them.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from tuner.installation.environment import load_networks

NUM_ROUNDS = 5
IMAGES = 96
"""Of each round and kind, after a first round that compiles."""
NUM_SETTINGS = 16
SWEPT = ((8, 96), (6, 128))
"""Photos and their side in pixels: that of the goal, and that of `quick`."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("style", "photos"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    arguments = parser.parse_args()
    load_networks()
    from tuner.configuration.loading import load_config
    from tuner.search.study_pictures import open_pictures

    given = {"style": str(arguments.style), "photos": [str(arguments.photos)]}
    config = load_config("quick", overrides=given)
    _print_steps(config, open_pictures(config))
    for count, side in SWEPT:
        held_out = {"data": {"held_out": {"rung": count, "size": side}}}
        config = load_config("quick", overrides={**given, **held_out})
        _print_sweep(config, open_pictures(config))


def _print_steps(config: object, pictures: object) -> None:
    from measures.sampled_values import SampledValues
    from tuner.scouting.scout_network import build_scout, scout_batches, training_config
    from tuner.search.resources import StudyResources

    config = training_config(config)
    plain = StudyResources(config, pictures, report=lambda _: None)
    scout = StudyResources(config, pictures, report=lambda _: None, build=build_scout)
    plain.start(SampledValues(style_to_content=1.0, tv_to_content=0.1))
    scout.start(None)
    speeds = {"plain network": [], "scout": []}
    for number in range(NUM_ROUNDS + 1):
        ends = number * IMAGES, (number + 1) * IMAGES
        for name, trainer, batches in (
            ("plain network", plain.trainer, plain.batches(*ends)),
            ("scout", scout.trainer, scout_batches(scout, *ends)),
        ):
            started = time.perf_counter()
            trainer.train(batches)
            if number:
                speeds[name].append(IMAGES / (time.perf_counter() - started))
    ratios = np.array(speeds["plain network"]) / np.array(speeds["scout"])
    for name, values in speeds.items():
        print(f"{name}: {np.median(values):.1f} images/s")
    print(
        f"time of a scout's step: {np.median(ratios):.3f} of the plain one's ({ratios.min():.3f} to {ratios.max():.3f})"
    )


def _print_sweep(config: object, pictures: object) -> None:
    from tuner.scouting.scout import Scout
    from tuner.scouting.scout_network import build_scout
    from tuner.scouting.sweeping import spread_positions, sweep
    from tuner.search.judged_set import judged_set

    network = build_scout(config, precision="float32")
    scout = Scout(name="new", network=network, config=config, pictures=pictures.identity(), images=0)
    judged = judged_set(config, pictures, pictures.split.rung)
    values = scout.space.at(spread_positions(NUM_SETTINGS))
    sweep(scout, values[:1], judged)
    started = time.perf_counter()
    sweep(scout, values, judged)
    seconds = (time.perf_counter() - started) / NUM_SETTINGS
    shape = f"{len(judged)} photos of {config.data.held_out.size} px"
    print(f"sweep: {seconds:.2f} s a setting on {shape}, {seconds * 1000 / 60:.1f} minutes for 1,000")


if __name__ == "__main__":
    main()
