"""How should a study take up what its scout foretells? Studies played against the long runs of fidelity.csv.

    .venv/bin/python benchmarks/fidelity_suggestions.py

Needs no network and no picture. What a trial comes to is taken to be the long run of its style : content (between the
twelve settings interpolated, smoothed), plus noise as between seeds; pruning is left out. What a scout foretells is in
fidelity_sweeps.csv: for each style the scout of 2,560 images of fidelity_studies.py, by

    styletuner study export STUDY --scout FILE.keras, then styletuner scout sweep FILE.keras --settings 96

Printed is the regret of the trial that ends best: how much of the best ratio's long run is lost.
"""

import argparse
import csv
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import numpy as np
import optuna
from fidelity_runs import STYLE_TO_CONTENT, TV_TO_CONTENT
from fidelity_truth import Truth, read_truths
from optuna.distributions import FloatDistribution

from measures import foretold_landscape
from measures.foretold_landscape import TRIAL_NOISE, ForetoldLandscape, weights_of_sides
from measures.ratio_space import Positions, RatioSpace
from measures.sampled_values import SampledValues

TABLE = Path(__file__).with_name("fidelity_sweeps.csv")
SPACE = RatioSpace(style_to_content=STYLE_TO_CONTENT, tv_to_content=TV_TO_CONTENT)
BASELINE = SPACE.positions([SampledValues(style_to_content=1.0, tv_to_content=0.1)])[0]
NUM_STUDIES = 40
NUM_TRIALS = (4, 7, 12)
"""The baseline among them."""

APART = 0.12
"""Of the square's side, as `scout suggest` has it."""

TRUTH_SMOOTHING = 0.06
"""Of the side along style : content."""

Choice = Callable[[list[Positions], list[float], int], Positions]
"""Takes where trials were, what they came to and a seed; returns where the next one is."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    counts = " | ".join(f"{num} trials" for num in NUM_TRIALS)
    print("Mean regret over studies, in brackets that of the worst tenth.\n")
    print(f"| style | suggestions | {counts} |\n|---|---|" + "---|" * len(NUM_TRIALS))
    for truth in read_truths():
        places, qualities = _read_sweep(truth.style)
        if len(places):
            for name, choice, changed in _ways(places, qualities):
                with ExitStack() as stack:
                    for constant, value in changed.items():
                        stack.enter_context(patch.object(foretold_landscape, constant, value))
                    regrets = np.array([_play(truth, choice, seed) for seed in range(NUM_STUDIES)])
                cells = [
                    f"{column.mean():.1%} ({np.sort(column)[-NUM_STUDIES // 10 :].mean():.0%})" for column in regrets.T
                ]
                print(f"| {truth.style} | {name} | {' | '.join(cells)} |", flush=True)


def _read_sweep(style: str) -> tuple[Positions, np.ndarray]:
    with TABLE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if row["style"] == style]
    names = ("style_to_content", "tv_to_content")
    values = [SampledValues.from_dict({name: float(row[name]) for name in names}) for row in rows]
    return SPACE.positions(values), np.array([float(row["quality"]) for row in rows])


def _ways(places: Positions, qualities: np.ndarray) -> list[tuple[str, Choice, dict[str, float]]]:
    near, apart = (_best_apart(places, qualities, sides) for sides in (np.ones(2), weights_of_sides(places, qualities)))
    found = [
        ("three, apart in either ratio; then TPE", _fixed(near), {}),
        ("three, apart in the ratio that matters; then TPE", _fixed(apart), {}),
    ]
    promising = _promising(places, qualities)
    for off_by in (0.05, 0.1):
        for region in (0.15, 0.25):
            changed = {"OFF_BY": off_by, "REGION": region}
            found.append((f"one by one, off by {off_by:g}, within {region:g}", promising, changed))
    return found


def _best_apart(places: Positions, qualities: np.ndarray, sides: np.ndarray) -> list[Positions]:
    chosen: list[Positions] = []
    for place in places[np.argsort(-qualities, kind="stable")]:
        if len(chosen) < 3 and all(np.linalg.norm((place - other) * sides) >= APART for other in chosen):
            chosen.append(place)
    return chosen


def _fixed(suggestions: list[Positions]) -> Choice:
    names = ("style_to_content", "tv_to_content")
    distributions = {name: FloatDistribution(0.0, 1.0) for name in names}

    def choose(tried: list[Positions], qualities: list[float], seed: int) -> Positions:
        if len(tried) <= len(suggestions):
            return suggestions[len(tried) - 1]
        sampler = optuna.samplers.TPESampler(n_startup_trials=4, seed=seed)
        study = optuna.create_study(direction="maximize", sampler=sampler)
        for place, quality in zip(tried, qualities, strict=True):
            params = dict(zip(names, map(float, place), strict=True))
            study.add_trial(optuna.trial.create_trial(params=params, distributions=dict(distributions), value=quality))
        params = study.ask(dict(distributions)).params
        return np.array([params[name] for name in names])

    return choose


def _promising(places: Positions, qualities: np.ndarray) -> Choice:
    landscape = ForetoldLandscape(places, qualities)

    def choose(tried: list[Positions], values: list[float], _seed: int) -> Positions:
        (place,) = landscape.next_settings(np.array(tried), np.array(values), awaited=np.zeros((0, 2)), count=1)
        return places[place]

    return choose


def _play(truth: Truth, choose: Choice, seed: int) -> list[float]:
    """Return the regret after each of `NUM_TRIALS`."""
    generator = np.random.default_rng(seed)
    side = SPACE.positions(
        [
            SampledValues(style_to_content=ratio, tv_to_content=variation)
            for ratio, variation in zip(truth.ratios, truth.variations, strict=True)
        ]
    )[:, 0]
    shares = np.exp(-0.5 * ((side[:, None] - side[None]) / TRUTH_SMOOTHING) ** 2)
    late = shares @ truth.quality[:, -1] / shares.sum(axis=1)
    tried: list[Positions] = []
    came_to: list[float] = []
    regrets = []
    while len(tried) < max(NUM_TRIALS):
        tried.append(choose(tried, came_to, int(generator.integers(1 << 31))) if tried else BASELINE)
        came_to.append(float(np.interp(tried[-1][0], side, late) + generator.normal(0, TRIAL_NOISE)))
        if len(tried) in NUM_TRIALS:
            best = tried[int(np.argmax(came_to))][0]
            regrets.append(float(1 - np.interp(best, side, late) / late.max()))
    return regrets


if __name__ == "__main__":
    main()
