from hypothesis import given
from hypothesis import strategies as st

from measures.fronts import non_dominated

values = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0]) | st.floats(0, 1)


def dominates(one: tuple[float, ...], other: tuple[float, ...]) -> bool:
    return one != other and all(mine >= theirs for mine, theirs in zip(one, other, strict=True))


def test_by_hand() -> None:
    points = [(0.2, 0.9), (0.5, 0.5), (0.4, 0.4), (0.9, 0.1), (0.5, 0.2)]
    assert non_dominated(points) == [0, 1, 3]


def test_equal_points_all_stay() -> None:
    assert non_dominated([(0.5, 0.5), (0.5, 0.5), (0.5, 0.4)]) == [0, 1]


def test_nothing_has_no_front() -> None:
    assert non_dominated([]) == []


@given(st.lists(st.tuples(values, values), max_size=20) | st.lists(st.tuples(values, values, values), max_size=12))
def test_it_is_what_comparing_every_pair_leaves(points: list[tuple[float, ...]]) -> None:
    left = [index for index, point in enumerate(points) if not any(dominates(other, point) for other in points)]
    assert non_dominated(points) == left
