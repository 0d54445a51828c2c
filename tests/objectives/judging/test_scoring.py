import json
import math
import weakref
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from models.pictures.images import Image, resize
from objectives.errors import QualityError
from objectives.judging import scoring
from objectives.judging.anchor_pictures import recolour
from objectives.judging.judge import Judge
from objectives.judging.measuring import JudgedPhoto, measure_photo
from objectives.judging.scoring import (
    MAX_STYLES,
    Output,
    OutputPixels,
    PictureScore,
    PictureScorer,
    bounded_size,
    check_sizes,
)
from objectives.judging.style_reference import StyleReference
from tests.objectives.drawn_pictures import draw_photo, draw_style, stylise

pytestmark = pytest.mark.slow

PHOTO, OTHER, STYLE = draw_photo(), draw_photo(seed=1), draw_style(height=64, width=64)


def output(
    picture: Image, *, name: str = "a.png", photo: Image = PHOTO, remark: str = "", read: list[str] | None = None
) -> Output:
    """An output at hand; as it is read, its name is written into `read`."""

    def pixels() -> OutputPixels:
        if read is not None:
            read.append(name)
        return OutputPixels(picture=picture, photo=photo, remark=remark)

    return Output(
        name=name,
        own_size=(picture.shape[0], picture.shape[1]),
        size=(picture.shape[0], picture.shape[1]),
        photo_name="photo.jpg" if photo is PHOTO else "other.jpg",
        photo_size=(photo.shape[0], photo.shape[1]),
        photo_id=str(photo.tobytes()),
        read=pixels,
    )


def score_alone(picture: Image, *, style: Image = STYLE, photo: Image = PHOTO) -> PictureScore:
    (scored,) = PictureScorer(style).score("a.png", [output(picture, photo=photo)]).pictures
    return scored


def test_a_picture_of_the_photos_size_scores_as_the_judge_says() -> None:
    picture = stylise(PHOTO, STYLE, strength=0.4)
    scored = score_alone(picture)
    assert scored.quality == Judge(style=STYLE, photos=[PHOTO]).score([picture]).photos[0]
    assert (scored.note, scored.photo) == ("", "photo.jpg")
    assert scored.quality.quality > score_alone(PHOTO).quality.quality


def test_proportions_are_those_of_the_files_and_not_of_what_is_left_when_they_are_shrunk() -> None:
    """16 to 1 as a file, a little more when half as large."""
    photo = resize(PHOTO, height=40, width=640)
    shrunk = replace(output(resize(photo, height=20, width=321), photo=photo), own_size=(40, 640))
    assert PictureScorer(STYLE).score("long", [shrunk]).pictures[0].quality.quality > 0.0


def test_outputs_of_a_network_are_judged_together() -> None:
    pictures = [stylise(photo, STYLE, strength=0.4) for photo in (PHOTO, OTHER)]
    outputs = [output(pictures[0]), output(pictures[1], name="b.png", photo=OTHER)]
    scored = PictureScorer(STYLE).score("network", outputs)
    assert scored.quality == Judge(style=STYLE, photos=[PHOTO, OTHER]).score(pictures)
    assert scored.quality.standard_error is not None
    assert scored.quality.terms["collapse"] is not None
    assert [picture.picture for picture in scored.pictures] == ["a.png", "b.png"]


def test_reasons_are_given_for_all_and_for_each() -> None:
    outputs = [output(PHOTO), output(stylise(OTHER, STYLE, strength=0.4), name="b.png", photo=OTHER)]
    scored = PictureScorer(STYLE).score("network", outputs)
    assert [reason.name for reason in scored.pictures[0].reasons] == ["style"]
    grey = [output(np.full_like(PHOTO, 0.5), photo=photo) for photo in (PHOTO, OTHER)]
    assert "collapse" in {reason.name for reason in PictureScorer(STYLE).score("grey", grey).reasons}


def test_a_picture_of_another_size_is_scored_and_the_resize_is_said() -> None:
    note = score_alone(resize(stylise(PHOTO, STYLE, strength=0.4), height=48, width=72)).note
    assert note == "photo resized from 96x64 px to 72x48 px; style image resized to a shorter side of 48 px"


@pytest.fixture
def measured(monkeypatch: pytest.MonkeyPatch) -> list[tuple[int, ...]]:
    """Shapes of the photos that are measured from now on."""
    shapes: list[tuple[int, ...]] = []

    def measure(photo: Image, *, style: StyleReference) -> JudgedPhoto:
        shapes.append(photo.shape)
        return measure_photo(photo, style=style)

    monkeypatch.setattr(scoring, "measure_photo", measure)
    return shapes


