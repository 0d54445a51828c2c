import io

import numpy as np
import PIL.Image
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboards.contact_sheet import SheetRow, contact_sheet, pair_sheet, trial_sheet

WEIGHTS = {"content": 0.7, "style": 0.28, "total_variation": 0.02}
RED, GREEN, BLUE, YELLOW = (0.9, 0.1, 0.1), (0.1, 0.7, 0.2), (0.1, 0.2, 0.8), (0.9, 0.8, 0.1)


def flat(colour: tuple[float, float, float], *, height: int = 64, width: int = 96) -> np.ndarray:
    return np.broadcast_to(np.float32(colour), (height, width, 3)).copy()


def decoded(png: bytes) -> np.ndarray:
    with PIL.Image.open(io.BytesIO(png)) as image:
        assert image.format == "PNG"
        return np.asarray(image)


def boxes(sheet: np.ndarray, colour: tuple[float, float, float]) -> tuple[int, int, int, int]:
    """Top, bottom, left and right of the area of exactly this colour."""
    rows, columns = np.nonzero((sheet == np.round(np.array(colour) * 255).astype(np.uint8)).all(axis=2))
    assert rows.size, f"no pixel has colour {colour}"
    return rows.min(), rows.max(), columns.min(), columns.max()


def test_trial_sheet_puts_each_output_below_its_photo() -> None:
    sheet = decoded(trial_sheet([flat(RED), flat(GREEN)], [flat(BLUE), flat(YELLOW)], caption="Trial 1\nstyle 0.3"))
    red, green, blue, yellow = (boxes(sheet, colour) for colour in (RED, GREEN, BLUE, YELLOW))
    assert red[:2] == green[:2]
    assert blue[:2] == yellow[:2]
    assert red[1] < blue[0]
    assert red[2:] == blue[2:]
    assert green[2:] == yellow[2:]
    assert red[3] < green[2]


def test_small_pictures_are_enlarged_and_keep_their_aspect() -> None:
    sheet = decoded(trial_sheet([flat(RED, height=20, width=30)], [flat(BLUE, height=40, width=60)]))
    top, bottom, left, right = boxes(sheet, RED)
    assert bottom - top + 1 > 150
    assert (right - left + 1) / (bottom - top + 1) == pytest.approx(1.5, abs=0.01)
    assert boxes(sheet, BLUE)[2:] == (left, right)


def test_contact_sheet_has_style_at_the_top_left_and_rows_in_the_given_order() -> None:
    rows = [
        SheetRow(
            number=4, state="COMPLETE", weights=WEIGHTS, quality=0.4, parts={"style match": 0.5}, outputs=[flat(BLUE)]
        ),
        SheetRow(number=2, state="PRUNED", weights=WEIGHTS, quality=0.2, outputs=[flat(YELLOW)], note="pruned early"),
    ]
    sheet = decoded(contact_sheet([flat(RED)], flat(GREEN, height=500, width=300), rows, title="demo", subtitle="best"))
    photo, style, first, second = (boxes(sheet, colour) for colour in (RED, GREEN, BLUE, YELLOW))
    assert style[3] < photo[2]
    assert style[:2] == photo[:2]
    assert photo[1] < first[0] < first[1] < second[0]
    assert photo[2:] == first[2:] == second[2:]
    assert second[1] < sheet.shape[0]


def label_of(row: SheetRow) -> np.ndarray:
    """The strip left of the outputs, where the row's text is."""
    sheet = decoded(contact_sheet([flat(RED)], flat(GREEN), [row], title="demo"))
    _top, bottom, left, _right = boxes(sheet, RED)
    return sheet[bottom + 1 :, :left]


