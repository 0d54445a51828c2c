"""Trials as rows of a table."""

import optuna
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState, create_trial

from studies.records import attributes
from studies.records.summaries import summarise
from studies.records.trial_table import trial_table
from studies.storage.study_storage import StudyStorage

WEIGHTS = {"content": 0.5, "style": 0.4, "total_variation": 0.1}


def test_rows_have_the_same_columns_and_none_where_nothing_is_known(storage: StudyStorage, study: optuna.Study) -> None:
    noted = {
        attributes.WEIGHTS: WEIGHTS,
        attributes.PARTS: {"content_preservation": 0.6, "standard_error": 0.02},
        attributes.LOWERED_BY: [{"name": "border", "text": "border", "cost": 0.1}],
    }
    scored = {"value": 0.5, "intermediate_values": {8: 0.25, 16: 0.5}, "user_attrs": noted}
    study.add_trial(create_trial(params={"x": 0.5}, distributions={"x": FloatDistribution(0, 1)}, **scored))
    study.add_trial(create_trial(state=TrialState.WAITING))
    first, waiting = trial_table(summarise(storage, "waves"))
    assert list(first) == list(waiting)
    wanted = {"number": 0, "state": "complete", "quality": 0.5, "standard_error": 0.02, "content_preservation": 0.6}
    wanted |= {"weight_style": 0.4, "x": 0.5, "quality_at_8": 0.25, "quality_at_16": 0.5, "lowered_by": "border"}
    assert {name: first[name] for name in wanted} == wanted
    assert [waiting[name] for name in ("state", "quality", "weight_style", "x", "quality_at_8")] == [
        "waiting",
        *[None] * 4,
    ]


def test_a_study_without_trials_is_an_empty_table(storage: StudyStorage, study: optuna.Study) -> None:
    del study
    assert trial_table(summarise(storage, "waves")) == []
