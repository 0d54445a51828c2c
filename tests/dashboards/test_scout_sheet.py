"""The scout's sheet: where each setting is drawn, which one is framed, and that it is known again."""

from pathlib import Path

import numpy as np
import pytest

from dashboards.picture_titles import is_contact_sheet, is_scout_sheet
from dashboards.scout_sheet import ScoutCell, ScoutGrid, scout_sheet
from tests.dashboards.test_contact_sheet import BLUE, GREEN, RED, YELLOW, boxes, decoded, flat

FRAME = (0x3F / 255, 0x62 / 255, 0x96 / 255)
BLACK, WHITE = (0.0, 0.0, 0.0), (1.0, 1.0, 1.0)


def cell(colour: tuple[float, float, float], quality: float) -> ScoutCell:
    return ScoutCell(output=flat(colour, height=48, width=48), quality=quality)


def draw(*, best: int = 1) -> bytes:
    qualities = [0.5 if number == best else 0.0 for number in range(4)]
    colours = (RED, GREEN, BLUE, YELLOW)
    cells = [cell(colour, quality) for colour, quality in zip(colours, qualities, strict=True)]
    grid = ScoutGrid(style_to_content=(0.1, 10.0), tv_to_content=(0.01, 1.0), cells=(cells[:2], cells[2:]))
    return scout_sheet(flat(BLACK), flat(WHITE), grid, title="waves", subtitle="a scout")


def test_style_rises_to_the_right_and_total_variation_upwards() -> None:
    sheet = decoded(draw())
    low_left, low_right, high_left, high_right = (boxes(sheet, colour) for colour in (RED, GREEN, BLUE, YELLOW))
    assert high_left[:2] == high_right[:2]
    assert low_left[:2] == low_right[:2]
    assert high_left[1] < low_left[0]
    assert low_left[2:] == high_left[2:]
    assert low_left[3] < low_right[2]


@pytest.mark.parametrize(("best", "colour"), [(0, RED), (1, GREEN), (3, YELLOW)])
def test_the_best_has_a_frame(best: int, colour: tuple[float, float, float]) -> None:
    sheet = decoded(draw(best=best))
    top, bottom, left, right = boxes(sheet, colour)
    frame = boxes(sheet[: bottom + 4, :], FRAME)
    assert frame == (top - 3, bottom + 3, left - 3, right + 3)


def test_a_sheet_is_known_again(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(draw())
    assert (is_scout_sheet(tmp_path / "a.png"), is_contact_sheet(tmp_path / "a.png")) == (True, False)


@pytest.mark.parametrize("cells", [(), ((),), ((cell(RED, 0.1),), (cell(RED, 0.1),)), ((cell(RED, 0.1),) * 3,)])
def test_each_pair_of_ratios_needs_a_cell(cells: tuple[tuple[ScoutCell, ...], ...]) -> None:
    grid = ScoutGrid(style_to_content=(0.1, 1.0), tv_to_content=(0.01,), cells=cells)
    with pytest.raises(ValueError, match="`cells` must be 1 rows of 2 cells"):
        scout_sheet(flat(RED), np.zeros((8, 8, 3), np.float32), grid, title="waves")