def test_a_photo_is_measured_once(measured: list[tuple[int, ...]]) -> None:
    scorer = PictureScorer(STYLE)
    first = scorer.score("a", [output(PHOTO)])
    scorer.score("b", [output(stylise(PHOTO, STYLE, strength=0.4))])
    scorer.score("c", [output(OTHER, photo=OTHER)])
    assert len(measured) == 2
    assert scorer.score("a", [output(PHOTO)]) == first
    assert len(measured) == 2


def test_measured_photos_are_kept_as_far_as_memory_goes(
    measured: list[tuple[int, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = PictureScorer(STYLE)
    reference = StyleReference(STYLE, picture_side=64)
    monkeypatch.setattr(scoring, "KEPT_BYTES", 1.5 * measure_photo(PHOTO, style=reference).num_bytes)
    for photo in (PHOTO, PHOTO, OTHER, OTHER, PHOTO):
        scorer.score("a", [output(photo, photo=photo)])
    assert len(measured) == 3


def test_photos_of_one_name_are_not_taken_for_each_other() -> None:
    scorer = PictureScorer(STYLE)
    scorer.score("a", [output(PHOTO)])
    other = replace(output(OTHER, photo=OTHER), photo_name="photo.jpg")
    assert scorer.score("b", [other]).quality == PictureScorer(STYLE).score("b", [other]).quality


def test_few_scales_of_the_style_image_are_kept() -> None:
    scorer = PictureScorer(STYLE)
    for side in range(32, 32 + 2 * MAX_STYLES):
        scorer.score("a", [output(resize(PHOTO, height=side, width=round(1.5 * side)))])
    assert len(scorer._styles) == MAX_STYLES


def test_pictures_are_read_when_their_turn_comes() -> None:
    read: list[str] = []
    outputs = [
        output(stylise(photo, STYLE, strength=0.4), name=name, photo=photo, read=read)
        for name, photo in (("a", PHOTO), ("b", OTHER))
    ]
    read_at: list[list[str]] = []
    PictureScorer(STYLE).score("network", outputs, on_picture=lambda: read_at.append([*read]))
    assert read_at == [["a"], ["a", "b"]]


def test_no_picture_is_kept() -> None:
    """Once the second is read, the first is gone."""
    read: list[weakref.ref[Image]] = []
    gone: list[bool] = []

    def pixels(photo: Image) -> OutputPixels:
        gone.extend(picture() is None for picture in read)
        picture = stylise(photo, STYLE, strength=0.4)
        read.append(weakref.ref(picture))
        return OutputPixels(picture=picture, photo=photo)

    outputs = [
        replace(output(photo, name=name, photo=photo), read=partial(pixels, photo))
        for name, photo in (("a", PHOTO), ("b", OTHER), ("c", draw_photo(seed=2)))
    ]
    PictureScorer(STYLE).score("network", outputs)
    # What was read last lives until the next is there.
    assert gone == [False, True, False]


def test_a_picture_that_was_replaced_meanwhile_is_named() -> None:
    later = replace(output(PHOTO), size=(32, 48))
    with pytest.raises(QualityError, match=r"'a\.png' was 48x32 px at first and is 96x64 px now"):
        PictureScorer(STYLE).score("x", [later])


@pytest.mark.parametrize(
    ("size", "judged"),
    [
        ((288, 432), (288, 432)),
        ((1080, 1920), (1080, 1920)),
        ((4000, 6000), (1180, 1770)),
        ((2000, 32000), (361, 5781)),
    ],
)
def test_pictures_are_judged_at_no_more_than_two_megapixels(size: tuple[int, int], judged: tuple[int, int]) -> None:
    assert bounded_size(*size) == judged


@pytest.mark.parametrize("turned", [False, True])
def test_a_strip_is_scored_and_a_longer_one_refused(turned: bool) -> None:
    """1 : 8 of photo and style image."""
    strip, style = draw_photo(height=32, width=256), draw_style(height=32, width=256)
    if turned:
        style = style.transpose(1, 0, 2).copy()
    scored = score_alone(stylise(strip, style, strength=0.4), photo=strip, style=style)
    assert scored.quality.quality > score_alone(strip, photo=strip, style=style).quality.quality
    with pytest.raises(
        QualityError, match=r"'a\.png' must not be longer than 16 times its shorter side. Received 544x32"
    ):
        check_sizes("a.png", (32, 544), (32, 544))


@pytest.mark.parametrize("half", ["photo", "style"])
def test_what_is_half_one_colour_is_scored(half: str) -> None:
    photo, style = PHOTO.copy(), STYLE.copy()
    (photo if half == "photo" else style)[:, : STYLE.shape[1] // 2] = 0.9
    painted = score_alone(stylise(photo, style, strength=0.2), photo=photo, style=style).quality
    trivial = score_alone(recolour(photo, style), photo=photo, style=style).quality
    assert all(math.isfinite(value) for value in painted.terms.values() if value is not None)
    assert painted.quality > trivial.quality


def test_plain_values_survive_json_and_name_what_is_missing() -> None:
    values = PictureScorer(STYLE).score("a.png", [output(PHOTO)]).to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["terms"]["collapse"] is None
    assert (values["standard_error"], values["spread"]) == (None, None)
    assert set(values) >= {"name", "quality", "content_preservation", "style_match", "artefact_factor", "reasons"}
    (picture,) = values["pictures"]
    assert picture["reasons"][0]["text"].startswith("barely stylised: style 0.0")


def test_outputs_of_one_photo_are_judged_by_themselves() -> None:
    """What they share is the photo's, no pattern of a network, and one photo has no standard error."""
    picture = stylise(PHOTO, STYLE, strength=0.4)
    outputs = [output(picture), output(picture, name="b.png"), output(resize(picture, height=48, width=72), name="c")]
    scored = PictureScorer(STYLE).score("network", outputs)
    assert [row.quality for row in scored.pictures] == [score_alone(one.read().picture).quality for one in outputs]
    assert scored.quality.quality == pytest.approx(np.mean([row.quality.quality for row in scored.pictures]))
    assert (scored.quality.standard_error, scored.quality.spread) == (None, None)
    assert (scored.quality.terms["fixed_pattern"], scored.quality.terms["collapse"]) == (None, None)
    assert [row.note for row in scored.pictures] == [
        "judged by itself, for several pictures are of one photo",
        "judged by itself, for several pictures are of one photo",
        f"{score_alone(outputs[2].read().picture).note}; judged by itself, for several pictures are of one photo",
    ]


@pytest.mark.parametrize("scale", [0.5, 0.73, 2.0])
def test_a_resized_photo_as_style_image_is_the_same_picture(scale: float) -> None:
    style = resize(PHOTO, height=round(64 * scale), width=round(96 * scale))
    assert "photo and style image are the same picture" in score_alone(PHOTO, style=style).note


@pytest.mark.parametrize("style", [OTHER, PHOTO[:, ::-1].copy(), PHOTO[:, :64]], ids=["other", "mirrored", "cropped"])
def test_another_style_image_is_not_the_same_picture(style: Image) -> None:
    assert "same picture" not in score_alone(PHOTO, style=style).note


def test_identical_photo_and_style_image_score_finite_and_are_named() -> None:
    for picture in (PHOTO, np.full_like(PHOTO, 0.5)):
        scored = score_alone(picture, style=PHOTO)
        assert 0.0 <= scored.quality.quality <= 1.0
        assert scored.note == "photo and style image are the same picture, so the style match says nothing"


@pytest.mark.parametrize(
    ("picture", "photo"),
    [
        ((64, 96), (64, 96)),
        ((48, 72), (64, 96)),
        ((43, 64), (683, 1024)),
        ((683, 1024), (43, 64)),
        ((324, 484), (321, 481)),
        ((320, 480), (321, 481)),
        ((254, 256), (1024, 1024)),
    ],
)
def test_what_rounding_leaves_of_proportions_is_accepted(picture: tuple[int, int], photo: tuple[int, int]) -> None:
    check_sizes("a.png", picture, photo)
    check_sizes("a.png", picture[::-1], photo[::-1])


@pytest.mark.parametrize(
    ("picture", "photo"),
    [((236, 256), (256, 256)), ((942, 1024), (1024, 1024)), ((253, 256), (512, 512)), ((96, 64), (64, 96))],
)
def test_a_cropped_picture_is_refused_with_both_sizes(picture: tuple[int, int], photo: tuple[int, int]) -> None:
    sizes = f"Received {picture[1]}x{picture[0]} px for a photo of {photo[1]}x{photo[0]} px"
    with pytest.raises(QualityError, match=rf"'a\.png' must have the photo's proportions\. {sizes}"):
        check_sizes("a.png", picture, photo)


def test_other_proportions_and_tiny_pictures_are_named() -> None:
    scorer = PictureScorer(STYLE)
    with pytest.raises(QualityError, match=r"'square\.png' must have the photo's proportions"):
        scorer.score("x", [output(PHOTO[:, :64], name="square.png")])
    with pytest.raises(QualityError, match=r"'tiny\.png' must have sides of at least 16 px"):
        scorer.score("x", [output(PHOTO[:12, :18], name="tiny.png")])
