"""Matching two losses by what their terms pull: by hand, there and back, and where there is nothing to match."""

import numpy as np
import pytest
from numpy.typing import NDArray

from measures.errors import MatchingError
from measures.gradient_matching import NEAR, NO_MATCH, Nearness, match_weights


def draw(seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(3, 4, 5, 3)).astype(np.float32)


def draw_terms(seed: int) -> dict[str, NDArray[np.float32]]:
    return {name: draw(10 * seed + place) for place, name in enumerate(("content", "style", "total_variation"))}


def test_constants_between_two_losses_are_found() -> None:
    """By hand: content pulls half, style 8 and total variation 10 times as hard: 1 : 2 * 8 * 2 : 3 * 10 * 2."""
    ours = draw_terms(1)
    native = {
        "content": ours["content"] / 2,
        "style": ours["style"] * 8,
        "total_variation": ours["total_variation"] * 10,
    }
    found = match_weights({"content": 1.0, "style": 2.0, "total_variation": 3.0}, native, into=ours)
    assert found.weights == pytest.approx({"content": 1.0, "style": 32.0, "total_variation": 60.0}, rel=1e-5)
    assert found.cosine == pytest.approx(1.0, abs=1e-6)
    assert found.lowest_cosine == pytest.approx(1.0, abs=1e-6)
    assert found.term_cosines == pytest.approx(dict.fromkeys(ours, 1.0), abs=1e-6)
    assert found.nearness is Nearness.SAME


def test_over_pictures_the_geometric_mean() -> None:
    ours = {"content": np.ones((2, 1, 1, 3), np.float32), "style": np.ones((2, 1, 1, 3), np.float32)}
    native = {"content": ours["content"], "style": np.stack([ours["style"][0] * 2, ours["style"][1] * 8])}
    assert match_weights({"content": 1.0, "style": 1.0}, native, into=ours).weights["style"] == pytest.approx(4.0)


def test_there_and_back_gives_the_same_weights() -> None:
    native, ours = draw_terms(1), draw_terms(2)
    weights = {"content": 7.5, "style": 1e10, "total_variation": 1e-6}
    there = match_weights(weights, native, into=ours)
    back = match_weights(there.weights, ours, into=native, content=7.5)
    assert back.weights == pytest.approx(weights, rel=1e-9)
    assert back.cosine == pytest.approx(there.cosine)


def test_cosine_by_hand() -> None:
    """Two terms at right angles, of which the second is turned about: (1, 1) against (1, -1) after matching."""
    first = np.array([1.0, 0.0, 0.0], np.float32).reshape(1, 1, 1, 3)
    second = np.array([0.0, 1.0, 0.0], np.float32).reshape(1, 1, 1, 3)
    found = match_weights(
        {"content": 1.0, "style": 1.0}, {"content": first, "style": second}, into={"content": first, "style": -second}
    )
    assert found.cosine == pytest.approx(0.0)
    assert found.term_cosines == pytest.approx({"content": 1.0, "style": -1.0})
    assert found.nearness is Nearness.NO_MATCH
    assert (NEAR, NO_MATCH) == (0.95, 0.5)


@pytest.mark.parametrize(
    ("cosine", "wanted"),
    [
        (1.0, "same"),
        (0.95, "same"),
        (0.949, "approximate"),
        (0.5, "approximate"),
        (0.499, "no match"),
        (-1.0, "no match"),
    ],
)
def test_nearness_by_the_cosine(cosine: float, wanted: str) -> None:
    assert Nearness.of(cosine) == wanted


def test_a_loss_in_which_something_stands_in_is_not_the_same() -> None:
    assert [Nearness.of(cosine, reasons=["VGG-19 stands in"]) for cosine in (1.0, 0.9, 0.3)] == [
        Nearness.APPROXIMATE,
        Nearness.APPROXIMATE,
        Nearness.NO_MATCH,
    ]


def test_a_term_that_the_other_loss_has_not_is_left_out() -> None:
    ours = draw_terms(1)
    native = {name: ours[name] for name in ("content", "style")}
    found = match_weights({"content": 1.0, "style": 1.0, "total_variation": 0.3}, ours, into=native)
    assert found.left_out == ("total_variation",)
    assert found.weights == pytest.approx({"content": 1.0, "style": 1.0})
    assert found.cosine < 1.0
    back = match_weights({"content": 1.0, "style": 1.0}, native, into=ours)
    assert back.weights["total_variation"] == 0.0
    assert back.left_out == ()


def test_a_weight_of_zero_stays_zero() -> None:
    ours = draw_terms(1)
    found = match_weights({"content": 1.0, "style": 0.0, "total_variation": 0.0}, draw_terms(2), into=ours)
    assert found.weights == {"content": 1.0, "style": 0.0, "total_variation": 0.0}


@pytest.mark.parametrize("value", [0.0, np.nan, np.inf])
def test_a_term_that_pulls_at_nothing(value: float) -> None:
    ours, native = draw_terms(1), draw_terms(2)
    native["style"][1] = value
    with pytest.raises(MatchingError, match="The style loss pulls at no pixel of some picture"):
        match_weights({"content": 1.0, "style": 1.0, "total_variation": 1.0}, native, into=ours)
