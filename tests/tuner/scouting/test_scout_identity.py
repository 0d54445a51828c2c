"""Which study a scout fits, and which training goes on from which."""

from typing import Any

import pytest

from tuner.configuration.loading import merge, validate_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ScoutError
from tuner.scouting.scout_identity import require_fitting, scout_identity

PICTURES = {"style_sha256": "a", "photos_digest": "b"}
VALUES: dict[str, Any] = {"search": {"style_to_content": [0.1, 10], "tv_to_content": [0.01, 1]}}


def config(**sections: Any) -> StudyConfig:
    return validate_config(merge(VALUES, sections), source="test")


@pytest.mark.parametrize(
    "sections",
    [
        {"scout": {"images": 100, "checkpoint_every": 10}},
        {"search": {"trials": 3, "sampler": "random", "rungs": [1], "baseline": None}},
        {"training": {"images": 5000}},
        {"quality": {"content_exponent": 0.4}},
        {"full_training": {"images": 10}},
    ],
    ids=str,
)
def test_what_is_the_trials_own_makes_no_other_scout(sections: dict[str, Any]) -> None:
    assert scout_identity(config(**sections), PICTURES) == scout_identity(config(), PICTURES)
    require_fitting(config(), PICTURES, config(**sections), PICTURES, owner="Scout s")


@pytest.mark.parametrize(
    "sections",
    [
        {"network": {"width": 8}},
        {"loss": {"style_layers": ["relu1_1"]}},
        {"data": {"crop_size": 64}},
        {"search": {"tv_to_content": [0.01, 2]}},
        {"scout": {"learning_rate": 0.01}},
        {"training": {"precision": "mixed_bfloat16"}},
        {"seed": 1},
    ],
    ids=str,
)
def test_what_changes_the_training_makes_another(sections: dict[str, Any]) -> None:
    assert scout_identity(config(**sections), PICTURES) != scout_identity(config(), PICTURES)


def test_other_pictures_make_another() -> None:
    assert scout_identity(config(), {**PICTURES, "photos_digest": "c"}) != scout_identity(config(), PICTURES)


@pytest.mark.parametrize(
    ("sections", "pictures", "message"),
    [
        ({}, {"style_sha256": "c"}, "Scout s was trained with another style image. Train one"),
        ({}, {"photos_digest": "c"}, "Scout s was trained with other photos. Train one"),
        ({"network": {"width": 8}}, {}, "Scout s was trained with `network.width` 32; the study has 8. Train one"),
        (
            {"search": {"style_to_content": [0.1, 12]}},
            {},
            "trained for `style_to_content` from 0.1 to 10; the study searches 0.1 to 12. Train one",
        ),
    ],
)
def test_a_scout_of_something_else_is_named(sections: dict[str, Any], pictures: dict[str, str], message: str) -> None:
    with pytest.raises(ScoutError, match=message):
        require_fitting(config(), PICTURES, config(**sections), {**PICTURES, **pictures}, owner="Scout s")


def test_narrower_ranges_fit() -> None:
    study = config(search={"style_to_content": [1, 5], "tv_to_content": [0.1, 1]})
    require_fitting(config(), PICTURES, study, PICTURES, owner="Scout s")
