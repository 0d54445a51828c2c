"""When the last result came that was better than those before by more than chance."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.stagnation import last_improvement
from measures.ties import standard_error

PHOTOS = ("a", "b", "c", "d")


def of(*qualities: float) -> dict[str, float]:
    return dict(zip(PHOTOS, qualities, strict=True))


def test_nothing_improves_where_nothing_is_known() -> None:
    assert last_improvement([], PHOTOS) is None
    assert last_improvement([{}, {"a": 0.5}], PHOTOS) is None


def test_a_result_that_lacks_a_photo_improves_nothing() -> None:
    assert last_improvement([of(0.1, 0.1, 0.1, 0.1), {"a": 0.9}], PHOTOS) == 0


def test_what_is_better_on_every_photo_alike_is_an_improvement() -> None:
    assert last_improvement([of(0.1, 0.2, 0.3, 0.4), of(0.2, 0.3, 0.4, 0.5), of(0.1, 0.2, 0.3, 0.4)], PHOTOS) == 1


def test_what_is_within_its_standard_error_is_none() -> None:
    """Differences .4, -.4, .3, -.2: mean .025, standard error about .19."""
    assert last_improvement([of(0.4, 0.8, 0.4, 0.8), of(0.8, 0.4, 0.7, 0.6)], PHOTOS) == 0


def test_small_steps_add_up() -> None:
    """Each step .02 with spread, the third is .06 above the first: each is held against the last improvement."""
    first = np.array([0.5, 0.5, 0.5, 0.5])
    spread = np.array([0.05, -0.05, 0.05, -0.05])
    steps = [first, first + 0.02 + spread, first + 0.04 + spread]
    results = [of(*step) for step in steps]
    assert last_improvement(results[:2], PHOTOS) == 0
    assert last_improvement(results, PHOTOS) == 2


@pytest.mark.parametrize("photos", [(), ("a",)])
def test_with_too_few_photos_for_an_error_any_gain_counts(photos: tuple[str, ...]) -> None:
    results = [dict.fromkeys(photos, 0.5), dict.fromkeys(photos, 0.5), dict.fromkeys(photos, 0.51)]
    assert last_improvement(results, photos) == (2 if photos else 0)


@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=8))
def test_nothing_after_it_beats_it_by_more_than_the_error(rows: list[list[float]]) -> None:
    place = last_improvement([of(*row) for row in rows], PHOTOS)
    assert place is not None
    for later in rows[place + 1 :]:
        gains = [new - old for new, old in zip(later, rows[place], strict=True)]
        assert np.mean(gains) <= standard_error(gains) + 1e-12
