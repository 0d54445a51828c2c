"""Does a trial's early score tell where it ends? Tables of docs/noise.md from learning_curves.csv, in Markdown.

    .venv/bin/python benchmarks/early_and_late.py

Needs no network and no picture: everything is computed from the table.
"""

import argparse
from collections import defaultdict

import numpy as np
from learning_curves import read_table
from quality_runs import CURVE_RUNGS, EXTRA_SEEDS, SHORT_RUN
from scipy.stats import kendalltau, spearmanr

NUM_RESAMPLES = 2000
NUM_ORDERS = 2000
STARTUP = 4
"""Complete trials before the pruner begins, as in `tuner.search.pruners.FEWEST_COMPLETE`."""

_ENDS = (CURVE_RUNGS.index(SHORT_RUN), len(CURVE_RUNGS) - 1)
"""Rungs at which a run is taken to end; one rung is half of the next."""

Curves = dict[str, np.ndarray]
"""By style: quality, shape (settings, rungs)."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    rows = read_table()
    curves, weights, photos = _curves(rows)
    as_trained, _, _ = _curves(rows, quality="quality_as_trained")
    for style, values in curves.items():
        print(f"{style}: {len(values)} settings, quality {values[:, -1].min():.3f} to {values[:, -1].max():.3f}")
    _print_agreement(curves)
    _print_regret(curves)
    _print_replay(curves)
    _print_seeds(rows)
    _print_averaging(rows, {"averaged": curves, "as trained": as_trained})
    _print_photos(rows, photos)
    _print_monotonicity(curves, weights)


def _curves(
    rows: list[dict[str, str]], *, quality: str = "quality"
) -> tuple[Curves, dict[str, np.ndarray], dict[str, np.ndarray]]:
    found: dict[str, dict[int, list[dict[str, str]]]] = defaultdict(lambda: defaultdict(list))
    for row in rows:
        if row["kind"] == "curves":
            found[row["style"]][int(row["setting"])].append(row)
    curves, weights, photos = {}, {}, {}
    for style, settings in found.items():
        whole = [sorted(group, key=lambda row: int(row["images_seen"])) for _, group in sorted(settings.items())]
        whole = [group for group in whole if len(group) == len(CURVE_RUNGS)]
        curves[style] = np.array([[float(row[quality]) for row in group] for group in whole])
        weights[style] = np.array(
            [[float(group[0][name]) for name in ("style_to_content", "tv_to_content")] for group in whole]
        )
        at_end = [group[CURVE_RUNGS.index(SHORT_RUN)] for group in whole]
        photos[style] = np.array([[float(value) for value in row["photo_qualities"].split()] for row in at_end])
    return curves, weights, photos


def _comparisons() -> list[tuple[str, int, int]]:
    """Name, early and late rung: at 1/8, 1/4 and 1/2 of the short run, then of the run 4 times as long."""
    return [
        (f"1/{2 ** (last - early)} of {CURVE_RUNGS[last]} images", early, last)
        for last in _ENDS
        for early in range(last - 3, last)
    ]


def _print_agreement(curves: Curves) -> None:
    print("\n### Kendall's tau-b of the early quality with the last\n")
    print("Mean over styles, 90 % bootstrap interval over settings; in brackets each style.\n")
    print("| scored at | all settings | better half |\n|---|---|---|")
    for name, early, late in _comparisons():
        cells = [agreement(curves, early, late, better_half=half) for half in (False, True)]
        print(f"| {name} | {cells[0]} | {cells[1]} |")


def agreement(curves: Curves, early: int, late: int, *, better_half: bool) -> str:
    """Describe Kendall's tau-b of the quality at two rungs: mean over styles, 90 % interval, each style."""
    pairs = []
    for values in curves.values():
        chosen = values[_better_half(values[:, late])] if better_half else values
        pairs.append((chosen[:, early], chosen[:, late]))
    each = [tau(one, other) for one, other in pairs]
    generator = np.random.default_rng(0)
    resampled = []
    for _ in range(NUM_RESAMPLES):
        taus = []
        for one, other in pairs:
            drawn = generator.integers(0, len(one), len(one))
            taus.append(tau(one[drawn], other[drawn]))
        resampled.append(np.nanmean(taus))
    low, high = np.nanpercentile(resampled, [5, 95])
    return f"{np.mean(each):.2f} [{low:.2f}, {high:.2f}] ({', '.join(f'{value:.2f}' for value in each)})"


def _better_half(late: np.ndarray) -> np.ndarray:
    """Return which settings are no worse than the median in the end: of an odd number of them the middle one too."""
    return late >= np.median(late)


def tau(one: np.ndarray, other: np.ndarray) -> float:
    """Kendall's tau-b; not a number where one side is all alike."""
    return float(kendalltau(one, other, variant="b").statistic)


