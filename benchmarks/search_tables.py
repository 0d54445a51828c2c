"""Tables of docs/search.md from search.csv, in Markdown.

.venv/bin/python benchmarks/search_tables.py
"""

import argparse
import itertools
from collections import defaultdict
from collections.abc import Sequence

import numpy as np
from fidelity_runs import Row, read_table
from search import BUDGETS, GRIDS, LONG_STUDY, PRUNERS, SAMPLERS, TABLE
from search_landscapes import LONG, RECORDED, RUNGS, STYLES, WAYS, errors_left_out, noise

CHOOSING = ("wave_hokusai", "starry_night")
"""Styles that `auto` is chosen on; the others are reported."""


def main() -> None:
    argparse.ArgumentParser(description=__doc__.splitlines()[0]).parse_args()
    rows = read_table(TABLE)
    ways = [way for way in WAYS if any(row["start"] == way for row in rows)]
    for way in ways:
        _print_errors(way)
    _print_luck()
    for way in ways:
        for name, styles in {"chosen on": CHOOSING, "reported": [one for one in STYLES if one not in CHOOSING]}.items():
            found = [row for row in rows if row["style"] in styles and row["start"] == way]
            _print_ends(found, f"from {way}, {name}")
            _print_compute(found, f"from {way}, {name}")
            _print_lost(found, f"from {way}, {name}")


def _print_errors(way: str) -> None:
    print(f"\n### Off by, each setting foretold from all others, in brackets what settings differ by (from {way})\n")
    print(f"| style | {' | '.join(map(str, (*RECORDED, LONG)))} |\n|---|" + "---|" * (len(RECORDED) + 1))
    off: dict[str, list[str]] = defaultdict(list)
    for style, _, error, spread in errors_left_out(way):
        off[style].append(f"{error:.3f} ({spread:.3f})")
    for style, cells in off.items():
        print(f"| {style} | {' | '.join(cells)} |")


def _print_luck() -> None:
    print("\n### Luck at 160, 320, 480 and 640 images: what seeds differ by, and how it goes together between rungs\n")
    print(f"| | {' | '.join(map(str, RUNGS))} | 160 and 320 | 160 and 640 | 320 and 640 |\n|---|" + "---|" * 7)
    for name, covariance in {"a trial": noise().of_trial, "a photo beyond that": noise().of_photo}.items():
        spread = np.sqrt(np.diag(covariance))
        pairs = [covariance[one, other] / spread[one] / spread[other] for one, other in ((0, 1), (0, 3), (1, 3))]
        print(f"| {name} | {' | '.join([*(f'{one:.3f}' for one in spread), *(f'{one:.2f}' for one in pairs)])} |")


def _print_ends(rows: Sequence[Row], name: str) -> None:
    print(f"\n### Regret at the end, in brackets images of those of whole trials ({name})")
    for trials in GRIDS:
        print(f"\n| {trials} trials | {' | '.join(PRUNERS)} |\n|---|" + "---|" * len(PRUNERS))
        for sampler in SAMPLERS:
            cells = []
            for pruner in PRUNERS:
                found = wanted(rows, sampler=sampler, pruner=pruner, trials=trials)
                cells.append(f"{mean(found, 'regret'):.1%} ({mean(found, 'images'):.0%})" if found else "")
            if any(cells):
                print(f"| {sampler} | {' | '.join(cells)} |")


def _print_compute(rows: Sequence[Row], name: str) -> None:
    print(f"\n### Regret against compute in short runs' images, {LONG_STUDY} trials ({name})\n")
    print(f"| sampler, pruner | {' | '.join(map(str, BUDGETS))} |\n|---|" + "---|" * len(BUDGETS))
    for sampler, pruner in itertools.product(SAMPLERS, PRUNERS):
        found = wanted(rows, sampler=sampler, pruner=pruner, trials=LONG_STUDY)
        if found:
            cells = [f"{mean(found, f'regret_at_{budget}'):.1%}" for budget in BUDGETS]
            print(f"| {sampler}, {pruner} | {' | '.join(cells)} |")


def _print_lost(rows: Sequence[Row], name: str) -> None:
    print(f"\n### How often the best trial is ended: that of the best long run; that of the best end ({name})\n")
    print(f"| trials | {' | '.join(PRUNERS)} |\n|---|" + "---|" * len(PRUNERS))
    for trials in GRIDS:
        cells = []
        for pruner in PRUNERS:
            found = wanted(rows, pruner=pruner, trials=trials)
            cells.append(f"{mean(found, 'lost_best'):.0%}; {mean(found, 'lost_chosen'):.0%}" if found else "")
        print(f"| {trials} | {' | '.join(cells)} |")


def wanted(rows: Sequence[Row], **values: object) -> list[Row]:
    """Return the rows in which some columns have these values."""
    return [row for row in rows if all(row[name] == str(value) for name, value in values.items())]


def mean(rows: Sequence[Row], column: str) -> float:
    """Return the mean of a column over rows, which are one style each."""
    return float(np.mean([float(row[column]) for row in rows]))


if __name__ == "__main__":
    main()
