import numpy as np
import pytest

from models.pictures.images import Image
from objectives.judging.borders import Strips, deepest_strip, find_strips, measure_border, without_strips
from tests.objectives.drawn_pictures import draw_photo, draw_style, stylise
from tests.objectives.quality_part_conformance import QualityPartConformance

PHOTO = draw_photo(height=160, width=240)
OUTPUT = stylise(PHOTO, draw_style(height=160, width=240), strength=0.4)


def framed(image: Image, depth: int, level: float = 0.0) -> Image:
    frame = np.full_like(image, level)
    frame[depth:-depth, depth:-depth] = image[depth:-depth, depth:-depth]
    return frame


def strips(output: Image, *, photo: Image = PHOTO) -> Strips:
    return find_strips(measure_border(output), photo=measure_border(photo))


def spoilt(output: Image, *, photo: Image = PHOTO) -> float:
    return strips(output, photo=photo).spoilt


class TestBorder(QualityPartConformance):
    lowest, highest, higher_is_better = 0.0, 1.0, False

    def measure(self, output: Image, *, photo: Image, style: Image) -> float:  # noqa: ARG002
        return spoilt(output, photo=photo)

    def better_and_worse(self) -> tuple[Image, Image]:
        return draw_photo(), framed(draw_photo(), 4)


@pytest.mark.parametrize("depth", [2, 4, 8, 10])
@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_frame_spoils_the_share_that_it_covers(depth: int, level: float) -> None:
    covered = 2 * depth * (1 / 160 + 1 / 240)
    assert spoilt(framed(OUTPUT, depth, level)) == pytest.approx(covered, rel=0.2)


def test_a_strip_on_one_side_spoils_its_own_share() -> None:
    output = OUTPUT.copy()
    output[:, -6:] = 0.0
    assert spoilt(output) == pytest.approx(6 / 240, rel=0.1)


def test_strips_are_filled_with_what_lies_next_to_them() -> None:
    output = OUTPUT.copy()
    output[:6], output[:, -3:] = 1.0, 0.0
    assert strips(output).depths == (6, 3, 0, 0)
    filled = without_strips(output, strips(output))
    np.testing.assert_array_equal(filled[6:, :-3], OUTPUT[6:, :-3])
    np.testing.assert_array_equal(filled[:6, :-3], OUTPUT[6:12, :-3][::-1])
    none = Strips(depths=(0, 0, 0, 0), spoilt=0.0)
    np.testing.assert_array_equal(without_strips(output, none), output)


def test_a_fainter_frame_spoils_less_step_by_step() -> None:
    frames = [(1 - share) * OUTPUT + share * framed(OUTPUT, 5) for share in (0.0, 0.1, 0.2, 0.4, 0.8)]
    values = [spoilt(frame.astype(np.float32)) for frame in frames]
    assert values == sorted(values)
    assert values[0] < 0.01 < values[-1]


def test_what_the_photo_shows_there_is_no_fault() -> None:
    assert spoilt(framed(OUTPUT, 5), photo=framed(PHOTO, 5)) < 0.01


def test_bright_corners_and_a_vignette_are_no_frame() -> None:
    """The case of a grey photo with white corners, whose restyled corners turn yellow."""
    rows, columns = np.mgrid[-1:1:160j, -1:1:240j]
    corners = np.clip(np.hypot(rows, columns) - 0.8, 0, 1)[..., None]
    output = np.clip(OUTPUT + 2 * corners * np.array([1.0, 0.9, 0.2]), 0, 1).astype(np.float32)
    vignette = (OUTPUT * (1 - 0.8 * np.clip(np.maximum(abs(rows), abs(columns)) - 0.5, 0, 1)[..., None])).astype("f4")
    assert spoilt(output) < 0.01
    assert spoilt(vignette) < 0.02


def test_strips_are_looked_for_to_a_sixteenth() -> None:
    assert deepest_strip((160, 240, 3)) == 10
    assert deepest_strip((16, 16)) == 4
    assert spoilt(framed(OUTPUT, 10)) > 0.1
    assert measure_border(np.zeros((16, 16, 3), np.float32)).outer.shape == (4, 4)
