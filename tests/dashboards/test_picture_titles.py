"""A picture that is drawn is known again; another is not, whatever it holds."""

from pathlib import Path

import numpy as np
import PIL.Image
import pytest

from dashboards.contact_sheet import contact_sheet, pair_sheet, trial_sheet
from dashboards.picture_titles import is_contact_sheet, is_question

PICTURE = np.full((20, 30, 3), 0.5, np.float32)


@pytest.mark.parametrize(
    ("drawn", "question", "sheet"),
    [
        (pair_sheet(PICTURE, PICTURE, (PICTURE, PICTURE), title="a"), True, False),
        (contact_sheet([PICTURE], PICTURE, [], title="styletuner question"), False, True),
        (trial_sheet([PICTURE], [PICTURE], caption="styletuner contact sheet"), False, False),
        (b"", False, False),
        (b"styletuner contact sheet", False, False),
    ],
)
def test_what_a_file_shows(tmp_path: Path, drawn: bytes, question: bool, sheet: bool) -> None:
    (tmp_path / "a.png").write_bytes(drawn)
    assert (is_question(tmp_path / "a.png"), is_contact_sheet(tmp_path / "a.png")) == (question, sheet)


def test_a_picture_saved_anew_by_another_program_is_not_ours(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(contact_sheet([PICTURE], PICTURE, [], title="waves"))
    with PIL.Image.open(tmp_path / "a.png") as picture:
        picture.save(tmp_path / "b.png")
    assert not is_contact_sheet(tmp_path / "b.png")
