"""Trains the networks whose outputs `benchmarks/quality.py` scores; each run is kept, and done once.

    .venv/bin/python benchmarks/quality_runs.py --styles styles/ --photos photos/ --folder quality_runs/

Four kinds of runs, in this order: `sweep` (two styles, seven style weights, and one run of each other style), `sizes`
(four styles, one of the sweep's settings again with the style image smaller and larger), `curves` (two styles, 16
settings each, rungs from 1/8 of a short run to 4 times its length) and `seeds` (four of the settings again with three
other seeds); `--kinds` chooses some of them. A run that is in the folder already is skipped, so an interrupted command
goes on.
What a judge says of the outputs is not decided here: they are kept as they were painted, without loss; `rung80` with
the averaged weights, as studies paint, `trained80` with the weights as trained.
"""

import argparse
import itertools
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from tuner.installation.environment import load_networks

KINDS = ("sweep", "sizes", "curves", "seeds")

SHORT_RUN = 640
"""Images of a short run of the curves: 320 steps of 2."""

CURVE_RUNGS = (80, 160, 320, 640, 1280, 2560)
"""1/8, 1/4, 1/2 and all of the short run; 1/2 and all of one 4 times as long. The learning rate is constant."""

SWEEP_RATIOS = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0)
SWEEP_VARIATION = 0.02
IDENTIFICATION_RATIO = 3.0

SWEEP_STYLES = ("starry_night", "composition_vii")
CURVE_STYLES = ("woman_with_hat", "vg_wheat_field")
SIZED_STYLES = ("starry_night", "composition_vii", "woman_with_hat", "vg_wheat_field")
OTHER_STYLES = ("sunday_seurat", "edtaonisl", "tahiti_gauguin", "sunflower", "woman_with_hat", "vg_wheat_field")

STYLE_SIZES = (96, 384)
"""Pixels of the style image's shorter side in the runs of kind `sizes`; the sweep's own, between them, is the third."""

SEED_SETTINGS = (1, 5, 9, 13)
"""Numbers of the curves' settings that are run again; every fourth, chosen before any was seen."""
EXTRA_SEEDS = (1, 2, 3)

