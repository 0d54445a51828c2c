import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from studies.preferences import posterior
from studies.preferences.posterior import PRIOR_SCALES, Numbers, Posterior, find_posterior, log_likelihood

Z90 = 1.6449
"""Half of the middle 90 % of a normal distribution, in standard deviations."""


def logistic(value: float) -> float:
    return 1.0 / (1.0 + math.exp(-value))


def fit(differences: list[list[float]], wins: list[float], *, content: float = 0.5) -> Posterior:
    rows: Numbers = np.array(differences, dtype=np.float64).reshape(-1, 3)
    return find_posterior(rows, np.array(wins, dtype=np.float64), content_exponent=content, artefact_exponent=1.0)


@given(
    beta=st.lists(st.floats(-50, 50), min_size=3, max_size=3),
    difference=st.lists(st.floats(-4, 4), min_size=3, max_size=3),
    win=st.sampled_from([0.0, 0.5, 1.0]),
)
def test_likelihood_is_the_logistic_models(beta: list[float], difference: list[float], win: float) -> None:
    lead = sum(one * other for one, other in zip(beta, difference, strict=True))
    found = log_likelihood(np.array([beta]), np.array([difference]), np.array([win]))[0]
    if abs(lead) < 30:
        assert found == pytest.approx(win * math.log(logistic(lead)) + (1 - win) * math.log(logistic(-lead)), abs=1e-9)
    assert found <= 1e-12


def test_without_choices_it_is_the_prior() -> None:
    found = fit([], [], content=0.7)
    middle = math.log(0.7 / 0.3)
    assert found.content.quantile(0.5) == pytest.approx(0.7, abs=0.005)
    ends = [logistic(middle + sign * Z90 * PRIOR_SCALES[1]) for sign in (-1, 1)]
    assert found.content.interval(0.9) == pytest.approx(ends, abs=0.01)
    ends = [math.exp(sign * Z90 * PRIOR_SCALES[2]) for sign in (-1, 1)]
    assert found.artefacts.interval(0.9) == pytest.approx(ends, rel=0.05)


def test_an_exponent_at_the_end_of_its_range_can_be_moved() -> None:
    """A study that wants style alone may have a rater who wants content."""
    content_wins = fit([[1.0, -1.0, 0.0]] * 40, [1.0] * 40, content=0.0)
    assert content_wins.content.quantile(0.5) > 0.4


def test_it_agrees_with_a_fine_grid(monkeypatch: pytest.MonkeyPatch) -> None:
    generator = np.random.default_rng(3)
    differences = generator.normal(size=(30, 3))
    wins = (generator.random(30) < 1.0 / (1.0 + np.exp(-4.0 * differences @ [0.7, 0.3, 1.0]))).astype(float)
    coarse = find_posterior(differences, wins, content_exponent=0.5, artefact_exponent=1.0)
    monkeypatch.setattr(posterior, "POINTS", (61, 61, 61))
    fine = find_posterior(differences, wins, content_exponent=0.5, artefact_exponent=1.0)
    for share in (0.05, 0.5, 0.95):
        assert coarse.content.quantile(share) == pytest.approx(fine.content.quantile(share), abs=0.005)
        assert coarse.artefacts.quantile(share) == pytest.approx(fine.artefacts.quantile(share), rel=0.02)


def test_swapping_sides_changes_nothing() -> None:
    differences = [[0.5, -1.0, 0.1], [1.0, 0.2, 0.0], [-0.3, 0.8, 0.0]]
    one = fit(differences, [1.0, 0.5, 0.0])
    other = fit([[-value for value in row] for row in differences], [0.0, 0.5, 1.0])
    assert one.content.quantile(0.5) == pytest.approx(other.content.quantile(0.5), abs=1e-9)


def test_a_tie_is_half_a_choice_each_way() -> None:
    difference = [0.4, -0.9, 0.0]
    tied, both = fit([difference] * 2, [0.5, 0.5]), fit([difference] * 2, [1.0, 0.0])
    assert tied.content.interval(0.9) == pytest.approx(both.content.interval(0.9), abs=1e-9)
