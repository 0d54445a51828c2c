"""The three weights: they sum to 1, keep their ratios, and refuse what no training could use."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from measures.errors import WeightsError
from measures.loss_weights import TERMS, LossWeights, weights_in_words

positive = st.floats(min_value=1e-12, max_value=1e12)
not_negative = st.one_of(st.just(0.0), positive)


def test_normalised_by_hand() -> None:
    weights = LossWeights.normalised(content=1, style=2, total_variation=5)
    assert weights == LossWeights(content=0.125, style=0.25, total_variation=0.625)


@settings(deadline=None)
@given(content=positive, style=not_negative, total_variation=not_negative)
def test_normalised_sums_to_one_and_keeps_the_ratios(content: float, style: float, total_variation: float) -> None:
    weights = LossWeights.normalised(content=content, style=style, total_variation=total_variation)
    assert sum(weights.to_dict().values()) == pytest.approx(1, abs=1e-12)
    assert 0 < weights.content <= 1
    assert weights.style / weights.content == pytest.approx(style / content, rel=1e-9)
    assert weights.total_variation / weights.content == pytest.approx(total_variation / content, rel=1e-9)


@settings(deadline=None)
@given(content=positive, style=not_negative, total_variation=not_negative, scale=st.floats(1e-6, 1e6))
def test_normalised_does_not_see_the_scale(content: float, style: float, total_variation: float, scale: float) -> None:
    weights = LossWeights.normalised(content=content, style=style, total_variation=total_variation)
    scaled = LossWeights.normalised(
        content=content * scale, style=style * scale, total_variation=total_variation * scale
    )
    np.testing.assert_allclose(weights.as_vector(), scaled.as_vector(), rtol=1e-6)


@settings(deadline=None)
@given(content=positive, style=not_negative, total_variation=not_negative)
def test_normalised_twice_is_normalised_once(content: float, style: float, total_variation: float) -> None:
    once = LossWeights.normalised(content=content, style=style, total_variation=total_variation)
    twice = LossWeights.normalised(**once.to_dict())
    np.testing.assert_allclose(list(twice.to_dict().values()), list(once.to_dict().values()), rtol=1e-12)


def test_the_largest_numbers_do_not_overflow() -> None:
    weights = LossWeights.normalised(content=1e308, style=1e308, total_variation=1e308)
    assert weights.to_dict() == pytest.approx({"content": 1 / 3, "style": 1 / 3, "total_variation": 1 / 3})


@pytest.mark.parametrize("name", ["content", "style", "total_variation"])
@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, -math.inf])
def test_no_weight_is_negative_or_not_finite(name: str, value: float) -> None:
    weights = {"content": 1.0, "style": 1.0, "total_variation": 1.0, name: value}
    with pytest.raises(WeightsError, match=f"`{name}` weight must be a finite number of at least 0. Received {value}"):
        LossWeights.normalised(**weights)


@pytest.mark.parametrize("content", [0.0, 1e-320])
def test_content_counts(content: float) -> None:
    with pytest.raises(WeightsError, match="`content` weight must be above 0"):
        LossWeights.normalised(content=content, style=1e300, total_variation=0)


def test_vector_is_content_style_total_variation_in_float32() -> None:
    vector = LossWeights(content=0.5, style=0.3, total_variation=0.2).as_vector()
    assert vector.dtype == np.float32
    np.testing.assert_allclose(vector, [0.5, 0.3, 0.2], rtol=1e-7)


def test_the_vector_and_the_words_have_all_terms_in_order() -> None:
    weights = LossWeights(content=0.66225, style=0.3, total_variation=1e-5)
    assert tuple(weights.to_dict()) == TERMS
    assert weights_in_words(weights.to_dict()) == "content 0.6623, style 0.3, total variation 1e-05"
