"""How much sooner is a study done than the same search run the ordinary way? Both in one run, on the same machine.

    .venv/bin/python benchmarks/study.py         # the demo's pictures and sizes, from noise
    .venv/bin/python benchmarks/study.py quick --style painting.jpg --photos photos/ --trials 16 --seeds 0 1 2

The ordinary way is a process for each trial, which loads its networks, draws its crops and compiles its step anew,
keeps no features, is trained to its end and scored there, with weights drawn at random after the same baseline. Ours is
`study run` with an empty cache of crops and features. Both train from noise if not told otherwise, are judged by the
same photos and have the same number of trials. Clocks run from the start of the command, or of the first process.

Compared is the time in which each came to the quality that both have reached in the end. The ordinary trials are
independent of each other: their time is also given as the mean over all orders in which they might have come.

What is done is kept in --folder, trial by trial; the same command again goes on with the ordinary way's trials, and
takes what a whole run of ours gave. Prints tables in Markdown.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

ORDERS = 2000


@dataclass(frozen=True)
class Ended:
    """A trial that ended: after how many seconds of its way, and its quality; None where it was pruned."""

    seconds: float
    quality: float | None


def main() -> None:
    arguments = _arguments()
    if arguments.one is not None:
        print(json.dumps({"quality": _run_one(arguments)}))
        return
    arguments.folder.mkdir(parents=True, exist_ok=True)
    ratios = []
    for seed in arguments.seeds or [_config(arguments, None).seed]:
        ours, ordinary = _run_ours(arguments, seed), _run_ordinary(arguments, seed)
        ratios.append(_print_comparison(seed, ours, ordinary))
    if len(ratios) > 1:
        print(f"\nOver {len(ratios)} seeds: median ratio {statistics.median(ratios):.1f}, lowest {min(ratios):.1f}.")


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("preset", nargs="?", default="demo")
    parser.add_argument("--style", type=Path)
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--trials", type=int, default=9)
    parser.add_argument("--seeds", type=int, nargs="+")
    parser.add_argument("--start", default="noise", choices=["noise", "starter", "scout"], help="of our trials")
    parser.add_argument("--set", dest="settings", action="append", default=[], help="of both, as for `study run`")
    parser.add_argument("--folder", type=Path, default=Path("build/benchmark-study"))
    parser.add_argument("--one", type=float, nargs=2, help=argparse.SUPPRESS)
    return parser.parse_args()


def _run_ours(arguments: argparse.Namespace, seed: int) -> list[Ended]:
    """Follow the events of `study run`."""
    kept = arguments.folder / f"ours-{seed}.json"
    if kept.exists():
        return [Ended(*row) for row in json.loads(kept.read_text())]
    trials: list[Ended] = []
    with tempfile.TemporaryDirectory() as folder:
        command = ["styletuner", "study", "run", arguments.preset, "--json", "--start", arguments.start]
        command += ["--storage", f"{folder}/studies.db", "--trials", str(arguments.trials), "--seed", str(seed)]
        command += [*_picture_options(arguments), *(word for text in arguments.settings for word in ("--set", text))]
        began = time.monotonic()
        with (arguments.folder / f"ours-{seed}.log").open("w") as log:
            process = subprocess.Popen(
                [sys.executable, "-P", "-m", *command],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                env={**os.environ, **_empty_cache(Path(folder)), "PYTHONUNBUFFERED": "1"},
            )
            for event in map(json.loads, process.stdout or ()):
                if event["event"] == "trial" and event["state"] in {"complete", "pruned"}:
                    quality = event["quality"] if event["state"] == "complete" else None
                    trials.append(Ended(time.monotonic() - began, quality))
                    print(f"seed {seed}, ours: {trials[-1].seconds:.0f} s, {_shown(quality)}", flush=True)
        if process.wait() != 0:
            sys.exit(f"`study run` failed: see {log.name}")
    kept.write_text(json.dumps([[trial.seconds, trial.quality] for trial in trials]))
    return trials


def _run_ordinary(arguments: argparse.Namespace, seed: int) -> list[Ended]:
    """Run each trial in a process of its own, with what is drawn at random after the baseline."""
    kept = arguments.folder / f"ordinary-{seed}.jsonl"
    lines = kept.read_text().splitlines() if kept.exists() else []
    known = [json.loads(line) for line in lines][: arguments.trials]
    for place, ratios in enumerate(_drawn(_config(arguments, seed), arguments.trials)):
        if place < len(known):
            continue
        began = time.monotonic()
        with (arguments.folder / f"ordinary-{seed}.log").open("a") as log:
            ended = subprocess.run(
                [sys.executable, __file__, *_own_options(arguments, seed), "--one", *map(str, ratios)],
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                check=False,
            )
        if ended.returncode != 0:
            sys.exit(f"An ordinary trial failed: see {log.name}")
        row = {"seconds": time.monotonic() - began, **json.loads(ended.stdout.splitlines()[-1])}
        known.append(row)
        with kept.open("a") as table:
            table.write(json.dumps(row) + "\n")
        print(f"seed {seed}, ordinary: {row['seconds']:.0f} s for {_shown(row['quality'])}", flush=True)
    clock = np.cumsum([row["seconds"] for row in known])
    return [Ended(float(seconds), row["quality"]) for seconds, row in zip(clock, known, strict=True)]


def _run_one(arguments: argparse.Namespace) -> float | None:
    """Train and score one trial from nothing; None where it diverged."""
    from tuner.installation.environment import load_networks

    load_networks()
    from measures.sampled_values import SampledValues
    from objectives.errors import DivergedError
    from tuner.search.resources import StudyResources
    from tuner.search.study_pictures import open_pictures

    config = _config(arguments, arguments.seeds[0])
    config = config.model_copy(update={"data": config.data.model_copy(update={"feature_cache_megabytes": 0})})
    with tempfile.TemporaryDirectory() as folder:
        resources = StudyResources(config, open_pictures(config), report=lambda _: None, tables_root=Path(folder))
        resources.start(SampledValues(style_to_content=arguments.one[0], tv_to_content=arguments.one[1]))
        try:
            _, outputs = resources.train_and_paint(0, config.rungs[-1])
        except DivergedError:
            return None
        return float(resources.rung.judge.score(list(outputs)).quality)


def _drawn(config: Any, num_trials: int) -> Iterator[tuple[float, float]]:
    """Return both ratios of each trial: the baseline's, then random ones, evenly on the logarithmic scales."""
    if config.search.baseline is not None:
        content, style, variation = config.search.baseline
        yield style / content, variation / content
    generator = np.random.default_rng(config.seed)
    ranges = np.log([config.search.style_to_content, config.search.tv_to_content])
    for _ in range(num_trials - (config.search.baseline is not None)):
        style_ratio, tv_ratio = np.exp(generator.uniform(ranges[:, 0], ranges[:, 1])).tolist()
        yield style_ratio, tv_ratio