SIZES = {
    "sweep": {
        "network": {"width": 16},
        "data": {"crop_size": 96, "num_crops": 1200, "style_size": 192, "held_out": {"rung": 8, "size": 128}},
        "training": {"images": 1200, "batch_size": 2, "learning_rate": 0.002},
    },
    "curves": {
        "network": {"width": 12},
        "data": {"crop_size": 64, "num_crops": 640, "style_size": 96, "held_out": {"rung": 16, "size": 128}},
        "training": {"images": CURVE_RUNGS[-1], "batch_size": 2, "learning_rate": 0.002},
    },
}


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training: its kind, style image's stem, setting's number, weights relative to content 1, seed and rungs.

    `style_size` is None where the style image has the size that `SIZES` says.
    """

    kind: str
    style: str
    number: int
    style_to_content: float
    tv_to_content: float
    seed: int
    rungs: tuple[int, ...]
    style_size: int | None = None

    @property
    def size(self) -> str:
        """Which of `SIZES` it is trained at."""
        return "sweep" if self.kind in ("sweep", "sizes") else "curves"

    @property
    def picture_set(self) -> str:
        """Which photos and style image it saw, as the name of the file that keeps them says."""
        return self.size if self.style_size is None else f"{self.kind}-{self.style_size}"

    @property
    def file_name(self) -> str:
        """Where it is kept."""
        label = f"{self.number:02d}" if self.style_size is None else f"{self.style_size}"
        return f"{self.kind}-{self.style}-{label}-seed{self.seed}.npz"


def curve_settings() -> list[tuple[float, float]]:
    """Sixteen weight settings spread evenly over the default search ranges, on logarithmic scales."""
    from scipy.stats import qmc

    points = qmc.Sobol(2, rng=np.random.default_rng(7)).random(16)
    low, high = np.log([0.05, 0.003]), np.log([10.0, 1.0])
    return [(float(style), float(variation)) for style, variation in np.exp(low + points * (high - low))]


def planned_runs() -> list[Run]:
    """All runs, in the order in which they are done."""
    return [*_sweep_runs(), *_size_runs(), *_curve_runs(), *_seed_runs()]


def _sweep_run(style: str, ratio: float, *, style_size: int | None = None) -> Run:
    return Run(
        kind="sweep" if style_size is None else "sizes",
        style=style,
        number=SWEEP_RATIOS.index(ratio),
        style_to_content=ratio,
        tv_to_content=SWEEP_VARIATION,
        seed=0,
        rungs=(SIZES["sweep"]["training"]["images"],),
        style_size=style_size,
    )


def _sweep_runs() -> list[Run]:
    swept = [_sweep_run(style, ratio) for style in SWEEP_STYLES for ratio in SWEEP_RATIOS]
    return [*swept, *(_sweep_run(style, IDENTIFICATION_RATIO) for style in OTHER_STYLES)]


def _size_runs() -> list[Run]:
    return [_sweep_run(style, IDENTIFICATION_RATIO, style_size=size) for style in SIZED_STYLES for size in STYLE_SIZES]


def _curve_runs() -> list[Run]:
    settings = curve_settings()
    return [
        Run(kind="curves", style=style, number=n, style_to_content=s, tv_to_content=v, seed=0, rungs=CURVE_RUNGS)
        for half in (range(8), range(8, 16))
        for style in CURVE_STYLES
        for n in half
        for s, v in [settings[n]]
    ]


def _seed_runs() -> list[Run]:
    settings = curve_settings()
    short = tuple(rung for rung in CURVE_RUNGS if rung <= SHORT_RUN)
    return [
        Run(kind="seeds", style=style, number=n, style_to_content=s, tv_to_content=v, seed=seed, rungs=short)
        for seed in EXTRA_SEEDS
        for style in CURVE_STYLES
        for n in SEED_SETTINGS
        for s, v in [settings[n]]
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--styles", type=Path, required=True)
    parser.add_argument("--photos", type=Path, required=True)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--kinds", nargs="+", choices=KINDS, default=KINDS)
    parser.add_argument("--part", default="0/1", help="I/N: every N-th group of runs, for N processes side by side.")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    index, count = map(int, arguments.part.split("/"))
    load_networks()
    chosen = [run for run in planned_runs() if run.kind in arguments.kinds]
    for number, group in enumerate(groups_of_runs(chosen)):
        missing = [run for run in group if not (arguments.folder / run.file_name).exists()]
        if missing and number % count == index:
            _train_group(missing, arguments)


def groups_of_runs(runs: list[Run]) -> Iterator[list[Run]]:
    """Runs one after another that share photos, style image and seed, and so all but the weights."""
    for _, group in itertools.groupby(runs, key=lambda run: (run.kind, run.style, run.style_size, run.seed)):
        yield list(group)


def _train_group(runs: list[Run], arguments: argparse.Namespace) -> None:
    from tuner.configuration.loading import validate_config
    from tuner.search.resources import StudyResources
    from tuner.search.study_pictures import open_pictures

    style = next(path for path in arguments.styles.iterdir() if path.stem == runs[0].style)
    values = {**SIZES[runs[0].size], "style": str(style), "photos": [str(arguments.photos)], "seed": 0}
    if runs[0].style_size is not None:
        values["data"] = {**values["data"], "style_size": runs[0].style_size}
    config = validate_config(values, source="quality_runs")
    pictures = open_pictures(config)
    # The seed moves crops, their order and the initial weights; the held-out photos stay.
    config = config.model_copy(update={"seed": runs[0].seed})
    resources = StudyResources(config, pictures, report=lambda _: None)
    keep_arrays(
        arguments.folder / f"pictures-{runs[0].picture_set}-{runs[0].style}.npz",
        photos=as_bytes(resources.rung.photos),
        style=as_bytes(pictures.style),
    )
    for run in runs:
        print(run.file_name, flush=True)
        _train(run, resources, arguments.folder)


def _train(run: Run, resources: object, folder: Path) -> None:
    from measures.sampled_values import SampledValues
    from models.networks.style_network import stylise

    sampled = SampledValues(style_to_content=run.style_to_content, tv_to_content=run.tv_to_content)
    resources.start(sampled)
    seen, painted, losses = 0, {}, {}
    for rung in run.rungs:
        losses[rung] = resources.trainer.train(resources.batches(seen, rung))
        painted[f"rung{rung}"] = as_bytes(resources.paint())
        painted[f"trained{rung}"] = as_bytes(stylise(resources.trainer.network, resources.rung.photos))
        seen = rung
    description = {**run.__dict__, "weights": sampled.loss_weights().to_dict(), "losses": losses}
    keep_arrays(folder / run.file_name, description=np.array(json.dumps(description)), **painted)


def as_bytes(pictures: np.ndarray) -> np.ndarray:
    """Round pictures in [0, 1] to 8 bits."""
    return np.round(np.asarray(pictures) * 255.0).astype(np.uint8)


def keep_arrays(path: Path, **arrays: np.ndarray) -> None:
    """Write a file of arrays that is whole or not there."""
    partial = path.with_suffix(".partial")
    with partial.open("wb") as file:
        np.savez_compressed(file, **arrays)
    partial.replace(path)


if __name__ == "__main__":
    main()
