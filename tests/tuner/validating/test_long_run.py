"""Which checkpoint is whose: the numbers of a run that goes on from one are tested with the command."""

from pathlib import Path
from typing import Any

import pytest

from measures.versions import JUDGE_VERSION
from objectives.errors import CheckpointError
from studies.storage.study_storage import StudyStorage
from tests.tuner.tiny_study import NAME
from tuner.validating.long_run import LongRun
from tuner.validating.plan import ValidationRequest, open_validation_pictures, plan_validation


def runs(storage: StudyStorage, **request: Any) -> list[LongRun]:
    asked = ValidationRequest(name=NAME, **request)
    plan = plan_validation(storage, asked, judge_version=JUDGE_VERSION)
    pictures, _ = open_validation_pictures(storage, plan, photos=())
    return [LongRun(trial, plan, pictures, on_batch=lambda _: None, say=lambda _: None) for trial in plan.trials]


def test_each_setting_length_and_size_of_crops_has_its_own(scored: StudyStorage) -> None:
    requests = ({}, {"images": "8x"}, {"crop_size": 48})
    found = [run.checkpoint for request in requests for run in runs(scored, **request)]
    assert len(set(found)) == len(found) == 9
    assert [run.checkpoint for run in runs(scored)] == found[:3], "the same command finds them again"


@pytest.mark.parametrize("content", [b"", b"no checkpoint"])
def test_a_damaged_one_is_found_before_any_training(scored: StudyStorage, content: bytes) -> None:
    run = runs(scored)[-1]
    run.check()
    run.checkpoint.parent.mkdir(parents=True, exist_ok=True)
    run.checkpoint.write_bytes(content)
    try:
        with pytest.raises(CheckpointError, match=r"long_run-.*Delete it to start over"):
            run.check()
    finally:
        run.forget()
    assert not Path(run.checkpoint).exists()
