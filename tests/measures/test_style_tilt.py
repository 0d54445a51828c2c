"""A tilt: by hand, level at 0, of mean 1 whatever it is, and by the same factor from layer to layer."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.style_tilt import MAX_TILT, tilted_layers

LAYERS = ("relu4_1", "relu1_1", "relu3_1", "relu2_1")


def test_weights_by_hand() -> None:
    assert tilted_layers(LAYERS, 1.0) == pytest.approx(
        {"relu1_1": 4 / 15, "relu2_1": 8 / 15, "relu3_1": 16 / 15, "relu4_1": 32 / 15}
    )


def test_no_tilt_leaves_every_layer_exactly_as_it_is() -> None:
    assert set(tilted_layers(LAYERS, 0.0).values()) == {1.0}
    assert tilted_layers(["relu2_1"], 3.0) == {"relu2_1": 1.0}


@given(tilt=st.floats(-MAX_TILT, MAX_TILT))
def test_weights_have_mean_one_and_one_factor_between_neighbours(tilt: float) -> None:
    weights = np.array(list(tilted_layers(LAYERS, tilt).values()))
    assert weights.mean() == pytest.approx(1)
    np.testing.assert_allclose(weights[1:] / weights[:-1], 2.0**tilt)
