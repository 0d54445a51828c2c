"""Do trials that start from a scout agree with the long runs? Folds a scout at the twelve settings and trains each on.

    .venv/bin/python benchmarks/scout_start.py --style styles/wave_hokusai.jpg --photos photos/

Prints the quality of each setting after 0, 160, 320 and 640 images of its own, and how it agrees with the end of the
style's long runs in fidelity.csv. Everything else is as in fidelity_scout.py and fidelity_runs.py.
"""

import argparse
from pathlib import Path

import numpy as np
from fidelity import read_truths
from fidelity_runs import SCALES, STYLE_TO_CONTENT, TV_TO_CONTENT, settings
from fidelity_scout import DEFAULTS
from scipy.stats import kendalltau

from tuner.installation.environment import load_networks

RUNGS = (160, 320, 640)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("style", "photos"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--images", type=int, default=2560, help="that the scout is trained on")
    arguments = parser.parse_args()
    load_networks()
    from tuner.configuration.loading import merge, validate_config
    from tuner.search.study_pictures import open_pictures

    given = {
        "style": str(arguments.style),
        "photos": [str(arguments.photos)],
        "search": {"style_to_content": STYLE_TO_CONTENT, "tv_to_content": TV_TO_CONTENT},
        "scout": {**DEFAULTS, "images": arguments.images},
    }
    config = validate_config(merge(SCALES["64"], given), source="scout_start")
    pictures = open_pictures(config)
    qualities = _train_on(config, pictures, _folded(config, pictures))
    truth = next((truth for truth in read_truths() if truth.style == arguments.style.stem), None)
    for rung, row in zip((0, *RUNGS), qualities, strict=True):
        print(rung, *(f"{quality:.3f}" for quality in row), _agreement(row, truth))


def _folded(config: object, pictures: object) -> list[list[np.ndarray]]:
    from measures.sampled_values import SampledValues
    from tuner.scouting.scout_network import build_scout, fold_scout, scout_batches, training_config
    from tuner.search.resources import StudyResources

    resources = StudyResources(training_config(config), pictures, report=lambda _: None, build=build_scout)
    resources.start(None)
    resources.trainer.train(scout_batches(resources, 0, resources.config.training.images))
    values = [SampledValues(style_to_content=style, tv_to_content=tv) for style, tv in settings()]
    with resources.trainer.averaged() as network:
        return [folded.get_weights() for folded in fold_scout(network, config, values)]


def _train_on(config: object, pictures: object, folded: list[list[np.ndarray]]) -> np.ndarray:
    from measures.sampled_values import SampledValues
    from tuner.search.resources import StudyResources

    resources = StudyResources(config, pictures, report=lambda _: None)
    columns = []
    for (style, tv), weights in zip(settings(), folded, strict=True):
        resources.start(SampledValues(style_to_content=style, tv_to_content=tv), weights=weights)
        painted = [resources.paint()]
        for start, stop in zip((0, *RUNGS), RUNGS, strict=False):
            painted.append(resources.train_and_paint(start, stop)[1])
        columns.append([resources.rung.judge.score(list(outputs)).quality for outputs in painted])
    return np.array(columns).T


def _agreement(qualities: np.ndarray, truth: object) -> str:
    if truth is None or len(truth.ratios) != len(qualities):
        return ""
    late = truth.quality[:, -1]
    error = np.sqrt(np.mean((qualities - late) ** 2))
    return f"tau-b {kendalltau(qualities, late).statistic:.2f}, root mean square {error:.3f}"


if __name__ == "__main__":
    main()
