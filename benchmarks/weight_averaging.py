"""Would trials be less noisy if they painted with averaged weights? Short runs of `quality_runs.py`, painted both ways.

    .venv/bin/python benchmarks/weight_averaging.py train --styles styles/ --photos photos/  # 15 minutes on 2 cores
    .venv/bin/python benchmarks/weight_averaging.py  # the table of docs/noise.md

The average is the polynomial-decay one of Shamir & Zhang (ICML 2013): at step t it moves towards the weights by
(g + 1) / (t + g), so that its window grows with the run. Training itself is as it was. Scores go into
weight_averaging.csv; settings that it has are not trained again, `--part I/N` divides the work among N processes.
"""

import argparse
import csv
from collections import defaultdict
from pathlib import Path

import numpy as np
from quality_runs import SHORT_RUN, SIZES, Run, groups_of_runs, planned_runs
from scipy.stats import kendalltau

from tuner.environment import load_networks

TABLE = Path(__file__).with_name("weight_averaging.csv")
GAMMAS = (4, 12)
VARIANTS = ("as trained", *(f"averaged, g = {gamma}" for gamma in GAMMAS))
RUNGS = (80, 160, 320, SHORT_RUN)
KEYS = ("kind", "style", "setting", "seed", "images_seen")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("action", nargs="?", choices=("train", "report"), default="report")
    parser.add_argument("--styles", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--part", default="0/1")
    arguments = parser.parse_args()
    if arguments.action == "train":
        _train_all(arguments)
    _print_table(_read())


def _read() -> dict[tuple[str, str, int, int], dict[int, list[float]]]:
    """Quality of each variant, by run and images seen."""
    found: dict[tuple[str, str, int, int], dict[int, list[float]]] = defaultdict(dict)
    if TABLE.exists():
        with TABLE.open(encoding="utf-8", newline="") as file:
            for row in csv.DictReader(file):
                key = (row["kind"], row["style"], int(row["setting"]), int(row["seed"]))
                found[key][int(row["images_seen"])] = [float(row[variant]) for variant in VARIANTS]
    return found


def _train_all(arguments: argparse.Namespace) -> None:
    load_networks()
    known = _read()
    index, count = map(int, arguments.part.split("/"))
    runs = [run for run in planned_runs() if run.kind != "sweep"]
    for number, group in enumerate(groups_of_runs(runs)):
        missing = [run for run in group if len(known.get(_key(run), {})) < len(RUNGS)]
        if missing and number % count == index:
            _train_group(missing, arguments)


def _key(run: Run) -> tuple[str, str, int, int]:
    return run.kind, run.style, run.number, run.seed


def _train_group(runs: list[Run], arguments: argparse.Namespace) -> None:
    from tuner.config import validate_config
    from tuner.pictures import open_pictures
    from tuner.resources import StudyResources

    style = next(path for path in arguments.styles.iterdir() if path.stem == runs[0].style)
    values = {**SIZES["curves"], "style": str(style), "photos": [str(arguments.photos)], "seed": 0}
    config = validate_config(values, source="weight_averaging")
    seeded = config.model_copy(update={"seed": runs[0].seed})
    resources = StudyResources(seeded, open_pictures(config), report=lambda _: None)
    for run in runs:
        print(run.file_name, flush=True)
        _append([[*_key(run), rung, *scores] for rung, scores in _train(run, resources).items()])


def _train(run: Run, resources: object) -> dict[int, list[float]]:
    from objectives.loss_weights import LossWeights

    weights = LossWeights.normalised(content=1.0, style=run.style_to_content, total_variation=run.tv_to_content)
    resources.trainer.start(weights)
    network = resources.trainer.network
    averages = {gamma: [np.array(values) for values in network.get_weights()] for gamma in GAMMAS}
    steps = 0

    def on_batch(_: int) -> None:
        nonlocal steps
        steps += 1
        for gamma, average in averages.items():
            step = min(1.0, (gamma + 1) / (steps + gamma))
            pairs = zip(average, network.get_weights(), strict=True)
            averages[gamma] = [one + (other - one) * step for one, other in pairs]

    seen, scores = 0, {}
    for rung in RUNGS:
        resources.trainer.train(resources.batches(seen, rung), on_batch=on_batch)
        seen, trained = rung, network.get_weights()
        scores[rung] = []
        for values in (trained, *averages.values()):
            network.set_weights(values)
            scores[rung].append(resources.judge.score(list(resources.paint())).quality)
        network.set_weights(trained)
    return scores


def _append(rows: list[list[object]]) -> None:
    is_new = not TABLE.exists()
    with TABLE.open("a", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerows([[*KEYS, *VARIANTS], *rows] if is_new else rows)


def _print_table(found: dict[tuple[str, str, int, int], dict[int, list[float]]]) -> None:
    print(
        f"| style | painted | tau-b at 1/4 | at 1/2 of {SHORT_RUN} images | spread between seeds | mean, better half |"
    )
    print("|---|---|---|---|---|---|")
    for style in sorted({style for _, style, _, _ in found}):
        curves = np.array(
            [[rungs[rung] for rung in RUNGS] for key, rungs in sorted(found.items()) if key[:2] == ("curves", style)]
        )
        spread = _seed_spread(found, style)
        for index, variant in enumerate(VARIANTS):
            end = curves[:, -1, index]
            quarter, half = (kendalltau(curves[:, rung, index], end, variant="b").statistic for rung in (1, 2))
            best = np.sort(end)[-(len(end) // 2) :].mean()
            print(f"| {style} | {variant} | {quarter:.2f} | {half:.2f} | {spread[index]:.3f} | {best:.3f} |")


def _seed_spread(found: dict[tuple[str, str, int, int], dict[int, list[float]]], style: str) -> np.ndarray:
    """Standard deviation between seeds at the end, pooled over the settings that have several; one a variant."""
    settings: dict[int, list[list[float]]] = defaultdict(list)
    for (_, name, setting, _), rungs in found.items():
        if name == style:
            settings[setting].append(rungs[SHORT_RUN])
    variances = [np.var(scores, axis=0, ddof=1) for scores in settings.values() if len(scores) > 1]
    return np.sqrt(np.mean(variances, axis=0))


if __name__ == "__main__":
    main()