def _print_comparison(seed: int, ours: Sequence[Ended], ordinary: Sequence[Ended]) -> float:
    """Print both ways side by side; return how many times longer the ordinary one took, in the mean over orders."""
    target = min(_best(ours), _best(ordinary))
    shown = {"ours": ours, "ordinary": ordinary}
    print(f"\nSeed {seed}: time to quality {target:.3f}, which both reached\n")
    print("| way | trials | complete | seconds in all | best | seconds to the quality | ratio |")
    print("|---|---|---|---|---|---|---|")
    first = _time_to(ours, target)
    for name, trials in shown.items():
        complete = sum(trial.quality is not None for trial in trials)
        reached = _time_to(trials, target)
        cells = f"{len(trials)} | {complete} | {trials[-1].seconds:.0f} | {_best(trials):.3f} | {reached:.0f}"
        print(f"| {name} | {cells} | {reached / first:.1f} |")
    mean = _mean_time_to(ordinary, target, seed=seed)
    print(f"| ordinary, mean over orders |  |  |  |  | {mean:.0f} | {mean / first:.1f} |", flush=True)
    return mean / first


def _best(trials: Sequence[Ended]) -> float:
    qualities = [trial.quality for trial in trials if trial.quality is not None]
    return max(qualities) if qualities else sys.exit("One of both ways has no complete trial: give more --trials.")


def _time_to(trials: Sequence[Ended], target: float) -> float:
    return next(trial.seconds for trial in trials if trial.quality is not None and trial.quality >= target)


def _mean_time_to(trials: Sequence[Ended], target: float, *, seed: int) -> float:
    """Mean over orders of the seconds until one trial has come to the quality."""
    seconds = np.diff([0.0, *(trial.seconds for trial in trials)])
    is_good = np.array([trial.quality is not None and trial.quality >= target for trial in trials])
    generator = np.random.default_rng(seed)
    orders = [generator.permutation(len(trials)) for _ in range(ORDERS)]
    return float(np.mean([seconds[order][: np.argmax(is_good[order]) + 1].sum() for order in orders]))


def _config(arguments: argparse.Namespace, seed: int | None) -> Any:
    from models.pictures.demo_pictures import write_demo_pictures
    from models.pretrained.files import cache_folder
    from tuner.configuration.loading import load_config, merge, parse_setting

    demo = write_demo_pictures(cache_folder() / "demo")
    values: dict[str, Any] = {
        "style": str(arguments.style or demo.style),
        "photos": [str(arguments.photos or demo.photos)],
        "search": {"start": "noise"},
        **({} if seed is None else {"seed": seed}),
    }
    for text in arguments.settings:
        values = merge(values, parse_setting(text))
    return load_config(arguments.preset, overrides=values)


def _picture_options(arguments: argparse.Namespace) -> list[str]:
    named = {"--style": arguments.style, "--photos": arguments.photos}
    return [word for option, path in named.items() if path is not None for word in (option, str(path))]


def _own_options(arguments: argparse.Namespace, seed: int) -> list[str]:
    settings = [word for text in arguments.settings for word in ("--set", text)]
    return [arguments.preset, *_picture_options(arguments), *settings, "--seeds", str(seed)]


def _empty_cache(folder: Path) -> dict[str, str]:
    """Return what makes a process use an empty cache that has the pretrained files alone."""
    from models.pretrained.files import CACHE_VARIABLE, cache_folder

    (folder / "cache").mkdir()
    for path in cache_folder().iterdir():
        if path.is_file():
            (folder / "cache" / path.name).symlink_to(path)
    return {CACHE_VARIABLE: str(folder / "cache")}


def _shown(quality: float | None) -> str:
    return "pruned or diverged" if quality is None else f"quality {quality:.3f}"


if __name__ == "__main__":
    main()
