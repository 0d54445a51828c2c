"""Which setting is tried next, on a ridge along the first side of the square."""

import numpy as np
import pytest

from measures.foretold_landscape import REGION, ForetoldLandscape, weights_of_sides

NONE = np.zeros((0, 2))


def grid() -> np.ndarray:
    side = np.linspace(0, 1, 21)
    return np.stack([axis.ravel() for axis in np.meshgrid(side, np.linspace(0, 1, 5))], axis=-1)


def ridge(places: np.ndarray, top: float = 0.5) -> np.ndarray:
    """Quality with its best along a line; the second side hardly matters."""
    return np.asarray(0.5 - (places[:, 0] - top) ** 2 + 0.02 * places[:, 1])


def next_of(landscape: ForetoldLandscape, tried: np.ndarray, values: np.ndarray) -> np.ndarray:
    (place,) = landscape.next_settings(tried, values, awaited=NONE, count=1)
    return np.asarray(grid()[place])


def test_the_first_is_where_most_is_foretold() -> None:
    landscape = ForetoldLandscape(grid(), ridge(grid()))
    assert next_of(landscape, NONE, np.zeros(0))[0] == pytest.approx(0.5)


def test_what_trials_come_to_moves_the_next_ones_away_from_where_too_much_was_foretold() -> None:
    landscape = ForetoldLandscape(grid(), ridge(grid()))
    tried, values = np.array([[0.5, 1.0], [0.6, 0.5]]), np.array([0.35, 0.25])
    assert next_of(landscape, tried, values)[0] < 0.5


def test_an_offset_of_all_does_not_matter() -> None:
    tried = np.array([[0.5, 1.0], [0.3, 0.0]])
    raised = ForetoldLandscape(grid(), ridge(grid()) + 0.02)
    landscape = ForetoldLandscape(grid(), ridge(grid()))
    chosen = [next_of(one, tried, ridge(tried)) for one in (landscape, raised)]
    np.testing.assert_allclose(chosen[0][0], chosen[1][0], atol=REGION / 2)


def test_a_peak_that_the_scout_has_at_the_wrong_place_is_found() -> None:
    landscape = ForetoldLandscape(grid(), ridge(grid(), top=0.7))
    tried, values = NONE, np.zeros(0)
    for _ in range(6):
        place = next_of(landscape, tried, values)
        tried = np.concatenate([tried, place[None]])
        values = ridge(tried, top=0.4)
    assert abs(tried[values.argmax()][0] - 0.4) <= 0.1


def test_of_several_each_is_another_setting_until_none_is_left() -> None:
    places = grid()[:7]
    landscape = ForetoldLandscape(places, ridge(places))
    assert sorted(landscape.next_settings(NONE, np.zeros(0), awaited=NONE, count=9)) == list(range(7))
    chosen = landscape.next_settings(places[:2], np.array([0.4, 0.4]), awaited=places[2:4], count=9)
    assert sorted(chosen) == [4, 5, 6]
    assert landscape.next_settings(places, ridge(places), awaited=NONE, count=1) == []


def test_the_second_of_two_at_once_is_what_follows_the_first_one_awaited() -> None:
    # Its best is at no setting: else two to either side of it are expected to come to the same but for rounding.
    landscape = ForetoldLandscape(grid(), ridge(grid(), top=0.47))
    both = landscape.next_settings(NONE, np.zeros(0), awaited=NONE, count=2)
    later = landscape.next_settings(NONE, np.zeros(0), awaited=grid()[both[:1]], count=1)
    assert both[1:] == later


def test_a_trial_beyond_all_that_was_swept_counts() -> None:
    places = grid()[grid()[:, 0] <= 0.3]
    landscape = ForetoldLandscape(places, ridge(places))
    assert landscape.next_settings(np.array([[1.0, 1.0]]), np.array([0.1]), awaited=NONE, count=1)


def test_the_side_that_matters_less_counts_for_less() -> None:
    first, second = weights_of_sides(grid(), ridge(grid()))
    assert first == 1
    assert second < 0.2
    np.testing.assert_array_equal(weights_of_sides(grid(), np.full(len(grid()), 0.3)), [1, 1])
    np.testing.assert_array_equal(weights_of_sides(grid()[:5], ridge(grid()[:5])), [1, 1])
