import math

import numpy as np
import pytest
import skimage.data

from measures.quality import Quality
from measures.versions import JUDGE_VERSION
from models.pictures.images import Image, resize
from objectives.errors import QualityError
from objectives.judging.anchor_pictures import match_histograms, recolour, shuffle_tiles
from objectives.judging.judge import Judge
from objectives.judging.perceptual_network import PerceptualNetwork
from objectives.judging.style_match import blurred
from objectives.judging.style_reference import LARGEST_JUDGED_SIDE
from tests.objectives.drawn_pictures import checkerboard, draw_photo, draw_style, stylise
from tests.objectives.quality_part_conformance import odd_pictures

pytestmark = pytest.mark.slow

PHOTOS = [draw_photo(0, width=64), draw_photo(1, width=64), draw_photo(2, height=80, width=64)]
STYLE = draw_style()


def stylised(strength: float) -> list[Image]:
    return [stylise(photo, STYLE, strength=strength, seed=seed) for seed, photo in enumerate(PHOTOS)]


@pytest.fixture(scope="module")
def judge() -> Judge:
    return Judge(style=STYLE, photos=PHOTOS)


@pytest.fixture(scope="module")
def outputs() -> list[Image]:
    return stylised(0.3)


@pytest.fixture(scope="module")
def scored(judge: Judge, outputs: list[Image]) -> Quality:
    return judge.score(outputs)


def trivial_outputs(photo: Image, style: Image) -> dict[str, Image]:
    height, width = photo.shape[:2]
    pasted = resize(style, height=height, width=width)
    return {
        "photo": photo,
        "recoloured photo": recolour(photo, style),
        "photo with matched histograms": match_histograms(photo, style),
        "style image": pasted,
        "shuffled tiles": shuffle_tiles(style, height=height, width=width, seed=50),
        "half blend": (0.5 * photo + 0.5 * pasted).astype(np.float32),
        "noise": np.random.default_rng(0).random(photo.shape, dtype=np.float32),
        "grey": np.full_like(photo, 0.5),
    }


def test_version_is_text() -> None:
    assert JUDGE_VERSION == "4"


@pytest.mark.parametrize("name", list(trivial_outputs(PHOTOS[0], STYLE)))
def test_no_trivial_picture_reaches_a_stylised_one(judge: Judge, scored: Quality, name: str) -> None:
    trivial = judge.score([trivial_outputs(photo, STYLE)[name] for photo in PHOTOS])
    assert trivial.quality < 0.8 * scored.quality


@pytest.mark.parametrize("side", [32, 48, 64, 96, 128])
def test_an_unrelated_picture_copies_nothing_at_any_size(side: int) -> None:
    """Enlarged to the compared size, small pictures are smooth: pieces of anything would be found in anything."""
    squares = (skimage.data.chelsea()[:300, :300], skimage.data.coffee()[:, 100:500], skimage.data.astronaut())
    photo, output, style = (resize(np.float32(pixels) / np.float32(255), height=side, width=side) for pixels in squares)
    assert Judge(style=style, photos=[photo]).score([output]).terms["copied_patches"] == 0.0


def test_quality_peaks_inside_a_strength_sweep(judge: Judge) -> None:
    qualities = [judge.score(stylised(strength)).quality for strength in (0.0, 0.3, 1.0)]
    assert qualities[1] > qualities[0]
    assert qualities[1] > qualities[2]


def test_parts_are_in_range_and_terms_are_kept(scored: Quality) -> None:
    assert len(scored.photos) == len(PHOTOS)
    for photo in scored.photos:
        parts = (photo.quality, photo.content_preservation, photo.style_match, photo.artefact_factor)
        assert all(0.0 <= part <= 1.0 for part in parts)
        assert {"lpips", "edges", "texture", "colour", "copied_patches", "border", "collapse"} <= set(photo.terms)
        assert all(value is not None and math.isfinite(value) for value in photo.terms.values())
    assert scored.standard_error is not None
    assert scored.standard_error > 0.0


def test_lpips_term_equals_the_direct_distance_to_the_nearer_photo(outputs: list[Image], scored: Quality) -> None:
    network = PerceptualNetwork()
    enlarged = [
        resize(image, height=LARGEST_JUDGED_SIDE, width=LARGEST_JUDGED_SIDE) for image in (outputs[0], PHOTOS[0])
    ]
    style = resize(STYLE, height=64, width=64)
    recoloured = resize(recolour(PHOTOS[0], style), height=LARGEST_JUDGED_SIDE, width=LARGEST_JUDGED_SIDE)
    features = network.features([*enlarged, recoloured])
    wanted = min(network.distance(features[0], features[1]), network.distance(features[0], features[2]))
    assert scored.photos[0].terms["lpips"] == pytest.approx(wanted, abs=1e-5)


