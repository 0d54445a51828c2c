from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from measures.quality import CONTENT_EXPONENT
from studies.records import attributes
from studies.records.study_record import PhotoSets, StudyRecord

WHOLE: dict[str, Any] = {
    attributes.CONFIGURATION: {
        "training": {"images": 640},
        "quality": {"content_exponent": 0.4},
        "search": {"trials": 16, "style_to_content": [0.05, 10], "tv_to_content": [0.003, 1.0]},
    },
    attributes.CONFIGURATION_HASH: "abc",
    attributes.IDENTITY: {"style_sha256": "0", "loss_network": {"name": "vgg19"}},
    attributes.REFERENCES: {"search": {"content": 1.5}},
    attributes.VERSIONS: {"python": "3.13", "keras": "3.9"},
    attributes.JUDGE_VERSION: "3",
    attributes.PHOTOS: {
        "training": 20,
        "rung": ["a", "b"],
        "calibration": ["c"],
        "report": [],
        "skipped": 1,
        "paths": ["/photos"],
    },
    attributes.STYLE_IMAGE: "one",
    attributes.STYLE_PICTURE: "two",
    attributes.RUNG_PHOTOS: "three",
    attributes.STYLE_PATH: "/style.png",
}

_TEXTS = st.sampled_from(["", "7", "text", "rung", "paths", "training", "content", "style_match"])
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXTS,
    lambda children: st.lists(children, max_size=3) | st.dictionaries(_TEXTS, children, max_size=3),
    max_leaves=6,
)
"""Values that JSON can hold, and names of ours among them."""


def test_every_field_is_read() -> None:
    record = StudyRecord.parse(WHOLE)
    assert (record.is_ours, record.images, record.content_exponent) == (True, 640, 0.4)
    assert (record.configuration_hash, record.judge_version, record.style_path) == ("abc", "3", "/style.png")
    assert (record.identity, record.references) == (WHOLE["identity"], WHOLE["references"])
    assert record.versions == WHOLE["versions"]
    assert record.ranges == {"style_to_content": (0.05, 10.0), "tv_to_content": (0.003, 1.0)}
    assert record.photos == PhotoSets(
        training=20, rung=("a", "b"), calibration=("c",), report=(), skipped=1, paths=("/photos",)
    )
    assert record.photos.to_attribute() == WHOLE["photos"]
    assert record.artifacts == {"style_image": "one", "style_picture": "two", "rung_photos": "three"}


def test_a_study_of_others_has_nothing_of_ours() -> None:
    record = StudyRecord.parse({})
    assert (record.is_ours, record.judge_version, record.photos, record.artifacts) == (False, "", PhotoSets(), {})
    assert record.content_exponent == CONTENT_EXPONENT


@pytest.mark.parametrize(
    "wrong", [None, True, 3, "text", [1], {"training": "x", "rung": 7, "quality": [], "paths": {}}]
)
def test_what_is_of_another_type_counts_as_missing(wrong: object) -> None:
    record = StudyRecord.parse(dict.fromkeys(WHOLE, wrong))
    assert record.photos == PhotoSets()
    assert (record.images, record.content_exponent) == (None, CONTENT_EXPONENT)


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), ANYTHING))
def test_no_value_stops_the_reading(values: dict[str, Any]) -> None:
    record = StudyRecord.parse(values)
    assert PhotoSets.parse(record.photos.to_attribute()) == record.photos
    assert all(isinstance(photo, str) for photo in record.photos.rung)
    assert 0 <= record.content_exponent <= 1


@pytest.mark.parametrize("exponent", [float("nan"), 1.5, -0.1, 10**400, "0.4", True])
def test_an_exponent_outside_its_range_is_the_judges_own(exponent: object) -> None:
    record = StudyRecord.parse({attributes.CONFIGURATION: {"quality": {"content_exponent": exponent}}})
    assert record.content_exponent == CONTENT_EXPONENT


@pytest.mark.parametrize("limits", [None, 3, "ab", [1], [0, 1], [2, 1], [1, 1], [1, "2"], [1, 2, 3], [1, float("inf")]])
def test_what_is_no_range_is_left_out(limits: object) -> None:
    search = {"style_to_content": limits, "tv_to_content": (0.003, 1), "rungs": [0.5, 1.0]}
    assert StudyRecord.parse({attributes.CONFIGURATION: {"search": search}}).ranges == {"tv_to_content": (0.003, 1.0)}
