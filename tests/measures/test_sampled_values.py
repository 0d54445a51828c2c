"""Sampled values: the loss weights that they give, that the two are each other's inverse, and what is refused."""

import json
import math
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.errors import SampledValuesError
from measures.loss_weights import LossWeights
from measures.sampled_values import SampledValues

RATIOS = st.floats(min_value=0, max_value=1e6)


def test_weights_by_hand() -> None:
    sampled = SampledValues(style_to_content=2.0, tv_to_content=1.0)
    assert sampled.loss_weights() == LossWeights(content=0.25, style=0.5, total_variation=0.25)


@given(style=RATIOS, variation=RATIOS)
def test_values_and_weights_are_each_others_inverse(style: float, variation: float) -> None:
    sampled = SampledValues(style_to_content=style, tv_to_content=variation)
    again = SampledValues.of_weights(sampled.loss_weights())
    assert again.to_dict() == pytest.approx(sampled.to_dict(), rel=1e-12)


@given(style=RATIOS, variation=RATIOS)
def test_a_record_comes_back_from_json_unchanged(style: float, variation: float) -> None:
    sampled = SampledValues(style_to_content=style, tv_to_content=variation)
    assert SampledValues.from_dict(json.loads(json.dumps(sampled.to_dict()))) == sampled


@pytest.mark.parametrize("value", [-0.1, math.nan, math.inf, -math.inf, "1", None, True], ids=repr)
@pytest.mark.parametrize("name", ["style_to_content", "tv_to_content"])
def test_a_value_that_is_no_ratio(name: str, value: Any) -> None:
    values = {"style_to_content": 1.0, "tv_to_content": 0.1, name: value}
    with pytest.raises(SampledValuesError, match=rf"`{name}` must be a finite number of at least 0\. Received"):
        SampledValues(**values)
    with pytest.raises(SampledValuesError, match=f"`{name}`"):
        SampledValues.from_dict(values)


@pytest.mark.parametrize("values", [{}, {"style_to_content": 1.0}, {"style_to_content": 1, "tv_to_content": 1, "x": 1}])
def test_a_record_of_other_names(values: dict[str, float]) -> None:
    with pytest.raises(
        SampledValuesError, match=r"style_to_content, tv_to_content, and may be style_size, style_tilt, learning_rate"
    ):
        SampledValues.from_dict(values)


def test_weights_without_content_have_no_ratios() -> None:
    with pytest.raises(SampledValuesError, match="`content` weight must be above 0"):
        SampledValues.of_weights(LossWeights(content=0.0, style=1.0, total_variation=0.0))
    with pytest.raises(SampledValuesError, match="`style_to_content` must be a finite number"):
        SampledValues.of_weights(LossWeights(content=5e-324, style=1.0, total_variation=0.0))
