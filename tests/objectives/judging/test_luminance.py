import numpy as np
import pytest

from objectives.judging.luminance import box_blur, correlation, halve, luminance


def test_luminance_of_grey_is_its_value() -> None:
    np.testing.assert_allclose(luminance(np.full((2, 3, 3), 0.4, dtype=np.float32)), np.full((2, 3), 0.4), rtol=1e-6)


def test_halve_averages_blocks_and_drops_the_odd_column() -> None:
    plane = np.array([[0, 2, 9], [4, 6, 9]], dtype=np.float32)
    np.testing.assert_allclose(halve(plane), [[3.0]])


def test_halve_keeps_a_single_pixel() -> None:
    np.testing.assert_allclose(halve(np.array([[5.0]], dtype=np.float32)), [[5.0]])


def test_box_blur_equals_a_loop_over_windows() -> None:
    plane = np.random.default_rng(0).random((7, 5, 3), dtype=np.float32)
    padded = np.pad(plane, [(2, 2), (2, 2), (0, 0)], mode="edge")
    wanted = [[padded[row : row + 5, column : column + 5].mean(axis=(0, 1)) for column in range(5)] for row in range(7)]
    np.testing.assert_allclose(box_blur(plane, 2), wanted, rtol=1e-5)


def test_correlation_equals_pearson_without_a_floor() -> None:
    first, second = np.random.default_rng(0).random((2, 50), dtype=np.float32)
    assert correlation(first, second, variance_floor=0.0) == pytest.approx(np.corrcoef(first, second)[0, 1], abs=1e-6)


def test_correlation_of_a_constant_is_nearly_zero() -> None:
    varied = np.random.default_rng(0).random(50, dtype=np.float32)
    assert abs(correlation(varied, np.ones(50, dtype=np.float32), variance_floor=1e-6)) < 0.01
