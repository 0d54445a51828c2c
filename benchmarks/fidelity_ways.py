"""Do short runs that begin otherwise foretell the long runs better? Scores them at their rungs, into fidelity.csv.

    .venv/bin/python benchmarks/fidelity_ways.py --styles styles/ --photos photos/ --only wave_hokusai

The twelve settings of fidelity_runs.py, each a short run of 640 images at 64 px with the long runs' crops, in every
way of these:

    warmup    the learning rate rises to its value over the first half of the run
    slow      half the learning rate
    clip      gradients clipped to a norm of 1
    starter   from one network, trained for as many images at weights 1, 1, .1 from noise, which all settings share
    scouted   from what a scout of four times as many has for the setting, as with `study run --scout`

With `--scale 96` they are short runs of 1,200 images at 96 px, the size of the preset `quick`; `--settings` names some
of the twelve. A run that is in the table is not done again.
"""

import argparse
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from unittest.mock import patch

import numpy as np
from fidelity_runs import (
    KEY,
    LOSSES,
    PARTS,
    RUNGS,
    SCALES,
    SHORT_RUNS,
    STYLE_TO_CONTENT,
    TV_TO_CONTENT,
    read_table,
    settings,
)
from fidelity_runs import append as append_rows
from fidelity_scout import DEFAULTS

from tuner.installation.environment import load_networks

WAYS = ("warmup", "slow", "clip", "starter", "scouted")


Weights = Sequence[np.ndarray]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("styles", "photos"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--only", nargs="+", metavar="STYLE", required=True, help="styles by their files' stems")
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--scale", choices=SCALES, default="64", help="side of the crops in pixels")
    parser.add_argument("--settings", nargs="+", type=int, metavar="N", help="settings by number; all by default")
    arguments = parser.parse_args()
    load_networks()
    from measures.versions import JUDGE_VERSION

    for style in arguments.only:
        for way in arguments.ways:
            known = {tuple(row[name] for name in KEY) for row in read_table()}
            numbers = arguments.settings or range(len(settings()))
            keys = {number: (JUDGE_VERSION, arguments.scale, style, way, str(number), "0") for number in numbers}
            missing = {number: key for number, key in keys.items() if key not in known}
            if missing:
                path = next(path for path in arguments.styles.iterdir() if path.stem == style)
                _run(way, path, arguments.photos, missing, scale=arguments.scale)


def _run(way: str, style: object, photos: object, keys: dict[int, tuple[str, ...]], *, scale: str) -> None:
    from measures.sampled_values import SampledValues
    from tuner.configuration.loading import merge, validate_config
    from tuner.search.resources import StudyResources
    from tuner.search.study_pictures import open_pictures

    short_run = SHORT_RUNS[scale]
    given = {
        "style": str(style),
        "photos": [str(photos)],
        "seed": 0,
        "search": {"style_to_content": STYLE_TO_CONTENT, "tv_to_content": TV_TO_CONTENT},
        "scout": {**DEFAULTS, "images": 4 * short_run},
    }
    config = validate_config(merge(SCALES[scale], given), source="fidelity_ways")
    if way == "slow":
        training = config.training.model_copy(update={"learning_rate": config.training.learning_rate / 2})
        config = config.model_copy(update={"training": training})
    pictures = open_pictures(config)
    with _optimizer(way, num_steps=short_run // config.training.batch_size):
        resources = StudyResources(config, pictures, report=lambda _: None)
    begin = _beginning(way, config, pictures, resources, short_run=short_run)
    for number, key in keys.items():
        style_to_content, tv_to_content = settings()[number]
        sampled = SampledValues(style_to_content=style_to_content, tv_to_content=tv_to_content)
        resources.start(sampled, weights=begin(sampled))
        seen, rows = 0, []
        for rung in (rung for rung in RUNGS[scale] if rung <= short_run):
            losses, outputs = resources.train_and_paint(seen, rung)
            seen = rung
            scored = resources.rung.judge.score(list(outputs))
            values = {
                **dict(zip(KEY, key, strict=True)),
                "style_to_content": f"{style_to_content:.5g}",
                "tv_to_content": f"{tv_to_content:.5g}",
                "images_seen": str(rung),
                **{part: f"{getattr(scored, part):.5f}" for part in PARTS},
                **{f"{name}_loss": f"{losses[name]:.5g}" for name in LOSSES},
                "photo_qualities": " ".join(f"{photo.quality:.4f}" for photo in scored.photos),
            }
            rows.append(values)
        append_rows(rows)
        print(key[2], way, number, *(row["quality"] for row in rows), flush=True)


@contextmanager
def _optimizer(way: str, *, num_steps: int) -> Iterator[None]:
    """Have trainers built with another optimiser, where the way is one."""
    from objectives.training import trainer
    from objectives.training.averaging_optimizer import AveragingAdam

    if way not in ("warmup", "clip"):
        yield
        return
    import keras

    def build(learning_rate: float) -> AveragingAdam:
        if way == "clip":
            return AveragingAdam(learning_rate, global_clipnorm=1.0)
        # Keras' own schedule that warms up; it never begins to decay.
        schedule = keras.optimizers.schedules.CosineDecay(
            learning_rate / 50, 10**9, warmup_target=learning_rate, warmup_steps=num_steps // 2
        )
        return AveragingAdam(schedule)

    with patch.object(trainer, "AveragingAdam", build):
        yield


def _beginning(
    way: str, config: object, pictures: object, resources: object, *, short_run: int
) -> Callable[[object], Weights | None]:
    """Return what gives the weights that a run of some values begins with; None for noise."""
    from tuner.scouting.scout_network import build_scout, fold_scout, scout_batches, training_config
    from tuner.search.resources import StudyResources
    from tuner.starting.starter_training import STARTER_VALUES

    if way == "starter":
        resources.start(STARTER_VALUES)
        resources.trainer.train(resources.batches(0, short_run))
        with resources.trainer.averaged() as network:
            shared = network.get_weights()
        return lambda _: shared
    if way == "scouted":
        scouting = StudyResources(training_config(config), pictures, report=lambda _: None, build=build_scout)
        scouting.start(None)
        scouting.trainer.train(scout_batches(scouting, 0, config.scout.images))
        with scouting.trainer.averaged() as averaged:
            network = build_scout(config, precision="float32")
            network.set_weights(averaged.get_weights())
        return lambda sampled: fold_scout(network, config, [sampled])[0].get_weights()
    return lambda _: None


if __name__ == "__main__":
    main()
