import math

import numpy as np
import pytest

from models.pictures.images import Image
from objectives.judging.faults import (
    CHECKERBOARD_UNIT,
    CLIPPING_TOLERANCE,
    CLIPPING_UNIT,
    PATTERN_TOLERANCE,
    PATTERN_UNIT,
    ArtefactExcess,
    collapse_excess,
    fixed_pattern_excess,
    measure_levels,
    picture_excess,
)
from tests.objectives.drawn_pictures import checkerboard, draw_photo, draw_style, stylise
from tests.objectives.quality_part_conformance import QualityPartConformance

PHOTOS = [draw_photo(seed) for seed in range(3)]
OUTPUTS = [stylise(photo, draw_style(), strength=0.4, seed=seed) for seed, photo in enumerate(PHOTOS)]


def excess(output: Image, *, photo: Image, style: Image) -> ArtefactExcess:
    return picture_excess(measure_levels(output), photo=measure_levels(photo), style=measure_levels(style))


def darkened_border(image: Image, width: int) -> Image:
    dark = image * 0.4
    dark[width:-width, width:-width] = image[width:-width, width:-width]
    return dark


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


class TestBorder(SinglePictureTerm):
    term = "border"

    def better_and_worse(self) -> tuple[Image, Image]:
        return draw_photo(), darkened_border(draw_photo(), 4)


class SeveralPicturesTerm(QualityPartConformance):
    """The measured output stands beside a fixed second one; `photo` gives both photos, the second one mirrored."""

    lowest, highest, higher_is_better = 0.0, 4.0, False


class TestFixedPattern(SeveralPicturesTerm):
    def measure(self, output: Image, *, photo: Image, style: Image) -> float:  # noqa: ARG002
        value = fixed_pattern_excess([output, output[:, ::-1]], [photo, photo[:, ::-1]])
        assert value is not None
        return value

    def better_and_worse(self) -> tuple[Image, Image]:
        mirrored = draw_style(height=64, width=96)
        return OUTPUTS[0], 0.5 * mirrored + 0.5 * mirrored[:, ::-1]


class TestCollapse(SeveralPicturesTerm):
    def measure(self, output: Image, *, photo: Image, style: Image) -> float:
        value = collapse_excess([output, output[::-1]], [photo, photo[::-1]], style=style)
        assert value is not None
        return value

    def better_and_worse(self) -> tuple[Image, Image]:
        return OUTPUTS[0], np.full((64, 96, 3), 0.5, dtype=np.float32) + 0.02 * draw_photo()


@pytest.mark.parametrize("amplitude", [0.04, 0.1])
def test_nyquist_level_of_a_checkerboard_is_its_amplitude(amplitude: float) -> None:
    board = 0.5 + amplitude * np.repeat(checkerboard(32, 32), 3, axis=2)
    flat = np.full((32, 32, 3), 0.5, dtype=np.float32)
    assert measure_levels(board).checkerboard[0] == pytest.approx(amplitude, rel=1e-5)
    assert excess(board, photo=flat, style=flat).checkerboard == pytest.approx(amplitude / CHECKERBOARD_UNIT, rel=1e-4)


def test_a_checkerboard_of_blocks_is_found_too() -> None:
    board = 0.5 + 0.1 * np.kron(checkerboard(16, 16), np.ones((2, 2, 3))).astype(np.float32)
    flat = np.full((32, 32, 3), 0.5, dtype=np.float32)
    assert excess(board, photo=flat, style=flat).checkerboard > 0.5


def test_what_the_style_image_shows_itself_is_no_artefact() -> None:
    board = 0.5 + 0.1 * np.repeat(checkerboard(32, 32), 3, axis=2)
    flat = np.full((32, 32, 3), 0.5, dtype=np.float32)
    assert excess(board, photo=flat, style=board).checkerboard == 0.0


def test_clipping_is_the_share_of_clipped_values_beyond_the_tolerance() -> None:
    photo = np.full((20, 20, 3), 0.5, dtype=np.float32)
    output = photo.copy()
    output[:10, :, 0] = 1.0
    wanted = (0.5 / 3 - CLIPPING_TOLERANCE) / CLIPPING_UNIT
    assert excess(output, photo=photo, style=photo).clipping == pytest.approx(wanted)


def test_the_photos_own_border_is_no_artefact() -> None:
    framed = darkened_border(draw_photo(), 4)
    assert excess(framed, photo=framed, style=draw_style()).border == 0.0


def test_real_looking_outputs_show_nothing() -> None:
    for output, photo in zip(OUTPUTS, PHOTOS, strict=True):
        assert excess(output, photo=photo, style=draw_style()).factor() > 0.8
    assert fixed_pattern_excess(OUTPUTS, PHOTOS) == 0.0
    assert collapse_excess(OUTPUTS, PHOTOS, style=draw_style()) == 0.0


def test_fixed_pattern_of_equal_outputs_is_complete() -> None:
    strong = np.random.default_rng(0).random((64, 96, 3), dtype=np.float32)
    wanted = (1.0 - PATTERN_TOLERANCE) / PATTERN_UNIT
    assert fixed_pattern_excess([strong] * 3, PHOTOS) == pytest.approx(wanted, rel=0.1)


def test_fixed_pattern_added_to_different_outputs_is_found_whatever_their_sizes() -> None:
    pattern = 0.15 * checkerboard(64, 96)
    sizes = [(64, 96), (64, 80), (48, 96)]
    outputs = [(out + pattern)[:height, :width] for out, (height, width) in zip(OUTPUTS, sizes, strict=True)]
    photos = [photo[:height, :width] for photo, (height, width) in zip(PHOTOS, sizes, strict=True)]
    found = fixed_pattern_excess(outputs, photos)
    assert found is not None
    assert found > 0.3


def test_equal_or_grey_outputs_have_collapsed_and_equal_photos_excuse_it() -> None:
    grey = np.full((64, 96, 3), 0.5, dtype=np.float32)
    assert collapse_excess([grey] * 3, PHOTOS, style=draw_style()) > 2.0
    assert collapse_excess([OUTPUTS[0]] * 3, PHOTOS, style=draw_style()) > 2.0
    assert collapse_excess([OUTPUTS[0]] * 3, [PHOTOS[0]] * 3, style=draw_style()) == 0.0


def test_terms_of_several_outputs_are_none_for_one() -> None:
    assert fixed_pattern_excess(OUTPUTS[:1], PHOTOS[:1]) is None
    assert collapse_excess(OUTPUTS[:1], PHOTOS[:1], style=draw_style()) is None
    single = excess(OUTPUTS[0], photo=PHOTOS[0], style=draw_style())
    assert (single.fixed_pattern, single.collapse) == (None, None)


def test_factor_is_the_exponential_of_the_sum() -> None:
    terms = ArtefactExcess(checkerboard=0.5, clipping=0.25, border=0.0, fixed_pattern=None, collapse=1.0)
    assert terms.factor() == pytest.approx(math.exp(-1.75))
