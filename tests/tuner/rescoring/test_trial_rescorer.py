"""What a trial without outputs becomes in a re-scored study."""

from pathlib import Path
from typing import Any, cast

import pytest
from optuna.trial import TrialState, create_trial

from studies.records import attributes
from studies.storage.study_storage import StudyStorage
from tuner.rescoring.kept_pictures import KeptPictures
from tuner.rescoring.trial_rescorer import TrialRescorer, without_old_judge

SHEET_ALONE = {attributes.PICTURES: {attributes.SHEET_PICTURE: "a"}, attributes.REASON: "diverged after image 4"}
TARGET = "0f6e2c1c-5d0b-4d0e-9d55-0a5e9b6f3a11"


@pytest.mark.parametrize(
    ("qualities", "state"),
    [({}, TrialState.PRUNED), ({8: 0.5}, TrialState.FAIL)],
    ids=["diverged before it was judged", "its outputs are gone"],
)
def test_a_sheet_alone_is_no_lost_output(tmp_path: Path, qualities: dict[int, Any], state: TrialState) -> None:
    trial = create_trial(state=TrialState.PRUNED, intermediate_values=qualities, user_attrs=SHEET_ALONE)
    with StudyStorage.create(str(tmp_path / "studies.db")) as storage:
        no_pictures = cast("KeptPictures", None)  # none is looked at
        rescorer = TrialRescorer(storage, no_pictures, target_uuid=TARGET, judge_version="9")
        assert rescorer.judge(trial).end.state is state


def test_what_halving_noted_of_the_old_scores_is_left_out() -> None:
    kept = without_old_judge({"completed_rung_0": 0.8, "fixed_params": {"x": 1}})
    assert kept == {"fixed_params": {"x": 1}}
