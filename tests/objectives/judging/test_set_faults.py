from collections.abc import Sequence
from itertools import combinations

import numpy as np
import pytest

from models.pictures.images import Image
from objectives.judging import set_faults
from objectives.judging.luminance import box_blur, luminance
from objectives.judging.set_faults import (
    PATTERN_TOLERANCE,
    PATTERN_UNIT,
    collapse_excess,
    common_part,
    fixed_pattern_excess,
    measure_set,
)
from tests.objectives.drawn_pictures import checkerboard, draw_photo, draw_style, stylise
from tests.objectives.quality_part_conformance import QualityPartConformance

PHOTOS = [draw_photo(seed) for seed in range(3)]
OUTPUTS = [stylise(photo, draw_style(), strength=0.4, seed=seed) for seed, photo in enumerate(PHOTOS)]


def pattern(outputs: Sequence[Image], photos: Sequence[Image]) -> float | None:
    return fixed_pattern_excess(measure_set(outputs), measure_set(photos))


def collapse(outputs: Sequence[Image], photos: Sequence[Image], *, style: Image) -> float | None:
    contrast = float(luminance(style).std())
    return collapse_excess(measure_set(outputs), measure_set(photos), style_contrast=contrast)


class SeveralPicturesTerm(QualityPartConformance):
    """The measured output stands beside a fixed second one; `photo` gives both photos, the second one mirrored."""

    lowest, highest, higher_is_better = 0.0, 6.0, False


class TestFixedPattern(SeveralPicturesTerm):
    def measure(self, output: Image, *, photo: Image, style: Image) -> float:  # noqa: ARG002
        value = pattern([output, output[:, ::-1]], [photo, photo[:, ::-1]])
        assert value is not None
        return value

    def better_and_worse(self) -> tuple[Image, Image]:
        mirrored = draw_style(height=64, width=96)
        return OUTPUTS[0], 0.5 * mirrored + 0.5 * mirrored[:, ::-1]


class TestCollapse(SeveralPicturesTerm):
    def measure(self, output: Image, *, photo: Image, style: Image) -> float:
        value = collapse([output, output[::-1]], [photo, photo[::-1]], style=style)
        assert value is not None
        return value

    def better_and_worse(self) -> tuple[Image, Image]:
        return OUTPUTS[0], np.full((64, 96, 3), 0.5, dtype=np.float32) + 0.02 * draw_photo()


def test_fixed_pattern_is_measured_by_its_amplitude() -> None:
    strong = np.random.default_rng(0).random((64, 96, 3), dtype=np.float32)
    detail = (strong - box_blur(strong, 2))[6:-6, 6:-6]
    wanted = (float(detail.std()) - PATTERN_TOLERANCE) / PATTERN_UNIT
    assert pattern([strong] * 3, PHOTOS) == pytest.approx(wanted, rel=0.01)


@pytest.mark.parametrize(("amplitude", "lowest", "highest"), [(0.01, 0.0, 0.0), (0.04, 0.2, 0.5), (0.12, 1.3, 2.0)])
def test_a_weave_costs_what_is_seen_of_it_whatever_the_sizes(amplitude: float, lowest: float, highest: float) -> None:
    weave = amplitude * checkerboard(64, 96)
    sizes = [(64, 96), (64, 80), (48, 96)]
    outputs = [(out + weave)[:height, :width] for out, (height, width) in zip(OUTPUTS, sizes, strict=True)]
    photos = [photo[:height, :width] for photo, (height, width) in zip(PHOTOS, sizes, strict=True)]
    found = pattern(outputs, photos)
    assert found is not None
    assert lowest <= found <= highest


def test_a_frame_that_all_outputs_have_is_no_pattern() -> None:
    outputs = [np.pad(output[4:-4, 4:-4], [(4, 4), (4, 4), (0, 0)]) for output in OUTPUTS]
    assert pattern(outputs, PHOTOS) == 0.0


def test_equal_or_grey_outputs_have_collapsed_and_equal_photos_excuse_it() -> None:
    grey = np.full((64, 96, 3), 0.5, dtype=np.float32)
    assert collapse([grey] * 3, PHOTOS, style=draw_style()) > 2.0
    assert collapse([OUTPUTS[0]] * 3, PHOTOS, style=draw_style()) > 2.0
    assert collapse([OUTPUTS[0]] * 3, [PHOTOS[0]] * 3, style=draw_style()) == 0.0


def test_real_looking_outputs_show_neither() -> None:
    assert pattern(OUTPUTS, PHOTOS) == 0.0
    assert collapse(OUTPUTS, PHOTOS, style=draw_style()) == 0.0


def test_one_output_shows_neither() -> None:
    assert pattern(OUTPUTS[:1], PHOTOS[:1]) is None
    assert collapse(OUTPUTS[:1], PHOTOS[:1], style=draw_style()) is None


def test_running_sums_are_the_mean_over_all_pairs() -> None:
    pictures = [OUTPUTS[0], OUTPUTS[1][:50], PHOTOS[0][:, :70], 0.5 * OUTPUTS[0] + 0.5 * PHOTOS[2]]
    details = [(picture - box_blur(picture, 2))[6:44, 6:64] for picture in pictures]
    details = [detail - detail.mean(axis=(0, 1)) for detail in details]
    wanted = np.mean([(one * other).mean() for one, other in combinations(details, 2)])

    levels = measure_set(pictures)

    assert levels.shared_detail == pytest.approx(wanted, abs=1e-7)
    assert levels.contrasts == pytest.approx([luminance(picture).std() for picture in pictures])


def test_the_difference_is_that_of_sixteenths() -> None:
    """Pictures of blocks of 4 x 6 pixels, whose thumbnails are these blocks."""
    blocks = np.random.default_rng(0).random((3, 16, 16, 3), dtype=np.float32)
    levels = measure_set([np.kron(block, np.ones((4, 6, 1))).astype(np.float32) for block in blocks])

    planes = [luminance(block) for block in blocks]
    layouts = [(plane - plane.mean()) / (plane.std() + 0.01) for plane in planes]
    wanted = np.mean([np.sqrt(((one - other) ** 2).mean()) for one, other in combinations(layouts, 2)])
    assert levels.difference == pytest.approx(wanted, rel=1e-5)


def test_one_palette_for_all_outputs_is_no_collapse() -> None:
    """The case of a network that paints everything in the blue and yellow of its style image."""
    blue = np.array([0.1, 0.2, 0.5], np.float32)
    outputs = [np.clip(blue + 0.5 * (luminance(photo)[..., None] - 0.5), 0, 1).astype("f4") for photo in PHOTOS]
    assert collapse(outputs, PHOTOS, style=draw_style()) == 0.0


def test_of_huge_pictures_a_part_is_compared(monkeypatch: pytest.MonkeyPatch) -> None:
    whole = measure_set([picture[:40, :40] for picture in OUTPUTS])
    monkeypatch.setattr(set_faults, "PATTERN_SIDE", 40)
    assert common_part([picture.shape for picture in OUTPUTS]) == (40, 40)
    found = measure_set(OUTPUTS).shared_detail
    assert found == pytest.approx(whole.shared_detail, abs=1e-4), "the part is like the whole"
