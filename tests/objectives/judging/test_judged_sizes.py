"""Any size of style image against any size of photos: in range, and tiles of the style are still told from photos."""

import math
from itertools import product

import numpy as np
import pytest

from models.pictures.images import Image, resize
from objectives.judging.anchor_pictures import recolour, shuffle_tiles
from objectives.judging.judge import Judge
from objectives.judging.style_reference import LARGEST_JUDGED_SIDE, MIN_PICTURE_SIDE
from tests.objectives.drawn_pictures import draw_photo, draw_style

pytestmark = pytest.mark.slow

SIDES = (MIN_PICTURE_SIDE, 31, 48, 96, 257, 1024)
LARGEST_STYLE = 1100
"""Pixels of the style image at the judge's scale: beyond, a case takes long and shows nothing new."""


def at_judges_scale(style: int, photo: int) -> float:
    return style * max(LARGEST_JUDGED_SIDE, photo) / photo


def draw(side: int, *, seed: int = 0) -> Image:
    """A photo a little wider than high."""
    return resize(draw_photo(seed), height=side, width=side + side // 8)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("style", "photo"),
    [sides for sides in product(SIDES, SIDES) if at_judges_scale(*sides) <= LARGEST_STYLE],
)
def test_every_pair_of_sizes_is_scored(style: int, photo: int) -> None:
    photos = [draw(photo), draw(photo, seed=1)]
    painting = resize(draw_style(), height=style, width=style + style // 3)
    quality = Judge(style=painting, photos=photos).score([recolour(each, painting) for each in photos])
    for each in quality.photos:
        parts = (each.quality, each.content_preservation, each.style_match, each.artefact_factor)
        assert all(0.0 <= part <= 1.0 for part in parts)
        assert all(value is not None and math.isfinite(value) for value in each.terms.values())
    assert quality.style_match < 0.2


@pytest.mark.parametrize(("style", "photo"), [(96, 1024), (48, 512), (30, 256)])
def test_a_style_image_far_smaller_than_the_photos_tells_its_tiles_from_the_photo(style: int, photo: int) -> None:
    """What is judged is mirrored, not enlarged: strokes stay as large as they are on the photos."""
    painting, picture = draw_style(height=style, width=style), draw(photo)
    judge = Judge(style=painting, photos=[picture])
    tiles = shuffle_tiles(painting, height=picture.shape[0], width=picture.shape[1], seed=5)
    matches = [judge.score([output]).style_match for output in (recolour(picture, painting), tiles)]
    noise = judge.score([np.random.default_rng(0).random(picture.shape, dtype=np.float32)]).style_match
    assert matches[0] < 0.1 < matches[1]
    assert noise < matches[1]
