"""Where a sweep looks, and which of its settings are suggested."""

import numpy as np
import pytest

from measures.quality import PhotoQuality, average_photos
from measures.ratio_space import RatioSpace
from tuner.scouting.sweeping import MIN_APART, Foretold, best_apart, grid_positions, spread_positions

SPACE = RatioSpace(style_to_content=(0.1, 10.0), tv_to_content=(0.01, 1.0))


@pytest.mark.parametrize("num_settings", [1, 2, 3, 16, 100])
def test_a_sweep_is_spread_over_the_square_inside_its_ends(num_settings: int) -> None:
    places = spread_positions(num_settings)
    assert places.shape == (num_settings, 2)
    assert ((places > 0) & (places < 1)).all()
    assert len({tuple(place) for place in places}) == num_settings
    np.testing.assert_array_equal(places, spread_positions(num_settings))


def test_each_quarter_of_the_square_gets_its_share() -> None:
    quarters = (spread_positions(64) * 2).astype(int) @ [1, 2]
    assert np.bincount(quarters).tolist() == [16] * 4


def test_a_grid_goes_along_the_rows_with_the_ends() -> None:
    np.testing.assert_allclose(grid_positions(3, 2), [[0, 0], [0.5, 0], [1, 0], [0, 1], [0.5, 1], [1, 1]])


def foretold(places: np.ndarray, qualities: list[float]) -> list[Foretold]:
    photos = [
        PhotoQuality(quality=quality, content_preservation=0.5, style_match=0.5, artefact_factor=1.0, terms={})
        for quality in qualities
    ]
    values = SPACE.at(places)
    return [
        Foretold(values=value, quality=average_photos([photo])) for value, photo in zip(values, photos, strict=True)
    ]


def test_suggestions_are_the_best_that_lie_apart() -> None:
    near = MIN_APART / 2
    found = foretold(np.array([[0.5, 0.5], [0.5 + near, 0.5], [0.9, 0.9], [0.1, 0.1]]), [0.6, 0.7, 0.2, 0.5])
    assert [one.quality.quality for one in best_apart(SPACE, found, 2)] == [0.7, 0.5]
    assert [one.quality.quality for one in best_apart(SPACE, found, 9)] == [0.7, 0.5, 0.2]
    assert best_apart(SPACE, [], 2) == []


def test_suggestions_differ_in_the_ratio_that_matters() -> None:
    places = grid_positions(11, 5)
    ridge = 0.6 - (places[:, 0] - 0.5) ** 2 + 0.02 * places[:, 1]
    (first, second, third) = best_apart(SPACE, foretold(places, ridge.tolist()), 3)
    sides = SPACE.positions([first.values, second.values, third.values])[:, 0]
    np.testing.assert_allclose(sorted(sides), [0.4, 0.5, 0.6])


def test_suggestions_differ_in_either_ratio_where_both_matter() -> None:
    places = grid_positions(11, 11)
    peak = 0.6 - ((places - 0.5) ** 2).sum(axis=1)
    chosen = best_apart(SPACE, foretold(places, peak.tolist()), 5)
    offsets = SPACE.positions([one.values for one in chosen]) - 0.5
    assert offsets[0] == pytest.approx(0)
    np.testing.assert_allclose(np.linalg.norm(offsets[1:], axis=1), np.hypot(0.1, 0.1))


def test_what_is_foretold_is_told_in_plain_values() -> None:
    (one,) = foretold(np.array([[0.5, 1.0]]), [0.6])
    told = one.to_dict()
    assert told["style_to_content"] == pytest.approx(1.0)
    assert told["tv_to_content"] == pytest.approx(1.0)
    assert (told["quality"], told["style_match"]) == (0.6, 0.5)
