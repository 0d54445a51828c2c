"""Any size of style image against any size of photos: in range, and tiles of the style are still told from photos."""

import math
from itertools import product

import pytest

from models.pictures.images import Image, resize, resize_short_side
from objectives.judging.anchor_pictures import recolour, shuffle_tiles
from objectives.judging.judge import Judge
from objectives.judging.style_match import STYLE_SCALES
from objectives.judging.style_reference import LARGEST_JUDGED_SIDE, MIN_PICTURE_SIDE
from tests.objectives.drawn_pictures import draw_photo, draw_style, stylise

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


def test_pictures_smaller_than_the_judges_are_judged_alike_whatever_the_size_of_the_style_images_file() -> None:
    """`score` passes the file as it is, a study one that has the photos' size already."""
    painting, photos = draw_style(height=256, width=320), [draw(48), draw(48, seed=1)]
    outputs = [stylise(photo, painting, strength=0.5) for photo in photos]
    small = resize_short_side(painting, 48)
    assert Judge(style=painting, photos=photos).score(outputs) == Judge(style=small, photos=photos).score(outputs)


@pytest.mark.parametrize("scale", STYLE_SCALES)
def test_tiles_of_the_style_image_are_found_at_every_scale(scale: float) -> None:
    """As strokes of a network are, however large it was trained to make them; but tiles are copies."""
    painting, picture = draw_style(height=256, width=256), draw(256)
    smaller = resize(painting, height=round(256 * scale), width=round(256 * scale))
    tiles = shuffle_tiles(smaller, height=picture.shape[0], width=picture.shape[1], seed=5)
    judge = Judge(style=painting, photos=[picture])
    terms = judge.score([tiles]).terms
    assert terms["style_scale"] == pytest.approx(scale, rel=0.5)
    assert terms["texture"] is not None
    assert terms["texture"] > 0.5
    assert terms["copied_patches"] is not None
    assert terms["copied_patches"] > 0.3


def test_the_size_of_the_style_image_hardly_matters() -> None:
    painting, picture = draw_style(height=512, width=512), draw(128)
    output = stylise(picture, painting, strength=0.3)
    qualities = [
        Judge(style=resize(painting, height=side, width=side), photos=[picture]).score([output]).quality
        for side in (512, 256, 128)
    ]
    assert max(qualities) < 1.05 * min(qualities)


def test_of_a_style_image_of_long_proportions_the_middle_is_judged() -> None:
    painting, photo = draw_style(height=32, width=512), draw_photo(height=16, width=16)
    middle = painting[:, 128:384]

    scored = Judge(style=painting, photos=[photo]).score([recolour(photo, painting)])

    assert scored == Judge(style=middle, photos=[photo]).score([recolour(photo, painting)])
