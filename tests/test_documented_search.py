"""That the figures of docs/search.md are those of the benchmark's table."""

import csv
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from tuner.configuration.search_choice import AUTO_PRUNER, AUTO_SAMPLER

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "search.md"
CHOSEN_ON = {"wave_hokusai", "starry_night"}

Row = dict[str, str]


@pytest.fixture(scope="module")
def rows() -> list[Row]:
    with (ROOT / "benchmarks" / "search.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def percent(rows: list[Row], column: str, *, reported: bool = True, **wanted: object) -> float:
    found = [
        float(row[column])
        for row in rows
        if (row["style"] not in CHOSEN_ON) is reported
        and all(row[name] == str(value) for name, value in wanted.items())
    ]
    assert found, wanted
    return 100 * float(np.mean(found))


def test_its_tables_are_what_the_benchmark_prints() -> None:
    printed = subprocess.run(
        [sys.executable, str(ROOT / "benchmarks" / "search_tables.py")],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    ).stdout
    tables = [line for line in printed.splitlines() if line.startswith("|")]
    assert len(tables) > 80
    assert [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("|")] == tables


def told(pattern: str) -> list[float]:
    text = re.sub(r"\s+", " ", PAGE.read_text(encoding="utf-8"))
    found = re.search(pattern, text)
    assert found is not None, pattern
    return [float(number) for number in found.groups()]


def test_what_auto_was_chosen_by(rows: list[Row]) -> None:
    assert (AUTO_SAMPLER, AUTO_PRUNER) == ("tpe", "median")
    column, auto = "regret_at_16", {"sampler": AUTO_SAMPLER, "pruner": AUTO_PRUNER}
    figures = told(
        r"is ([\d.]+) % below the best setting's long run .*? `wilcoxon`, ([\d.]+) %\), .*? it is ([\d.]+) %, "
        r"and `tpe` with `asha` ([\d.]+)"
    )
    measured = [
        percent(rows, column, reported=False, trials=64, **auto),
        percent(rows, column, reported=False, trials=64, sampler="random", pruner="wilcoxon"),
        percent(rows, column, trials=64, **auto),
        percent(rows, column, trials=64, sampler="tpe", pruner="asha"),
    ]
    assert figures == pytest.approx(measured, abs=0.051)
    pairs = {(row["sampler"], row["pruner"]) for row in rows if row["trials"] == "64"}
    nearest = min(percent(rows, column, reported=False, trials=64, sampler=one, pruner=other) for one, other in pairs)
    assert measured[1] == nearest
    assert measured[0] - nearest < 0.7 + 0.051, "less than the error of a cell"


def test_how_often_the_best_is_lost(rows: list[Row]) -> None:
    names = ("median", "wilcoxon", "asha", "hyperband")
    figures = told(r"`median` ends .*? in (\d+) % .*?`wilcoxon` in (\d+) %, `asha` in (\d+) %, `hyperband` in (\d+) %")
    assert figures == pytest.approx([percent(rows, "lost_best", trials=64, pruner=name) for name in names], abs=0.51)


def test_the_simple_rival(rows: list[Row]) -> None:
    figures = told(
        r"trains (\d+) % of the images and ends at ([\d.]+) % .*? `median` trains (\d+) % and ends at ([\d.]+) %, "
        r"`asha` (\d+) % and ([\d.]+) %"
    )
    measured = [
        percent(rows, column, trials=16, sampler="tpe", pruner=pruner)
        for pruner in ("top_k", "median", "asha")
        for column in ("images", "regret")
    ]
    assert figures[::2] == pytest.approx(measured[::2], abs=0.51)
    assert figures[1::2] == pytest.approx(measured[1::2], abs=0.051)
    for sampler in {row["sampler"] for row in rows}:
        others = [
            percent(rows, "regret", trials=8, sampler=sampler, pruner=pruner)
            for pruner in ("none", "median", "asha", "hyperband", "wilcoxon")
        ]
        assert percent(rows, "regret", trials=8, sampler=sampler, pruner="top_k") > max(others)


def test_every_pair_was_replayed_fifty_times_over_the_styles(rows: list[Row]) -> None:
    for sampler in {row["sampler"] for row in rows}:
        for trials in ("8", "16"):
            count = sum(
                int(row["replays"])
                for row in rows
                if (row["sampler"], row["pruner"], row["trials"]) == (sampler, "median", trials)
            )
            assert count >= 50