def _print_regret(curves: Curves) -> None:
    print("\n### Regret: quality lost, as a share of the best, by what was decided early\n")
    print("| decided at | keep the better half | keep the better quarter | keep the best only |\n|---|---|---|---|")
    for name, early, late in _comparisons():
        cells = []
        for kept in (2, 4, 16):
            losses = [
                regret_of(values[:, early], values[:, late], max(1, len(values) // kept)) for values in curves.values()
            ]
            cells.append(f"{np.mean(losses):.1%} ({', '.join(f'{value:.1%}' for value in losses)})")
        print(f"| {name} | " + " | ".join(cells) + " |")


def regret_of(early: np.ndarray, late: np.ndarray, num_kept: int) -> float:
    """What the best of those kept by their early quality loses to the best of all, as a share of the latter."""
    kept = np.argsort(-early)[:num_kept]
    return float((late.max() - late[kept].max()) / late.max())


def held_against(early: np.ndarray, late: np.ndarray) -> list[str]:
    """Return tau-b of all settings and of the better half, regret of the best and of the best three."""
    taus = [tau(early[kept], late[kept]) for kept in (slice(None), _better_half(late))]
    regrets = [regret_of(early, late, count) for count in (1, 3)]
    return [*(f"{value:.2f}" for value in taus), *(f"{regret:.0%}" for regret in regrets)]


def _print_replay(curves: Curves) -> None:
    print(f"\n### The median pruner replayed on these curves, {NUM_ORDERS} random orders of the trials\n")
    print("| style | images | rungs | mean regret | best trial lost | images trained |\n|---|---|---|---|---|---|")
    plans = {"1/8, 1/4, 1/2": (3, 2, 1), "1/4, 1/2": (2, 1), "1/2": (1,)}
    for last in _ENDS:
        for style, values in curves.items():
            for name, before in plans.items():
                regret, lost, cost = _replay(values, (*(last - rungs for rungs in before), last))
                row = (style, str(CURVE_RUNGS[last]), name, f"{regret:.1%}", f"{lost:.0%} of orders", f"{cost:.0%}")
                print(f"| {' | '.join(row)} |")


def _replay(values: np.ndarray, rungs: tuple[int, ...]) -> tuple[float, float, float]:
    generator = np.random.default_rng(0)
    last = rungs[-1]
    regrets, costs = [], []
    for _ in range(NUM_ORDERS):
        complete: list[int] = []
        cost = 0
        for trial in generator.permutation(len(values)):
            stopped = next((rung for rung in rungs[:-1] if is_pruned(values, trial, complete, rung)), last)
            cost += CURVE_RUNGS[stopped]
            if stopped == last:
                complete.append(int(trial))
        best = values[:, last].max()
        regrets.append((best - values[complete, last].max()) / best)
        costs.append(cost / (len(values) * CURVE_RUNGS[last]))
    return float(np.mean(regrets)), float(np.mean(np.array(regrets) > 0)), float(np.mean(costs))


def is_pruned(values: np.ndarray, trial: int, complete: list[int], rung: int, *, margin: float = 0.0) -> bool:
    """Whether the median pruner ends a trial at a rung, given the trials that are complete."""
    return len(complete) >= STARTUP and values[trial, rung] + margin < np.median(values[complete, rung])


def _print_seeds(rows: list[dict[str, str]]) -> None:
    print("\n### Seeds against settings, at the end of the short run\n")
    print(
        "| style | settings x seeds | spread between settings | spread between seeds | share of variance by settings |"
    )
    print("|---|---|---|---|---|")
    for style, groups in _seed_groups(rows, "quality").items():
        within = float(np.mean(np.var(groups, axis=1, ddof=1)))
        between = max(0.0, float(np.var(groups.mean(axis=1), ddof=1)) - within / groups.shape[1])
        share = between / (between + within)
        counts = f"{groups.shape[0]} x {groups.shape[1]}"
        print(f"| {style} | {counts} | {between**0.5:.3f} | {within**0.5:.3f} | {share:.0%} |")


def _seed_groups(rows: list[dict[str, str]], quality: str) -> dict[str, np.ndarray]:
    """By style, quality at the end of the short run of the settings that ran with every seed: (settings, seeds)."""
    table: dict[str, dict[int, dict[int, float]]] = defaultdict(lambda: defaultdict(dict))
    for row in rows:
        if int(row["images_seen"]) == SHORT_RUN:
            table[row["style"]][int(row["setting"])][int(row["seed"])] = float(row[quality])
    num_seeds = 1 + len(EXTRA_SEEDS)
    whole = {
        style: [list(seeds.values()) for seeds in settings.values() if len(seeds) == num_seeds]
        for style, settings in table.items()
    }
    return {style: np.array(groups) for style, groups in whole.items() if len(groups) > 1}


def _print_averaging(rows: list[dict[str, str]], both: dict[str, Curves]) -> None:
    print("\n### Painted with averaged weights, and with the weights as trained\n")
    print("| style | images | painted | tau-b at 1/4 | at 1/2 | spread between seeds | mean of the better half |")
    print("|---|---|---|---|---|---|---|")
    columns = {"averaged": "quality", "as trained": "quality_as_trained"}
    for style in both["averaged"]:
        for last in _ENDS:
            for name, curves in both.items():
                values = curves[style]
                taus = [f"{tau(values[:, last - before], values[:, last]):.2f}" for before in (2, 1)]
                groups = _seed_groups(rows, columns[name]).get(style)
                spread = (
                    "" if groups is None or last != _ENDS[0] else f"{np.mean(np.var(groups, 1, ddof=1)) ** 0.5:.3f}"
                )
                best = np.sort(values[:, last])[-(len(values) // 2) :].mean()
                print(f"| {style} | {CURVE_RUNGS[last]} | {name} | {' | '.join(taus)} | {spread} | {best:.3f} |")


def _print_photos(rows: list[dict[str, str]], photos: dict[str, np.ndarray]) -> None:
    print("\n### How many held-out photos are enough\n")
    print("tau-b: of a ranking by some with that by eight others. Error: standard error of a setting's quality, the")
    print("spread over photos over the root of their number. Of a difference: the same of the difference of two")
    print("neighbours in rank, photo by photo.\n")
    heads = [f"{style}: {column}" for style in photos for column in ("tau-b", "error", "error of a difference")]
    print(f"| photos | {' | '.join(heads)} |\n|---|" + "---|" * len(heads))
    generator = np.random.default_rng(0)
    for count in (1, 2, 4, 6, 8):
        cells = []
        for values in photos.values():
            errors = [spread / count**0.5 for spread in (_spread(values), _spread(_rank_neighbours(values)))]
            cells += [_agreement_of_photos(values, count, generator), *(f"{error:.3f}" for error in errors)]
        print(f"| {count} | {' | '.join(cells)} |")
    _print_photos_needed(rows, photos)


def _print_photos_needed(rows: list[dict[str, str]], photos: dict[str, np.ndarray]) -> None:
    """Photos beyond which the error of a difference is less than what another seed does to it: these tell no more."""
    print("\n| style | spread over photos | of a difference | neighbours differ by | a seed by | photos needed |")
    print("|---|---|---|---|---|---|")
    for style, groups in _seed_groups(rows, "quality").items():
        values = photos[style]
        differences = _rank_neighbours(values)
        by_seed = float(np.mean(np.var(groups, axis=1, ddof=1)) * 2.0) ** 0.5
        needed = int(np.ceil((_spread(differences) / by_seed) ** 2))
        numbers = (_spread(values), _spread(differences), float(differences.mean()), by_seed)
        print(f"| {style} | {' | '.join(f'{number:.3f}' for number in numbers)} | {needed} |")


def _agreement_of_photos(values: np.ndarray, count: int, generator: np.random.Generator) -> str:
    taus = []
    for _ in range(200):
        order = generator.permutation(values.shape[1])
        some, others = values[:, order[:count]], values[:, order[-8:]]
        taus.append(tau(some.mean(axis=1), others.mean(axis=1)))
    return f"{np.mean(taus):.2f} (from {np.percentile(taus, 5):.2f})"


def _spread(values: np.ndarray) -> float:
    """Standard deviation over photos, mean over settings; values has the shape (settings, photos)."""
    return float(np.std(values, axis=1, ddof=1).mean())


def _rank_neighbours(values: np.ndarray) -> np.ndarray:
    """Difference of each setting from the next lower one, photo by photo: (settings - 1, photos)."""
    ranked = values[np.argsort(-values.mean(axis=1))]
    return ranked[:-1] - ranked[1:]


def _print_monotonicity(curves: Curves, weights: dict[str, np.ndarray]) -> None:
    print("\n### Spearman's correlation of quality with each searched weight\n")
    print("| style | images seen | style : content | tv : content | best setting |\n|---|---|---|---|---|")

    def correlate(one: np.ndarray, other: np.ndarray) -> float:
        return float(spearmanr(one, other).statistic)

    for style, values in curves.items():
        for rung in (CURVE_RUNGS.index(SHORT_RUN), len(CURVE_RUNGS) - 1):
            cells = [f"{correlate(weights[style][:, axis], values[:, rung]):+.2f}" for axis in (0, 1)]
            best = weights[style][values[:, rung].argmax()]
            print(f"| {style} | {CURVE_RUNGS[rung]} | {cells[0]} | {cells[1]} | {best[0]:.2f}, {best[1]:.3f} |")


if __name__ == "__main__":
    main()
