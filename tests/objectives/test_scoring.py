import json

import numpy as np
import pytest

from models.images import resize
from objectives.errors import QualityError
from objectives.judge import Judge
from objectives.scoring import score_pictures
from tests.objectives.drawn_pictures import draw_photo, draw_style, stylise

PHOTO, STYLE = draw_photo(), draw_style(height=64, width=64)


def test_a_picture_of_the_photos_size_scores_as_the_judge_says() -> None:
    picture = stylise(PHOTO, STYLE, strength=0.4)
    scores = score_pictures([("a.png", picture), ("photo.png", PHOTO)], photo=PHOTO, style=STYLE)
    assert [score.picture for score in scores] == ["a.png", "photo.png"]
    assert scores[0].quality == Judge(style=STYLE, photos=[PHOTO]).score([picture]).photos[0]
    assert scores[0].note == ""
    assert scores[0].quality.quality > scores[1].quality.quality


def test_a_picture_of_another_size_is_scored_and_the_resize_is_said() -> None:
    picture = resize(stylise(PHOTO, STYLE, strength=0.4), height=48, width=72)
    note = score_pictures([("a.png", picture)], photo=PHOTO, style=STYLE)[0].note
    assert note == "photo resized from 96x64 px to 72x48 px; style image resized to a shorter side of 48 px"


def test_plain_values_survive_json_and_name_what_is_missing() -> None:
    values = score_pictures([("a.png", PHOTO)], photo=PHOTO, style=STYLE)[0].to_dict()
    assert json.loads(json.dumps(values)) == values
    assert values["terms"]["collapse"] is None
    assert set(values) >= {"picture", "quality", "content_preservation", "style_match", "artefact_factor"}


def test_identical_photo_and_style_image_score_finite() -> None:
    scores = score_pictures([("photo", PHOTO), ("grey", np.full_like(PHOTO, 0.5))], photo=PHOTO, style=PHOTO)
    assert all(0.0 <= score.quality.quality <= 1.0 for score in scores)


def test_other_proportions_and_tiny_pictures_are_named() -> None:
    with pytest.raises(QualityError, match=r"'square\.png' must have the photo's proportions"):
        score_pictures([("square.png", PHOTO[:, :64])], photo=PHOTO, style=STYLE)
    with pytest.raises(QualityError, match=r"'tiny\.png' must have sides of at least 16 px"):
        score_pictures([("tiny.png", PHOTO[:12, :18])], photo=PHOTO, style=STYLE)