@pytest.mark.parametrize(
    "changed",
    [
        {"number": 5},
        {"state": "PRUNED"},
        {"quality": 0.3},
        {"quality": None},
        {"weights": {**WEIGHTS, "style": 0.1}},
        {"parts": {"style match": 0.1}},
        {"note": "why"},
    ],
    ids="-".join,
)
def test_every_fact_of_a_row_is_drawn(changed: dict[str, object]) -> None:
    facts: dict = {"number": 4, "state": "COMPLETE", "weights": WEIGHTS, "quality": 0.4, "parts": {"style match": 0.5}}
    assert not np.array_equal(label_of(SheetRow(**facts)), label_of(SheetRow(**{**facts, **changed})))


def test_bars_grow_with_the_part() -> None:
    widths = []
    for value in (0.25, 0.5, 1.0, 7.0, float("nan")):
        label = label_of(SheetRow(number=0, state="COMPLETE", weights={}, quality=0.1, parts={"style match": value}))
        widths.append(int((label == (0x3F, 0x62, 0x96)).all(axis=2).sum(axis=1).max()))
    assert widths[1] == pytest.approx(2 * widths[0], abs=2)
    assert widths[2] == pytest.approx(4 * widths[0], abs=4)
    assert widths[3] == widths[2]
    assert widths[4] == 0


def test_a_trial_without_pictures_or_quality_still_has_its_row() -> None:
    row = SheetRow(number=1, state="FAIL", weights=WEIGHTS, quality=float("nan"), note="loss became NaN " * 20)
    with_row = decoded(contact_sheet([flat(RED)], flat(GREEN), [row], title="demo " * 200))
    without = decoded(contact_sheet([flat(RED)], flat(GREEN), [], title="demo"))
    assert with_row.shape[0] > without.shape[0]
    assert with_row.shape[1] == without.shape[1]


def test_pictures_are_not_changed_and_nan_is_black() -> None:
    output = flat(BLUE)
    output[:, :, :] = np.nan
    before = output.copy()
    sheet = decoded(trial_sheet([flat(RED)], [output]))
    np.testing.assert_array_equal(output, before)
    assert (sheet == 0).all(axis=2).sum() > 1000


@settings(max_examples=15, deadline=None)
@given(height=st.integers(1, 300), width=st.integers(1, 300))
def test_any_shape_of_photo_makes_a_sheet_of_bounded_width(height: int, width: int) -> None:
    photo = flat(RED, height=height, width=width)
    assert decoded(trial_sheet([photo, photo], [photo, photo])).shape[1] < 1000


def test_bad_pictures_are_named() -> None:
    with pytest.raises(ValueError, match=r"`photos` must hold at least one picture. Received none"):
        trial_sheet([], [])
    with pytest.raises(ValueError, match=r"one picture per photo. Received 1 outputs for 2 photos"):
        trial_sheet([flat(RED), flat(RED)], [flat(RED)])
    with pytest.raises(ValueError, match=r"shape \(height, width, 3\). Received \(1, 8, 8, 3\)"):
        trial_sheet([np.zeros((1, 8, 8, 3), np.float32)], [flat(RED)])
    row = SheetRow(number=9, state="COMPLETE", weights=WEIGHTS, quality=0.4, outputs=[flat(RED)] * 2)
    with pytest.raises(ValueError, match=r"trial 9 must hold at most one picture per photo. Received 2 for 1"):
        contact_sheet([flat(RED)], flat(GREEN), [row], title="demo")


def test_a_question_has_its_outputs_side_by_side_below_photo_and_style_image() -> None:
    style = flat(GREEN, height=500, width=300)
    sheet = decoded(pair_sheet(flat(RED), style, (flat(BLUE), flat(YELLOW)), title="which is better?"))
    photo, painting, left, right = (boxes(sheet, colour) for colour in (RED, GREEN, BLUE, YELLOW))
    assert photo[1] < left[0]
    assert painting[1] < right[0]
    assert left[:2] == right[:2]
    assert left[3] < right[2]
    assert left[1] - left[0] == pytest.approx(2 * (photo[1] - photo[0]), abs=2)
    assert left[3] - left[2] == right[3] - right[2]
