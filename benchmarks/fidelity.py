"""Does the winner of a budget win the long run? Tables of docs/fidelity.md from fidelity.csv, in Markdown.

    .venv/bin/python benchmarks/fidelity.py

Needs no network and no picture. The long run is the last rung of `fidelity_runs.py`, eight short runs long; regret is
what the chosen setting loses there, as a share of the best setting's quality.
"""

import argparse
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from early_and_late import agreement, held_against, is_pruned, regret_of
from fidelity_rules import print_rules
from fidelity_runs import CHOOSING, NUM_SETTINGS, REPORTING, RUNGS, SCALES, SHORT_RUN, SHORT_RUNS, read_table
from fidelity_scout import read as read_scouts
from fidelity_studies import LONG_RUNS, NUM_TRIALS, WAYS, leaders
from fidelity_studies import read as read_studies
from fidelity_truth import Truth, read_truths

from measures.length_drift import best_ratio

FEWEST_SETTINGS = 9
"""Of a style that is held against others, from the weakest on: on those that are whole none of the last three, from
style : content 10 on, comes near the best."""

NUM_ORDERS = 2000
"""Random orders of the trials in which pruners are replayed."""

_SHORT = RUNGS["64"].index(SHORT_RUN)


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    found = read_truths()
    for truth in found:
        _print_curves(truth)
    truths = [truth for truth in found if len(truth.ratios) >= FEWEST_SETTINGS]
    missing = [style for style in (*CHOOSING, *REPORTING) if style not in {truth.style for truth in truths}]
    if truths:
        _print_agreement(truths)
        _print_regret(truths)
        _print_pruners(truths)
        _print_drift(truths)
        print_rules(truths)
        _print_ways(found)
        _print_scouts(found)
    for scale in SCALES:
        _print_studies(found if scale == "64" else [], scale=scale)
    _print_larger()
    _print_means()
    _print_seeds()
    partly = [f"{truth.style} ({len(truth.ratios)} settings)" for truth in truths if len(truth.ratios) < NUM_SETTINGS]
    if missing or partly:
        print(f"\nNot trained to the end yet: {', '.join([*missing, *partly])}.")


def _print_curves(truth: Truth) -> None:
    print(f"\n### {truth.style}: quality by images seen\n")
    print("| style : content | tv : content | " + " | ".join(map(str, RUNGS["64"])) + " |")
    print("|---|---|" + "---|" * len(RUNGS["64"]))
    best = truth.quality.max(axis=0)
    for ratio, variation, values in zip(truth.ratios, truth.variations, truth.quality, strict=True):
        cells = [
            f"**{value:.3f}**" if value == top else f"{value:.3f}" for value, top in zip(values, best, strict=True)
        ]
        print(f"| {ratio:.2f} | {variation:.3f} | {' | '.join(cells)} |")


def _print_agreement(truths: Sequence[Truth]) -> None:
    print("\n### Kendall's tau-b of the quality at a rung with that of the long run\n")
    print("Mean over styles, 90 % bootstrap interval over settings; in brackets each style.\n")
    print("| images seen | all settings | better half |\n|---|---|---|")
    curves = {truth.style: truth.quality for truth in truths}
    for place, rung in enumerate(RUNGS["64"][:-1]):
        cells = [agreement(curves, place, len(RUNGS["64"]) - 1, better_half=half) for half in (False, True)]
        print(f"| {rung} | {' | '.join(cells)} |")


def _print_regret(truths: Sequence[Truth]) -> None:
    print("\n### Regret in the long run of the best at a rung, and of the best among the first three\n")
    print("| images seen | " + " | ".join(truth.style for truth in truths) + " | mean | of the first three |")
    print("|---|" + "---|" * (len(truths) + 2))
    for place, rung in enumerate(RUNGS["64"][:-1]):
        firsts, threes = (
            [regret_of(truth.quality[:, place], truth.quality[:, -1], count) for truth in truths] for count in (1, 3)
        )
        cells = [*(f"{value:.0%}" for value in firsts), f"{np.mean(firsts):.0%}", f"{np.mean(threes):.0%}"]
        print(f"| {rung} | {' | '.join(cells)} |")


