"""What share of a trial goes into painting and scoring its held-out photos. One whole trial, nothing estimated.

    .venv/bin/python benchmarks/scoring_cost.py demo
    .venv/bin/python benchmarks/scoring_cost.py quick --style painting.jpg --photos photos/

Prints a row in Markdown, as it stands in docs/quality.md.
"""

import argparse
import itertools
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tuner.installation.environment import load_networks


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset")
    parser.add_argument("--style", type=Path)
    parser.add_argument("--photos", type=Path)
    arguments = parser.parse_args()
    load_networks()
    seconds = _run_trial(arguments)
    total = sum(seconds.values())
    print("| preset | " + " | ".join(f"{name}, s" for name in seconds) + " | painting and scoring |")
    print("|---|" + "---|" * (len(seconds) + 1))
    cells = " | ".join(f"{value:.1f}" for value in seconds.values())
    print(f"| {arguments.preset} | {cells} | {1 - seconds['training'] / total:.1%} |")


def _run_trial(arguments: argparse.Namespace) -> dict[str, float]:
    from measures.sampled_values import SampledValues
    from models.pictures.demo_pictures import write_demo_pictures
    from models.pretrained.files import cache_folder
    from tuner.configuration.loading import load_config
    from tuner.search.resources import StudyResources
    from tuner.search.study_pictures import open_pictures

    demo = write_demo_pictures(cache_folder() / "demo")
    overrides = {"style": str(arguments.style or demo.style), "photos": [str(arguments.photos or demo.photos)]}
    config = load_config(arguments.preset, overrides=overrides)
    resources = StudyResources(config, open_pictures(config), report=lambda _: None)
    sampled = SampledValues(style_to_content=1.0, tv_to_content=0.01)
    rungs = (0, *config.rungs)
    resources.start(sampled)
    resources.trainer.train(resources.batches(0, config.training.batch_size))  # compiles, once a study
    resources.rung.judge.score(list(resources.paint()))
    calibration = resources.calibration.photos
    if len(calibration):
        resources.calibration.judge.score(list(resources.paint(calibration)))
    resources.start(sampled)
    seconds = {"training": 0.0, "painting": 0.0, "scoring": 0.0}
    for start, stop in itertools.pairwise(rungs):
        with _timed(seconds, "training"):
            resources.trainer.train(resources.batches(start, stop))
        with _timed(seconds, "painting"):
            outputs = resources.paint()
        with _timed(seconds, "scoring"):
            resources.rung.judge.score(list(outputs))
    if len(calibration):
        with _timed(seconds, "painting"):
            outputs = resources.paint(calibration)
        with _timed(seconds, "scoring"):
            resources.calibration.judge.score(list(outputs))
    return seconds


@contextmanager
def _timed(seconds: dict[str, float], name: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    seconds[name] += time.perf_counter() - started


if __name__ == "__main__":
    main()
