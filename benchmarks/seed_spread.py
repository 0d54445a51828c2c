"""Are trials noise? Two weight settings, three seeds each: spread between settings against spread between seeds.

    .venv/bin/python benchmarks/seed_spread.py demo
    .venv/bin/python benchmarks/seed_spread.py quick --style painting.jpg --photos photos/

A seed changes initial weights, crops and their order; style image and held-out photos stay the same. Prints a table in
Markdown, as it stands in docs/noise.md.
"""

import argparse
import statistics
from pathlib import Path

from tuner.installation.environment import load_networks

SETTINGS = {"gentle": (1.0, 0.1, 0.01), "strong": (1.0, 3.0, 0.01)}
SEEDS = (0, 1, 2)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset")
    parser.add_argument("--style", type=Path)
    parser.add_argument("--photos", type=Path)
    arguments = parser.parse_args()
    load_networks()
    scores = {name: [] for name in SETTINGS}
    for seed in SEEDS:
        for name, quality in _score_settings(arguments, seed).items():
            scores[name].append(quality)
    _print_table(scores)


def _score_settings(arguments: argparse.Namespace, seed: int) -> dict[str, float]:
    from measures.loss_weights import LossWeights
    from measures.sampled_values import SampledValues
    from models.pictures.demo_pictures import write_demo_pictures
    from models.pretrained.files import cache_folder
    from tuner.configuration.loading import load_config
    from tuner.search.resources import StudyResources
    from tuner.search.study_pictures import open_pictures

    demo = write_demo_pictures(cache_folder() / "demo")
    overrides = {"style": str(arguments.style or demo.style), "photos": [str(arguments.photos or demo.photos)]}
    config = load_config(arguments.preset, overrides=overrides)
    pictures = open_pictures(config)
    resources = StudyResources(config.model_copy(update={"seed": seed}), pictures, report=lambda _: None)
    scores = {}
    for name, (content, style, variation) in SETTINGS.items():
        weights = LossWeights.normalised(content=content, style=style, total_variation=variation)
        resources.start(SampledValues.of_weights(weights))
        resources.trainer.train(resources.batches(0, config.rungs[-1]))
        scores[name] = resources.rung.judge.score(list(resources.paint())).quality
        print(f"seed {seed}, {name}: quality {scores[name]:.3f}", flush=True)
    return scores


def _print_table(scores: dict[str, list[float]]) -> None:
    print("\n| setting | content : style : tv | " + " | ".join(f"seed {seed}" for seed in SEEDS) + " | mean | spread |")
    print("|---|---|" + "---|" * (len(SEEDS) + 2))
    for name, values in scores.items():
        weights = " : ".join(f"{value:g}" for value in SETTINGS[name])
        cells = " | ".join(f"{value:.3f}" for value in values)
        print(f"| {name} | {weights} | {cells} | {statistics.mean(values):.3f} | {statistics.stdev(values):.3f} |")
    means = [statistics.mean(values) for values in scores.values()]
    within = statistics.mean(statistics.stdev(values) for values in scores.values())
    between = abs(means[0] - means[1])
    print(f"\nBetween settings {between:.3f}, between seeds {within:.3f}: ratio {between / within:.1f}.")


if __name__ == "__main__":
    main()
