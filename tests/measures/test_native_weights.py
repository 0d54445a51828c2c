"""Shares with which our loss is a trainer's: by hand, and as an identity."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.errors import WeightsError
from measures.native_weights import NativeWeights, native_references, native_shares, native_total

POSITIVE = st.floats(1e-6, 1e6)


def test_shares_by_hand() -> None:
    factors, references = {"near": 2.0, "far": 1.0}, {"near": 3.0, "far": 2.0}
    assert native_total(factors, references) == 8.0
    assert native_shares(factors, references) == {"near": 0.75, "far": 0.25}
    assert native_references(factors, references) == {"near": 2.0, "far": 4.0}


@given(layers=st.lists(st.tuples(POSITIVE, POSITIVE), min_size=1, max_size=5))
def test_equal_shares_of_these_references_are_the_native_shares(layers: list[tuple[float, float]]) -> None:
    """And a loss whose distances are the measured references is 1, as it is without a trainer."""
    factors = {f"layer{index}": factor for index, (factor, _) in enumerate(layers)}
    references = {f"layer{index}": reference for index, (_, reference) in enumerate(layers)}
    changed = native_references(factors, references)
    parts = {layer: references[layer] / changed[layer] / len(layers) for layer in factors}
    assert parts == pytest.approx(native_shares(factors, references))
    assert sum(parts.values()) == pytest.approx(1.0)


@given(
    layers=st.lists(st.tuples(POSITIVE, POSITIVE, st.floats(0.0, 1e6)), min_size=1, max_size=5),
)
def test_our_loss_with_these_shares_is_the_native_one_up_to_the_constant(
    layers: list[tuple[float, float, float]],
) -> None:
    names = [f"layer{index}" for index in range(len(layers))]
    factors = {name: factor for name, (factor, _, _) in zip(names, layers, strict=True)}
    references = {name: reference for name, (_, reference, _) in zip(names, layers, strict=True)}
    distances = {name: distance for name, (_, _, distance) in zip(names, layers, strict=True)}
    native = sum(factors[name] * distances[name] for name in names)
    shares = native_shares(factors, references)
    ours = sum(shares[name] * distances[name] / references[name] for name in names)
    assert sum(shares.values()) == pytest.approx(1.0)
    assert native_total(factors, references) * ours == pytest.approx(native, rel=1e-9)


@pytest.mark.parametrize("value", [-1.0, math.nan, math.inf])
@pytest.mark.parametrize("term", ["content", "style", "total_variation"])
def test_weights_that_are_no_finite_number_of_at_least_zero(term: str, value: float) -> None:
    with pytest.raises(WeightsError, match=f"`{term}` weight must be a finite number"):
        NativeWeights(**{"content": 1.0, "style": 1.0, "total_variation": 1.0, term: value})


def test_no_content_weight() -> None:
    with pytest.raises(WeightsError, match="`content` weight must be above 0"):
        NativeWeights(content=0.0, style=1.0, total_variation=0.0)