def test_only_the_seed_makes_two_judges_differ_and_that_a_little(outputs: list[Image]) -> None:
    first, again, other = (
        Judge(style=STYLE, photos=PHOTOS[:1], seed=seed).score(outputs[:1]).photos[0] for seed in (0, 0, 1)
    )
    assert again == first
    assert other.quality != first.quality
    assert other.quality == pytest.approx(first.quality, rel=0.15)


def test_content_exponent_weighs_the_parts(outputs: list[Image]) -> None:
    content_only, style_only = (
        Judge(style=STYLE, photos=PHOTOS[:1], content_exponent=exponent).score(outputs[:1]).photos[0]
        for exponent in (1.0, 0.0)
    )
    factor = content_only.artefact_factor
    assert content_only.quality == pytest.approx(content_only.content_preservation * factor)
    assert style_only.quality == pytest.approx(style_only.style_match * factor)


def test_a_checkerboard_lowers_quality_step_by_step(judge: Judge, outputs: list[Image], scored: Quality) -> None:
    qualities = [scored.quality]
    for amplitude in (0.08, 0.2):
        boards = [output + amplitude * checkerboard(*output.shape[:2]) for output in outputs]
        qualities.append(judge.score([np.clip(board, 0, 1) for board in boards]).quality)
    assert qualities == sorted(qualities, reverse=True)


def test_a_frame_costs_its_share_of_the_picture(judge: Judge, outputs: list[Image], scored: Quality) -> None:
    framed = [np.pad(output[2:-2, 2:-2], [(2, 2), (2, 2), (0, 0)]) for output in outputs]
    assert 0.6 * scored.quality < judge.score(framed).quality < 0.9 * scored.quality


def test_grey_mush_ranks_low_but_by_what_it_shows(judge: Judge, scored: Quality) -> None:
    mush = [
        judge.score([(0.5 + share * (photo - 0.5)).astype(np.float32) for photo in PHOTOS]).quality
        for share in (0.0, 0.1, 0.3)
    ]
    assert 0.0 < mush[0] < mush[1] < mush[2] < 0.5 * scored.quality


def test_one_photo_has_no_terms_of_several_outputs(outputs: list[Image]) -> None:
    single = Judge(style=STYLE, photos=PHOTOS[:1]).score(outputs[:1])
    assert single.terms["fixed_pattern"] is None
    assert single.terms["collapse"] is None
    assert single.standard_error is None


def test_a_flat_photo_shows_no_place_that_could_be_lost() -> None:
    photo, textured = np.full((64, 64, 3), 0.5, np.float32), draw_photo()
    judge = Judge(style=draw_style(), photos=[photo])
    assert judge.score([resize(textured, height=64, width=64)]).terms["places"] == 1.0


@pytest.mark.parametrize("style", ["photo", "style", "black", "grey"])
def test_flat_tiny_and_equal_pictures_score_without_nan(style: str) -> None:
    pictures = odd_pictures()
    judge = Judge(style=pictures[style], photos=[pictures["photo"], pictures["white"]])
    for outputs in (
        [pictures["photo"], pictures["white"]],
        [pictures["noise"], pictures["style"]],
        [pictures["grey"]] * 2,
    ):
        quality = judge.score(outputs)
        assert 0.0 <= quality.quality <= 1.0
        for photo in quality.photos:
            assert all(value is not None and math.isfinite(value) for value in photo.terms.values())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda outputs: outputs[:2], "must have the photos' sizes"),
        (lambda outputs: [*outputs[:2], outputs[0]], "must have the photos' sizes"),
        (lambda outputs: [*outputs[:2], outputs[2] * np.float32(np.nan)], "finite values"),
        (lambda outputs: [*outputs[:2], outputs[2] * 255], "Divide 8-bit pixels by 255"),
        (lambda outputs: [*outputs[:2], outputs[2][:8]], "at least 16 px"),
        (lambda outputs: [*outputs[:2], outputs[2][..., 0]], "shape"),
    ],
)
def test_bad_outputs_are_named(judge: Judge, outputs: list[Image], change: object, message: str) -> None:
    with pytest.raises(QualityError, match=message):
        judge.score(change(outputs))


def test_bad_settings_are_named() -> None:
    with pytest.raises(QualityError, match="at least one photo"):
        Judge(style=STYLE, photos=[])
    with pytest.raises(QualityError, match=r"content_exponent.*1\.5"):
        Judge(style=STYLE, photos=PHOTOS, content_exponent=1.5)


def test_softness_alone_is_no_style(judge: Judge, scored: Quality) -> None:
    soft = [blurred(recolour(photo, STYLE), 1.0) for photo in PHOTOS]

    assert judge.score(soft).style_match < scored.style_match / 2
