from types import SimpleNamespace
from typing import Any, cast

import pytest

from measures.length_drift import FACTORS, TIMES_LONGER
from studies.records.drift_words import drift_in_words, exported_drift_in_words
from studies.records.exported_config import ExportedConfig


def exported(**configuration: Any) -> ExportedConfig:
    known = {"training": {"images": 1200}, "full_training": {"images": 40_000}, **configuration}
    return cast(
        "ExportedConfig", SimpleNamespace(configuration=known, params={"style_to_content": 2.0}, study="my waves")
    )


def test_full_training_is_told_from_where_to_where_the_best_may_move() -> None:
    told = exported_drift_in_words(exported())
    low, high = (f"{2 * factor:.2g}" for factor in FACTORS["noise"])
    assert told.startswith("Full training of 40,000 images is 33.3 times a trial.")
    assert f"from 2 that is {low} to {high}; what comes after {TIMES_LONGER} times was not measured" in told
    assert told.endswith("styletuner study validate 'my waves' --images 8x")


def test_what_trials_started_from_counts() -> None:
    told = exported_drift_in_words(exported(search={"start": "starter"}))
    low, high = (f"{2 * factor:.2g}" for factor in FACTORS["starter"])
    assert f"times that of trials from a starter (docs/fidelity.md); from 2 that is {low} to {high};" in told


def test_what_was_not_measured_is_said_to_be_so() -> None:
    told = exported_drift_in_words(exported(search={"start": "scout"}))
    assert "was not measured of trials from a scout. For this style: styletuner study validate" in told


def test_a_shorter_training_moves_it_less() -> None:
    told = drift_in_words(style_to_content=2.0, trial_images=1000, full_images=TIMES_LONGER * 1000, study="w")
    assert "was not measured" not in told
    little = drift_in_words(style_to_content=2.0, trial_images=1000, full_images=1001, study="w")
    assert "from 2 that is 2." in little


@pytest.mark.parametrize(
    "configuration",
    [
        {"full_training": {"images": 1200}},
        {"search": {"start": ["noise"]}},
        {"search": {"start": "weird"}},
        {"training": {}},
        {"training": {"images": "many"}},
    ],
)
def test_what_nothing_is_known_of_is_not_told(configuration: dict[str, Any]) -> None:
    assert exported_drift_in_words(exported(**configuration)) == ""
    assert exported_drift_in_words(exported(search={"start": "noise"})) != ""
