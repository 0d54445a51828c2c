import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.errors import NoScoresError
from measures.quality import (
    PART_NAMES,
    PART_SHORT_LABELS,
    ArtefactExcess,
    PhotoQuality,
    average_photos,
    combine_parts,
    soft_clip,
)

CLEAN = ArtefactExcess(checkerboard=0.0, clipping=0.0, border=0.0, fixed_pattern=None, collapse=None)


def photo_quality(quality: float, **terms: float | None) -> PhotoQuality:
    return PhotoQuality(quality=quality, content_preservation=0.5, style_match=0.5, artefact_factor=1.0, terms=terms)


def test_soft_clip_is_softplus_inside() -> None:
    for value in (0.0, 0.1, 0.5, 0.9):
        assert soft_clip(value) == pytest.approx(math.log1p(math.exp(40 * value)) / 40, rel=1e-9)
    assert soft_clip(0.0) == pytest.approx(math.log(2) / 40)
    assert soft_clip(3.0) == 1.0


@given(st.floats(-1e3, 1e3), st.floats(-1e3, 1e3))
def test_soft_clip_keeps_order_and_range(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert 0.0 < soft_clip(low) <= soft_clip(high) <= 1.0


def test_untrained_runs_still_rank() -> None:
    assert soft_clip(-2.0) < soft_clip(-1.0) < soft_clip(-0.5) < soft_clip(0.0)
    assert soft_clip(-2.0) > 1e-4


def test_quality_is_the_weighted_geometric_mean_times_the_factor() -> None:
    faulty = ArtefactExcess(checkerboard=0.1, clipping=0.0, border=0.2, fixed_pattern=0.0, collapse=0.0)
    combined = combine_parts(content=0.6, style=0.5, artefacts=faulty, content_exponent=0.3, terms={"lpips": 0.2})
    assert combined.quality == pytest.approx(0.6**0.3 * 0.5**0.7 * math.exp(-0.3), rel=1e-4)
    assert combined.terms["lpips"] == 0.2
    assert combined.terms["border"] == 0.2


def test_lacking_either_part_is_not_made_good_by_the_other() -> None:
    balanced = combine_parts(content=0.4, style=0.4, artefacts=CLEAN, content_exponent=0.5, terms={})
    for content, style in ((1.0, 0.0), (0.0, 1.0)):
        one_sided = combine_parts(content=content, style=style, artefacts=CLEAN, content_exponent=0.5, terms={})
        assert one_sided.quality < balanced.quality / 2


def test_means_and_standard_error() -> None:
    qualities = [0.2, 0.4, 0.9]
    averaged = average_photos([photo_quality(value, lpips=value, collapse=None) for value in qualities])
    assert averaged.quality == pytest.approx(0.5)
    assert averaged.standard_error == pytest.approx(np.std(qualities, ddof=1) / np.sqrt(3))
    assert averaged.spread == pytest.approx(np.std(qualities, ddof=1))
    assert averaged.terms == {"lpips": pytest.approx(0.5), "collapse": None}
    assert len(averaged.photos) == 3


def test_one_photo_has_no_standard_error_and_no_spread() -> None:
    single = average_photos([photo_quality(0.3)])
    assert (single.standard_error, single.spread) == (None, None)


def test_more_photos_lower_the_error_and_leave_the_spread() -> None:
    few, many = (average_photos([photo_quality(value) for value in (0.3, 0.5) * count]) for count in (5, 500))
    assert few.standard_error is not None
    assert many.standard_error == pytest.approx(few.standard_error / 10, rel=0.1)
    assert many.spread == pytest.approx(0.1, rel=0.01)


def test_no_photo_is_an_error() -> None:
    with pytest.raises(NoScoresError, match="at least one scored photo"):
        average_photos([])


def test_short_labels_are_of_the_parts_in_their_order() -> None:
    assert tuple(PART_SHORT_LABELS) == PART_NAMES
    assert list(photo_quality(0.3).parts()) == list(average_photos([photo_quality(0.3)]).parts()) == list(PART_NAMES)


def test_a_picture_with_faults_gains_on_neither_side() -> None:
    faulty = combine_parts(content=0.6, style=0.5, artefacts=replace(CLEAN, border=0.7), content_exponent=0.5, terms={})
    assert faulty.content_without_faults() == pytest.approx(0.6 * math.exp(-0.7))
    assert faulty.style_without_faults() == pytest.approx(0.5 * math.exp(-0.7))
