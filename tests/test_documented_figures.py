"""That the whole studies which docs/fidelity.md tells of are those of the benchmark's table."""

import csv
import re
from collections import defaultdict
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
STYLES = {
    "Great Wave": "wave_hokusai",
    "Starry Night": "starry_night",
    "Edtaonisl": "edtaonisl",
    "Tahiti": "tahiti_gauguin",
    "Sunflowers": "sunflower",
    "Composition VII": "composition_vii",
}
STARTS = {"noise": "noise", "scout": "scout", "scout, at first": "scout_near", "starter": "starter"}
HEADS = {"64": "| style | start | images trained | what leads", "96": "| style | start | images trained | complete |"}

Row = dict[str, str]


@pytest.fixture(scope="module")
def studies() -> dict[tuple[str, str, str], list[Row]]:
    """Rows of the table by scale, style and start."""
    found = defaultdict(list)
    with (ROOT / "benchmarks" / "fidelity_studies.csv").open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            if row["seed"] == "0":
                found[row["scale"], row["style"], row["way"]].append(row)
    return dict(found)


def documented(head: str) -> list[list[str]]:
    """Return the cells of the documented table that begins with some words, without its heads."""
    _, _, rest = (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8").partition(f"\n{head}")
    lines = rest.split("\n\n")[0].splitlines()[2:]
    assert lines, head
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]


def leader(rows: list[Row]) -> Row:
    return max((row for row in rows if row["state"] == "COMPLETE"), key=lambda row: float(row["quality"]))


def as_written(text: str, value: str) -> bool:
    """Whether a number of the page is that of the table, rounded to as many digits as it has after the point."""
    return abs(float(text) - float(value)) <= 0.5 * 10.0 ** -len(text.partition(".")[2]) + 1e-9


@pytest.mark.parametrize("scale", HEADS)
def test_whole_studies(studies: dict[tuple[str, str, str], list[Row]], scale: str) -> None:
    told = documented(HEADS[scale])
    keys = [(scale, STYLES[cells[0]], STARTS[cells[1]]) for cells in told]
    assert sorted(keys) == sorted(key for key in studies if key[0] == scale)
    for key, cells in zip(keys, told, strict=True):
        rows = studies[key]
        best = leader(rows)
        assert cells.pop(2).replace(",", "") == rows[-1]["images_in_all"], key
        if scale == "96":
            assert int(cells.pop(2)) == sum(row["state"] == "COMPLETE" for row in rows), key
        ratio, variation = cells[2].split(", ")
        measured = (best["style_to_content"], best["tv_to_content"], best["quality"], best["long_run"])
        for text, value in zip((ratio, variation, cells[3], cells[4]), measured, strict=True):
            assert as_written(text, value), (key, text, value)


def test_means_of_two_seeds(studies: dict[tuple[str, str, str], list[Row]]) -> None:
    *told, last = documented("| style | equal weights | what leads from noise")
    ways = ("noise", "scout", "starter")
    means = []
    for style, *cells in told:
        rows = [studies["64", STYLES[style], way] for way in ways]
        chosen = [next(row for row in rows[0] if row["origin"] == "baseline"), *(leader(trials) for trials in rows)]
        means.append([np.mean([float(row[name]) for name in ("long_run", "second_long_run")]) for row in chosen])
        for text, value in zip(cells, means[-1], strict=False):
            assert as_written(text, f"{value:.6f}"), (style, text, value)
    for text, value in zip(last[1:], np.mean(means, axis=0), strict=False):
        assert as_written(text, f"{value:.6f}")
    gains = np.array(means)[:, 1:] / np.array(means)[:, :1] - 1
    page = re.sub(r"\s+", " ", (ROOT / "docs" / "fidelity.md").read_text(encoding="utf-8"))
    pattern = r"gains (\d+) % on average from noise .*?, (\d+) % with a scout .*? and (\d+) % with a starter"
    found = re.search(pattern, page)
    assert found is not None
    assert [int(text) for text in found.groups()] == [round(100 * gain) for gain in gains.mean(axis=0)]
