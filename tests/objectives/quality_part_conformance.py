"""What every part of the quality promises; each part's test class inherits this and says how it is measured."""

import itertools
import math
from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
import pytest

from models.pictures.images import Image
from tests.objectives.drawn_pictures import draw_photo, draw_style


def flat(level: float, height: int = 16, width: int = 16) -> Image:
    return np.full((height, width, 3), level, dtype=np.float32)


def odd_pictures() -> dict[str, Image]:
    """Pictures of 16 px on which something is undefined: no variance, no colour, everything clipped."""
    return {
        "photo": draw_photo(1, height=16, width=16),
        "style": draw_style(height=16, width=16),
        "black": flat(0.0),
        "grey": flat(0.5),
        "white": flat(1.0),
        "noise": np.random.default_rng(0).random((16, 16, 3), dtype=np.float32),
    }


class QualityPartConformance(ABC):
    """Range, direction, and finite values where pictures are flat, tiny or equal."""

    lowest: ClassVar[float]
    highest: ClassVar[float]
    higher_is_better: ClassVar[bool]

    @abstractmethod
    def measure(self, output: Image, *, photo: Image, style: Image) -> float: ...

    @abstractmethod
    def better_and_worse(self) -> tuple[Image, Image]:
        """Two outputs for `draw_photo()` and `draw_style()`; the first is better in this part."""

    @pytest.mark.parametrize("output", list(odd_pictures()))
    def test_finite_and_in_range_on_flat_tiny_and_equal_pictures(self, output: str) -> None:
        pictures = odd_pictures()
        for photo, style in itertools.product(pictures, repeat=2):
            value = self.measure(pictures[output], photo=pictures[photo], style=pictures[style])
            assert math.isfinite(value), (photo, style)
            assert self.lowest <= value <= self.highest, (photo, style)

    def test_direction(self) -> None:
        photo, style = draw_photo(), draw_style()
        better, worse = (self.measure(output, photo=photo, style=style) for output in self.better_and_worse())
        assert better > worse if self.higher_is_better else better < worse

    def test_deterministic_and_inputs_untouched(self) -> None:
        photo, style, output = draw_photo(), draw_style(), self.better_and_worse()[0]
        before = [picture.copy() for picture in (photo, style, output)]
        first = self.measure(output, photo=photo, style=style)
        assert self.measure(output, photo=photo, style=style) == first
        for picture, copy in zip((photo, style, output), before, strict=True):
            np.testing.assert_array_equal(picture, copy)
