import math
from dataclasses import fields

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.quality import ArtefactExcess, PhotoQuality, Quality, average_photos, combine_parts
from models.pictures.images import Image
from objectives.judging.judge import Judge
from objectives.judging.reasons import BARELY_STYLISED, OVER_STYLISED, SMALLEST_COST, Reason, find_reasons
from tests.objectives.drawn_pictures import draw_photo, draw_style, stylise

CLEAN = {"checkerboard": 0.0, "clipping": 0.0, "border": 0.0, "fixed_pattern": 0.0, "collapse": 0.0}
NOTHING_COPIED = {"copied_layout": 0.0, "copied_patches": 0.0}


def scored(content: float = 0.6, style: float = 0.6, *, copied: float = 0.0, **excesses: float | None) -> PhotoQuality:
    return combine_parts(
        content=content,
        style=style,
        artefacts=ArtefactExcess(**{**CLEAN, **excesses}),
        content_exponent=0.5,
        terms={**NOTHING_COPIED, "copied_patches": copied},
    )


def test_every_term_of_the_artefact_factor_is_a_reason_of_its_own() -> None:
    names = [reason.name for reason in find_reasons(scored(**dict.fromkeys(CLEAN, 1.0)), content_exponent=0.5)]
    assert names == [field.name for field in fields(ArtefactExcess)]


def reasons_of(quality: Quality | PhotoQuality, *, content_exponent: float = 0.5) -> list[Reason]:
    return list(find_reasons(quality, content_exponent=content_exponent))


def test_a_good_output_has_none() -> None:
    assert reasons_of(scored()) == []


def test_each_reason_by_hand() -> None:
    """A quarter of the least content costs half the quality; an excess of ln 4 three quarters of it."""
    (content,) = reasons_of(scored(content=OVER_STYLISED / 4))
    assert (content.name, content.text) == ("content", "over-stylised: content 0.09")
    assert content.cost == pytest.approx(0.5, abs=0.03)  # the soft clip
    (style,) = reasons_of(scored(style=BARELY_STYLISED / 2))
    assert (style.name, style.text) == ("style", "barely stylised: style 0.08")
    assert style.cost == pytest.approx(1 - 0.5**0.5, abs=0.02)
    (checkerboard,) = reasons_of(scored(checkerboard=math.log(4.0)))
    assert checkerboard == Reason(name="checkerboard", text="checkerboard", cost=pytest.approx(0.75))
    (copied,) = reasons_of(scored(style=0.3, copied=0.25))
    assert (copied.text, copied.cost) == ("pieces of the style image: 25% copied", pytest.approx(0.25))


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("clipping", "clipped colours"),
        ("border", "border"),
        ("fixed_pattern", "the same pattern in every output"),
        ("collapse", "collapsed to flat or equal outputs"),
    ],
)
def test_artefacts_are_named(name: str, text: str) -> None:
    assert [(reason.name, reason.text) for reason in reasons_of(scored(**{name: 1.0}))] == [(name, text)]


def test_what_costs_little_is_not_named() -> None:
    assert reasons_of(scored(border=-math.log1p(-0.9 * SMALLEST_COST))) == []
    assert len(reasons_of(scored(border=-math.log1p(-1.1 * SMALLEST_COST)))) == 1


def test_terms_that_need_several_outputs_may_be_missing() -> None:
    assert reasons_of(scored(fixed_pattern=None, collapse=None)) == []


def test_a_picture_that_keeps_nothing_and_takes_nothing_is_not_called_over_stylised() -> None:
    words = {reason.text for reason in reasons_of(scored(content=0.05, style=0.05))}
    assert words == {"photo lost: content 0.05", "unlike the style image: style 0.05"}


def test_a_copy_is_not_called_unlike_the_style_image() -> None:
    assert [reason.name for reason in reasons_of(scored(style=0.0, copied=1.0))] == ["copied"]


def test_reasons_of_several_photos_are_of_their_means() -> None:
    mean = average_photos([scored(checkerboard=1.0), scored(checkerboard=3.0)])
    (reason,) = reasons_of(mean)
    assert reason.cost == pytest.approx(1.0 - math.exp(-2.0))


PARTS = st.floats(0.0, 1.0)


@given(content=PARTS, style=PARTS, copied=PARTS, border=st.floats(0.0, 5.0), exponent=PARTS)
def test_costs_are_shares_and_fall(content: float, style: float, copied: float, border: float, exponent: float) -> None:
    costs = [
        reason.cost
        for reason in reasons_of(scored(content, style, copied=copied, border=border), content_exponent=exponent)
    ]
    assert all(SMALLEST_COST <= cost <= 1.0 for cost in costs)
    assert costs == sorted(costs, reverse=True)


def test_reasons_of_drawn_pictures() -> None:
    photo, style = draw_photo(), draw_style(height=64, width=64)
    judge = Judge(style=style, photos=[photo])

    def names(picture: Image) -> set[str]:
        return {reason.name for reason in reasons_of(judge.score([picture]))}

    painted = stylise(photo, style, strength=0.4)
    assert names(photo) == {"style"}
    assert {"content", "style"} <= names(np.full_like(photo, 0.5))
    board = 0.2 * (np.indices(photo.shape[:2]).sum(axis=0) % 2 - 0.5)[..., None]
    assert "checkerboard" in names(np.clip(painted + board, 0.0, 1.0).astype(np.float32))
    framed = painted.copy()
    framed[:3], framed[-3:], framed[:, :3], framed[:, -3:] = 0.0, 0.0, 0.0, 0.0
    assert "border" in names(framed)
