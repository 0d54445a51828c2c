import math

import numpy as np
import pytest

from models.pictures.images import Image
from objectives.judging.borders import measure_border
from objectives.judging.faults import (
    CHECKERBOARD_UNIT,
    CLIPPING_TOLERANCE,
    CLIPPING_UNIT,
    ArtefactExcess,
    ArtefactLevels,
    measure_levels,
    picture_excess,
)
from tests.objectives.drawn_pictures import checkerboard, draw_photo, draw_style, stylise
from tests.objectives.quality_part_conformance import QualityPartConformance

PHOTOS = [draw_photo(seed) for seed in range(3)]
OUTPUTS = [stylise(photo, draw_style(), strength=0.4, seed=seed) for seed, photo in enumerate(PHOTOS)]


def levels(image: Image) -> ArtefactLevels:
    return measure_levels(image, border=measure_border(image))


def excess(output: Image, *, photo: Image, style: Image) -> ArtefactExcess:
    return picture_excess(levels(output), photo=levels(photo), style=levels(style))


class SinglePictureTerm(QualityPartConformance):
    lowest, highest, higher_is_better = 0.0, 30.0, False
    term: str

    def measure(self, output: Image, *, photo: Image, style: Image) -> float:
        return float(getattr(excess(output, photo=photo, style=style), self.term))


class TestCheckerboard(SinglePictureTerm):
    term = "checkerboard"

    def better_and_worse(self) -> tuple[Image, Image]:
        return draw_photo(), np.clip(draw_photo() + 0.1 * checkerboard(64, 96), 0, 1)


class TestClipping(SinglePictureTerm):
    term = "clipping"

    def better_and_worse(self) -> tuple[Image, Image]:
        return draw_photo(), np.clip((draw_photo() - 0.4) * 8 + 0.4, 0, 1).astype(np.float32)


@pytest.mark.parametrize("amplitude", [0.04, 0.1])
def test_nyquist_level_of_a_checkerboard_is_its_amplitude(amplitude: float) -> None:
    board = 0.5 + amplitude * np.repeat(checkerboard(32, 32), 3, axis=2)
    flat = np.full((32, 32, 3), 0.5, dtype=np.float32)
    assert levels(board).checkerboard[0] == pytest.approx(amplitude, rel=1e-5)
    assert excess(board, photo=flat, style=flat).checkerboard == pytest.approx(amplitude / CHECKERBOARD_UNIT, rel=1e-4)


def test_a_checkerboard_of_blocks_is_found_too() -> None:
    board = 0.5 + 0.1 * np.kron(checkerboard(16, 16), np.ones((2, 2, 3))).astype(np.float32)
    flat = np.full((32, 32, 3), 0.5, dtype=np.float32)
    assert excess(board, photo=flat, style=flat).checkerboard > 0.5


def test_what_the_style_image_shows_itself_is_no_artefact() -> None:
    board = 0.5 + 0.1 * np.repeat(checkerboard(32, 32), 3, axis=2)
    flat = np.full((32, 32, 3), 0.5, dtype=np.float32)
    assert excess(board, photo=flat, style=board).checkerboard == 0.0


def test_clipping_is_the_share_of_clipped_pixels_beyond_the_tolerance() -> None:
    photo = np.full((20, 20, 3), 0.5, dtype=np.float32)
    output = photo.copy()
    output[:10] = (1.0, 0.0, 1.0)  # 6 of the 12 lines inside the margins
    wanted = (0.5 - CLIPPING_TOLERANCE) / CLIPPING_UNIT
    assert excess(output, photo=photo, style=photo).clipping == pytest.approx(wanted)


def test_one_channel_at_its_end_is_a_saturated_style() -> None:
    photo = np.full((20, 20, 3), 0.5, dtype=np.float32)
    output = photo.copy()
    output[:10] = (1.0, 0.0, 0.2)
    assert excess(output, photo=photo, style=photo).clipping == 0.0


def test_a_frame_costs_its_share_of_the_picture_and_half_as_much_again() -> None:
    photo = draw_photo(height=128, width=128)
    framed = np.zeros_like(photo)
    framed[4:-4, 4:-4] = photo[4:-4, 4:-4]
    factor = excess(framed, photo=photo, style=draw_style()).factor()
    assert factor == pytest.approx(math.exp(-1.5 * 16 / 128), abs=0.03)


def test_real_looking_outputs_show_nothing() -> None:
    for output, photo in zip(OUTPUTS, PHOTOS, strict=True):
        assert excess(output, photo=photo, style=draw_style()).factor() > 0.8


def test_terms_of_several_outputs_are_none_for_one() -> None:
    single = excess(OUTPUTS[0], photo=PHOTOS[0], style=draw_style())
    assert (single.fixed_pattern, single.collapse) == (None, None)


def test_factor_is_the_exponential_of_the_sum() -> None:
    terms = ArtefactExcess(checkerboard=0.5, clipping=0.25, border=0.0, fixed_pattern=None, collapse=1.0)
    assert terms.factor() == pytest.approx(math.exp(-1.75))
