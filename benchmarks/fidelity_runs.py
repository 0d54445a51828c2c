"""The truth about loss weights: long trainings of many settings, every rung scored, into benchmarks/fidelity.csv.

    .venv/bin/python benchmarks/fidelity_runs.py --styles styles/ --photos photos/ --folder fidelity_runs/

Each run goes from noise through the length of a short run to eight times that, as full training would, so that a way
to choose from short runs can be held against where all settings end. Twelve settings over both ratios, up to
style : content 30, seven styles at 64 px: three to choose ways on, four to be looked at once, at the end; then, of each
style, the three best of the long runs again with another seed. With `--scale 96` one seed of each at 96 px, the size of
the preset `quick`; `--until 4800` ends runs there.

A run's rows are added to the table as soon as it has ended, and a run that is in the table as far as it is wanted is
not done again: on whatever machine, an interrupted command goes on. What was painted is kept in the folder, so that
another judge can score it without training.
"""

import argparse
import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from quality_runs import as_bytes, keep_arrays

from tuner.installation.environment import load_networks

TABLE = Path(__file__).with_name("fidelity.csv")

CHOOSING = ("wave_hokusai", "starry_night", "sunday_seurat")
"""Flat print with large empty areas, brush strokes, points: what ways and their constants are chosen on."""

REPORTING = ("edtaonisl", "tahiti_gauguin", "sunflower", "composition_vii")
"""Hard-edged planes; figures in a landscape, as near to a photo as the shared paintings come; few colours;
many. Looked at once: how suggestions are chosen was mended after the first two, and the last two came after that."""

RUNGS = {"64": (80, 160, 320, 640, 1280, 2560, 5120), "96": (150, 300, 600, 1200, 2400, 4800, 9600)}
"""By scale: 1/8, 1/4, 1/2 and all of a short run; 2, 4 and 8 times its length."""

SHORT_RUNS = {scale: rungs[3] for scale, rungs in RUNGS.items()}
"""Images of a short run by scale; at 64 px as in quality_runs.py."""
SHORT_RUN = SHORT_RUNS["64"]

SCALES = {
    "64": {
        "network": {"width": 12},
        "data": {"crop_size": 64, "num_crops": 2560, "style_size": 96, "held_out": {"rung": 8, "size": 128}},
        "training": {"images": RUNGS["64"][-1], "batch_size": 2, "learning_rate": 0.002},
    },
    "96": {
        "network": {"width": 16},
        "data": {"crop_size": 96, "num_crops": 2400, "style_size": 192, "held_out": {"rung": 8, "size": 128}},
        "training": {"images": RUNGS["96"][-1], "batch_size": 2, "learning_rate": 0.002},
    },
}
"""Crops, network and steps of the presets `demo` and `quick`."""

STYLE_TO_CONTENT = (0.2, 30.0)
TV_TO_CONTENT = (0.003, 1.0)
NUM_SETTINGS = 12
NUM_BEST = 3
"""Settings of each style that are run with a second seed."""
SECOND_SEED = 1
KEY = ("judge_version", "scale", "style", "way", "setting", "seed")
PARTS = ("quality", "content_preservation", "style_match", "artefact_factor", "standard_error")
LOSSES = ("content", "style", "total_variation")
COLUMNS = (
    *KEY,
    *("style_to_content", "tv_to_content", "images_seen"),
    *PARTS,
    *(f"{name}_loss" for name in LOSSES),
    "photo_qualities",
)

Row = dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Run:
    """One training from noise: its scale, style image's stem, setting's number and seed."""

    scale: str
    style: str
    setting: int
    seed: int = 0
    way: str = "noise"

    @property
    def file_name(self) -> str:
        """Where its outputs are kept."""
        return f"{self.way}-{self.scale}-{self.style}-{self.setting:02d}-seed{self.seed}.npz"

    def key(self, judge_version: str) -> tuple[str, ...]:
        """What its rows have in common, in the order of `KEY`."""
        return (judge_version, self.scale, self.style, self.way, str(self.setting), str(self.seed))


def settings() -> list[tuple[float, float]]:
    """Twelve weight settings, a Latin hypercube over both ratios on logarithmic scales."""
    from scipy.stats import qmc

    sampler = qmc.LatinHypercube(2, optimization="random-cd", scramble=False, rng=np.random.default_rng(16))
    low, high = np.log(np.array([STYLE_TO_CONTENT, TV_TO_CONTENT])).T
    points = np.exp(low + sampler.random(NUM_SETTINGS) * (high - low))
    return [(float(style), float(variation)) for style, variation in sorted(points.tolist())]


def read_table(table: Path = TABLE) -> list[Row]:
    """Return the rows of a table; none if there is no table yet."""
    if not table.exists():
        return []
    with table.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def planned_runs(judge_version: str, *, scale: str) -> Iterator[Run]:
    """All runs, in the order in which they are done; the last follow from what the first have shown."""
    for style in (*CHOOSING, *REPORTING):
        yield from (Run(scale=scale, style=style, setting=number) for number in range(NUM_SETTINGS))
    if scale == "64":
        for style in (*CHOOSING, *REPORTING):
            for number in _best_settings(style, judge_version):
                yield Run(scale=scale, style=style, setting=number, seed=SECOND_SEED)


