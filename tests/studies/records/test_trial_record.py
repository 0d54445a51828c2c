from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import create_trial

from studies.records import attributes
from studies.records.summaries import summarise_trial
from studies.records.trial_record import TrialRecord
from tests.studies.records.test_study_record import ANYTHING

WHOLE: dict[str, Any] = {
    attributes.WEIGHTS: {"content": 0.7, "style": 0.28, "total_variation": 0.02},
    attributes.PARTS: {"content_preservation": 0.6, "standard_error": 0.01, "terms": {"border": None}},
    attributes.LOWERED_BY: [{"name": "border", "text": "a border", "cost": 0.1}],
    attributes.PICTURES: {"sheet": "one", "outputs": "two"},
    attributes.RUNG_QUALITIES: {"640": 0.5, "320": 0.25},
    attributes.IMAGES_SEEN: 640,
    attributes.SECONDS: 12.5,
    attributes.REASON: "below the median",
    attributes.FAILURE: "its worker died",
    attributes.WORKER: {"pid": 7},
    attributes.ABANDONED: "killed",
    attributes.RETRY_OF: 0,
    attributes.NUM_RETRIES: 1,
    attributes.BASELINE: True,
    attributes.TAKEN_FROM: {"uuid": "1-2", "study": "night", "trial": 7, "quality": 0.4},
}


def test_every_field_is_read() -> None:
    record = TrialRecord.parse(WHOLE)
    assert (record.weights, record.parts, record.pictures) == (WHOLE["weights"], WHOLE["parts"], WHOLE["pictures"])
    assert record.lowered_by == tuple(WHOLE["lowered_by"])
    assert record.rung_qualities == {640: 0.5, 320: 0.25}
    assert (record.images_seen, record.seconds) == (640, 12.5)
    assert (record.reason, record.failure, record.abandoned) == ("below the median", "its worker died", "killed")
    assert (record.worker, record.retry_of, record.num_retries, record.is_baseline) == ({"pid": 7}, 0, 1, True)
    assert record.taken_from is not None
    assert record.taken_from.in_words() == "from trial 7 of night"


def test_a_trial_of_others_has_nothing_of_ours() -> None:
    record = TrialRecord.parse({})
    assert (record.weights, record.parts, record.lowered_by, record.pictures) == ({}, {}, (), {})
    assert (record.images_seen, record.seconds, record.retry_of, record.num_retries) == (None, None, None, 0)
    assert not record.is_baseline


@pytest.mark.parametrize("weight", ["0.2", None, float("nan"), True])
def test_weights_are_there_all_or_none(weight: object) -> None:
    assert TrialRecord.parse({attributes.WEIGHTS: {**WHOLE["weights"], "style": weight}}).weights == {}


def test_parts_that_are_no_numbers_are_left_out() -> None:
    parts = {"content_preservation": "high", "style_match": 0.4, "standard_error": None, "spread": "wide", "terms": {}}
    record = TrialRecord.parse({attributes.PARTS: parts})
    assert record.parts == {"style_match": 0.4, "terms": {}}


@given(st.dictionaries(st.sampled_from(sorted(WHOLE)), ANYTHING))
def test_no_value_stops_the_reading(values: dict[str, Any]) -> None:
    summary = summarise_trial(create_trial(value=0.5, user_attrs=values))
    assert summary.quality == 0.5
    assert set(summary.weights) in (set(), {"content", "style", "total_variation"})
    assert isinstance(summary.reasons(), str)
    assert isinstance(summary.reason, str)
