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
        assert best["long_run"], f"{key} has no long run yet"
        assert cells.pop(2).replace(",", "") == rows[-1]["images_in_all"], key
        if scale == "96":
            assert int(cells.pop(2)) == sum(row["state"] == "COMPLETE" for row in rows), key
        ratio, variation = cells[2].split(", ")
        measured = (best["style_to_content"], best["tv_to_content"], best["quality"], best["long_run"])
        for text, value in zip((ratio, variation, cells[3], cells[4]), measured, strict=True):
            assert as_written(text, value), (key, text, value)


def test_means_of_two_seeds(studies: dict[tuple[str, str, str], list[Row]]) -> None:
    *told, last = documented("| style | equal weights | what leads from noise")
    means = {}
    for style in STYLES.values():
        found = [studies.get(("64", style, way)) for way in ("noise", "scout", "starter")]
        rows = [trials for trials in found if trials is not None]
        chosen = [next(row for row in rows[0] if row["origin"] == "baseline"), *(leader(trials) for trials in rows)]
        both = [[row[name] for name in ("long_run", "second_long_run")] for row in chosen]
        if len(rows) == len(found) and all(text for pair in both for text in pair):
            means[style] = np.array(both).astype(float).mean(axis=1)
    assert sorted(STYLES[cells[0]] for cells in told) == sorted(means)
    for style, *cells, _best_setting in told:
        for text, value in zip(cells, means[STYLES[style]], strict=True):
            assert as_written(text, f"{value:.6f}"), (style, text, value)
    everywhere = np.mean(list(means.values()), axis=0)
    for text, value in zip(last[1:5], everywhere, strict=True):
        assert as_written(text, f"{value:.6f}")
    gains = [100 * np.mean([known[way] / known[0] - 1 for known in means.values()]) for way in (1, 2, 3)]
    pattern = r"gains (\d+) % on average from noise .*?, (\d+) % with a scout .*? and (\d+) % with a starter"
    assert told_percents("fidelity.md", pattern) == [round(gain) for gain in gains]


@pytest.mark.parametrize(
    "page", ["fidelity.md", "scout.md", "decisions/0013-started-studies.md", "../CHANGELOG.md", "../README.md"]
)
def test_a_starter_against_noise_at_96_pixels(studies: dict[tuple[str, str, str], list[Row]], page: str) -> None:
    better, more = [], []
    for style in ("sunflower", "composition_vii"):
        noise, starter = (studies["96", style, way] for way in ("noise", "starter"))
        better.append(round(100 * (float(leader(starter)["long_run"]) / float(leader(noise)["long_run"]) - 1)))
        more.append(round(100 * (int(starter[-1]["images_in_all"]) / int(noise[-1]["images_in_all"]) - 1)))
    told = told_percents(
        page, r"(\d+) and (\d+) % better (?:(?!% better).)*? for (\d+) % more and (\d+) % fewer images"
    )
    assert told == [*better, more[0], -more[1]]


def told_percents(page: str, pattern: str) -> list[int]:
    text = re.sub(r"\s+", " ", (ROOT / "docs" / page).read_text(encoding="utf-8"))
    found = re.search(pattern, text)
    assert found is not None, pattern
    return [int(number) for number in found.groups()]