def _best_settings(style: str, judge_version: str) -> list[int]:
    ends = [
        (float(row["quality"]), int(row["setting"]))
        for row in read_table()
        if (row["judge_version"], row["scale"], row["style"], row["seed"]) == (judge_version, "64", style, "0")
        and row["images_seen"] == str(RUNGS["64"][-1])
    ]
    return [number for _, number in sorted(ends, reverse=True)[:NUM_BEST]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for name in ("styles", "photos", "folder"):
        parser.add_argument(f"--{name}", type=Path, required=True)
    parser.add_argument("--only", nargs="+", metavar="STYLE", help="styles by their files' stems; all by default")
    parser.add_argument("--settings", nargs="+", type=int, metavar="N", help="settings by number; all by default")
    parser.add_argument("--scale", choices=SCALES, default="64", help="side of the crops in pixels")
    parser.add_argument("--until", type=int, metavar="IMAGES", help="the last rung; a long run's end by default")
    arguments = parser.parse_args()
    arguments.folder.mkdir(parents=True, exist_ok=True)
    load_networks()
    from measures.versions import JUDGE_VERSION

    rungs = [rung for rung in RUNGS[arguments.scale] if rung <= (arguments.until or RUNGS[arguments.scale][-1])]
    group = _Group(arguments)
    for run in planned_runs(JUDGE_VERSION, scale=arguments.scale):
        key = run.key(JUDGE_VERSION)
        known = {row["images_seen"] for row in read_table() if tuple(row[name] for name in KEY) == key}
        if {str(rung) for rung in rungs} <= known or (arguments.only and run.style not in arguments.only):
            continue
        if arguments.settings and run.setting not in arguments.settings:
            continue
        rows = group.score(run, rungs)
        append([row for row in rows if row["images_seen"] not in known])
        print(run.file_name, *(f"{float(row['quality']):.3f}" for row in rows), flush=True)


def append(rows: list[Row], *, table: Path = TABLE, columns: Sequence[str] = COLUMNS) -> None:
    """Add rows to a table, which is begun where there is none."""
    is_new = not table.exists()
    with table.open("a", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        if is_new:
            writer.writeheader()
        writer.writerows(rows)


class _Group:
    """What runs of one scale, style and seed share; made anew where the next run differs in one of these."""

    def __init__(self, arguments: argparse.Namespace) -> None:
        self._arguments = arguments
        self._key: tuple[str, str, int] | None = None

    def score(self, run: Run, rungs: Sequence[int]) -> list[Row]:
        """Train a run, or read what it painted, and score it at some rungs."""
        from measures.sampled_values import SampledValues
        from measures.versions import JUDGE_VERSION

        path = self._arguments.folder / run.file_name
        style_to_content, tv_to_content = settings()[run.setting]
        self._prepare(run)
        if not _is_painted(path, rungs[-1]):
            sampled = SampledValues(style_to_content=style_to_content, tv_to_content=tv_to_content)
            self._train(rungs, sampled, path)
        rows = []
        with np.load(path) as arrays:
            for place, rung in enumerate(rungs):
                scored = self._resources.rung.judge.score(
                    [picture / np.float32(255.0) for picture in arrays[str(rung)]]
                )
                values = {
                    **dict(zip(KEY, run.key(JUDGE_VERSION), strict=True)),
                    "style_to_content": f"{style_to_content:.5g}",
                    "tv_to_content": f"{tv_to_content:.5g}",
                    "images_seen": rung,
                    **{part: f"{getattr(scored, part):.5f}" for part in PARTS},
                    **{
                        f"{name}_loss": f"{loss:.5g}"
                        for name, loss in zip(LOSSES, arrays["losses"][place], strict=True)
                    },
                    "photo_qualities": " ".join(f"{photo.quality:.4f}" for photo in scored.photos),
                }
                rows.append({name: str(value) for name, value in values.items()})
        return rows

    def _prepare(self, run: Run) -> None:
        from tuner.configuration.loading import validate_config
        from tuner.search.resources import StudyResources
        from tuner.search.study_pictures import open_pictures

        if self._key == (run.scale, run.style, run.seed):
            return
        style = next(path for path in self._arguments.styles.iterdir() if path.stem == run.style)
        values = {**SCALES[run.scale], "style": str(style), "photos": [str(self._arguments.photos)], "seed": 0}
        config = validate_config(values, source="fidelity_runs")
        pictures = open_pictures(config)
        # The seed moves crops, their order and the initial weights; the held-out photos stay.
        config = config.model_copy(update={"seed": run.seed})
        self._resources = StudyResources(config, pictures, report=lambda _: None)
        self._key = (run.scale, run.style, run.seed)

    def _train(self, rungs: Sequence[int], sampled: object, path: Path) -> None:
        resources = self._resources
        resources.start(sampled)
        seen, painted, losses = 0, {}, []
        for rung in rungs:
            means = resources.trainer.train(resources.batches(seen, rung))
            losses.append([means[name] for name in LOSSES])
            painted[str(rung)] = as_bytes(resources.paint())
            seen = rung
        keep_arrays(path, losses=np.array(losses), **painted)


def _is_painted(path: Path, rung: int) -> bool:
    if not path.exists():
        return False
    with np.load(path) as arrays:
        return str(rung) in arrays


if __name__ == "__main__":
    main()