def _print_pruners(truths: Sequence[Truth]) -> None:
    print("\n### What a study of short runs would have chosen, in random orders of its trials\n")
    print("Regret in the long run of the best complete trial; images trained, of those of twelve whole short runs.\n")
    half, quarter = (_SHORT - 1,), (_SHORT - 2, _SHORT - 1)
    plans: dict[str, tuple[Sequence[int], float]] = {
        "never": ((), 0),
        "1/2": (half, 0),
        "1/4, 1/2": (quarter, 0),
        "1/4, 1/2, by more than a standard error": (quarter, 1),
    }
    print("| style | pruned below the median at | mean regret | worst tenth | images |\n|---|---|---|---|---|")
    for truth in truths:
        for name, (places, num_errors) in plans.items():
            regrets, share = _replay(truth, places, num_errors)
            worst = np.mean(np.sort(regrets)[-NUM_ORDERS // 10 :])
            print(f"| {truth.style} | {name} | {np.mean(regrets):.0%} | {worst:.0%} | {share:.0%} |")


def _replay(truth: Truth, places: Sequence[int], num_errors: float) -> tuple[np.ndarray, float]:
    generator = np.random.default_rng(0)
    values, late = truth.quality, truth.quality[:, -1]
    regrets, images = [], []
    for _ in range(NUM_ORDERS):
        complete: list[int] = []
        seen = 0
        for trial in generator.permutation(len(values)):
            margins = {place: num_errors * float(truth.errors[trial, place]) for place in places}
            pruned_at = next(
                (at for at, margin in margins.items() if is_pruned(values, trial, complete, at, margin=margin)), None
            )
            seen += RUNGS["64"][_SHORT if pruned_at is None else pruned_at]
            if pruned_at is None:
                complete.append(int(trial))
        chosen = max(complete, key=lambda trial: values[trial, _SHORT])
        regrets.append((late.max() - late[chosen]) / late.max())
        images.append(seen / (len(values) * SHORT_RUN))
    return np.array(regrets), float(np.mean(images))


def _print_drift(truths: Sequence[Truth]) -> None:
    print(
        "\n### Where the best lies: style : content of the best setting by images seen, in brackets of the best three\n"
    )
    print("Geometric mean of the three, weighted by quality.\n")
    print("| images seen | " + " | ".join(truth.style for truth in truths) + " |\n|---|" + "---|" * len(truths))
    for place, rung in enumerate(RUNGS["64"]):
        cells = []
        for truth in truths:
            values = truth.quality[:, place]
            cells.append(f"{truth.ratios[values.argmax()]:.2f} ({best_ratio(truth.ratios, values):.2f})")
        print(f"| {rung} | {' | '.join(cells)} |")


def _print_ways(truths: Sequence[Truth]) -> None:
    """Hold short runs that begin otherwise against the long runs."""
    found: dict[tuple[str, str, int], dict[int, float]] = defaultdict(dict)
    for row in read_table():
        if (row["scale"], row["seed"]) == ("64", "0") and int(row["images_seen"]) <= SHORT_RUN:
            found[row["style"], row["way"], int(row["images_seen"])][int(row["setting"])] = float(row["quality"])
    print("\n### Short runs that begin otherwise: against the long runs from noise\n")
    print("| style | way | images | tau-b, all | better half | regret of the best | of three |")
    print("|---|---|---|---|---|---|---|")
    for truth in truths:
        for (style, way, images), by_setting in found.items():
            if style == truth.style and by_setting.keys() >= set(truth.numbers) and images in RUNGS["64"][1:]:
                early = np.array([by_setting[number] for number in truth.numbers])
                told = style if len(early) == NUM_SETTINGS else f"{style} ({len(early)} settings)"
                print(f"| {told} | {way} | {images} | {' | '.join(held_against(early, truth.quality[:, -1]))} |")


def _print_larger() -> None:
    """Print the learning curves at 96 px, of whatever runs start from."""
    found: dict[tuple[str, str, str, int], dict[int, float]] = defaultdict(dict)
    for row in read_table():
        if (row["scale"], row["seed"]) == ("96", "0"):
            key = row["style"], row["way"], row["style_to_content"], int(row["setting"])
            found[key][int(row["images_seen"])] = float(row["quality"])
    if found:
        print("\n### At 96 px: quality by images seen\n")
        print("| style | start | style : content | " + " | ".join(map(str, RUNGS["96"])) + " |")
        print("|---|---|---|" + "---|" * len(RUNGS["96"]))
    for (style, way, ratio, _), by_images in found.items():
        cells = [f"{by_images[images]:.3f}" if images in by_images else "" for images in RUNGS["96"]]
        print(f"| {style} | {way} | {float(ratio):.2f} | {' | '.join(cells)} |")


def _print_studies(truths: Sequence[Truth], *, scale: str) -> None:
    """Say what whole studies of one size chose, and what that is worth in a long run from noise."""
    found: dict[tuple[str, str, str], list[dict[str, str]]] = defaultdict(list)
    for row in read_studies():
        if row["scale"] == scale:
            found[row["style"], row["way"], row["seed"]].append(row)
    if not found:
        return
    print(f"\n### At {scale} px: what leads a study of {NUM_TRIALS} short runs, and its long run from noise\n")
    print("Seed: of the study. Images: trained by then, a scout's or starter's too. Again: with another seed.")
    print("Best: of the settings that were trained for long by themselves.\n")
    print("| style | start | seed | of the budget | images | trial | style : content | tv | long run | again | best |")
    print("|---|---|---|---|---|---|---|---|---|---|---|")
    tops = {truth.style: truth.quality[:, -1].max() for truth in truths}
    for (style, way, seed), rows in found.items():
        for share, leader in leaders(rows).items():
            spent, budget = [int(row["images_in_all"]) for row in rows], share * NUM_TRIALS * SHORT_RUNS[scale]
            images = max((seen for seen in spent if seen <= budget), default=0)
            ratios = " | ".join(f"{float(leader[name]):.2g}" for name in ("style_to_content", "tv_to_content"))
            number = f"{leader['trial']} ({leader['origin']})"
            top = f"{tops[style]:.3f}" if style in tops else "-"
            ends = " | ".join(f"{float(leader[name]):.3f}" if leader[name] else "-" for name in LONG_RUNS)
            print(f"| {style} | {way} | {seed} | {share:g} | {images} | {number} | {ratios} | {ends} | {top} |")


def _print_means() -> None:
    """Hold what leads whole studies against the baseline, in means over two seeds of their long runs."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for (style, way), rows in _studies().items():
        named = {way: leaders(rows)[1.0]}
        named |= {row["origin"]: row for row in rows if row["origin"] == "baseline"}
        for name, row in named.items():
            if all(row[column] for column in LONG_RUNS):
                found[style][name] = float(np.mean([float(row[column]) for column in LONG_RUNS]))
    ends = _long_runs_by_seed()
    for style, known in found.items():
        twice = [
            np.mean(list(seeds.values())) for (other, _), seeds in ends.items() if other == style and len(seeds) > 1
        ]
        if twice:
            known["setting"] = float(max(twice))
    columns = ("baseline", *WAYS, "setting")
    whole = {style: known for style, known in found.items() if {"baseline", *WAYS} <= known.keys()}
    if not whole:
        return
    print("\n### What leads at the end and the baseline, means of two seeds of the long run\n")
    print("Last: the best of the settings that were trained with both seeds.\n")
    print("| style | baseline | from noise | from a scout | from a starter | best setting |\n|---|---|---|---|---|---|")
    for style, known in whole.items():
        print(f"| {style} | {' | '.join(f'{known[name]:.3f}' if name in known else '-' for name in columns)} |")
    for way in WAYS:
        gains = [known[way] / known["baseline"] - 1 for known in whole.values()]
        print(
            f"\n{way}: {np.mean([known[way] for known in whole.values()]):.3f} on average, {np.mean(gains):+.0%}",
            end="",
        )
        print(f" against the baseline ({', '.join(f'{gain:+.0%}' for gain in gains)})")


def _studies() -> dict[tuple[str, str], list[dict[str, str]]]:
    found: dict[tuple[str, str], list[dict[str, str]]] = defaultdict(list)
    for row in read_studies():
        if (row["scale"], row["seed"]) == ("64", "0") and row["way"] in WAYS:
            found[row["style"], row["way"]].append(row)
    return found


def _long_runs_by_seed() -> dict[tuple[str, int], dict[int, float]]:
    """Return the quality at the end of the long runs from noise by style and setting, then by seed."""
    ends: dict[tuple[str, int], dict[int, float]] = defaultdict(dict)
    for row in read_table():
        if row["scale"] == "64" and row["images_seen"] == str(RUNGS["64"][-1]) and row["way"] == "noise":
            ends[row["style"], int(row["setting"])][int(row["seed"])] = float(row["quality"])
    return ends


def _print_scouts(truths: Sequence[Truth]) -> None:
    """Hold what scouts foretell of the settings against their long runs."""
    foretold: dict[tuple[str, str, int], dict[int, float]] = defaultdict(dict)
    for row in read_scouts():
        key = row["style"], row["way"], int(row["images_seen"])
        foretold[key][int(row["setting"])] = float(row["quality"])
    if foretold:
        print("\n### What scouts foretell: against the long runs\n")
        print(
            "| style | scout | images | tau-b, all | better half | regret of the best | of three | its best | of all |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
    for truth in truths:
        late = truth.quality[:, -1]
        for (style, way, images), by_setting in foretold.items():
            if style == truth.style:
                early = np.array([by_setting[number] for number in truth.numbers])
                cells = held_against(early, late)
                ends = f"{late[early.argmax()]:.3f} | {late.max():.3f}"
                told = style if len(late) == NUM_SETTINGS else f"{style} ({len(late)} settings)"
                print(f"| {told} | {way} | {images} | {' | '.join(cells)} | {ends} |")


def _print_seeds() -> None:
    twice = {key: seeds for key, seeds in _long_runs_by_seed().items() if len(seeds) > 1}
    if twice:
        print("\n### The best of the long run with another seed\n")
        print("| style | setting | seed 0 | seed 1 |\n|---|---|---|---|")
    for (style, setting), seeds in twice.items():
        print(f"| {style} | {setting} | {' | '.join(f'{seeds[seed]:.3f}' for seed in sorted(seeds))} |")


if __name__ == "__main__":
    main()
