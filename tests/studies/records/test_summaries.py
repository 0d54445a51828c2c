import json
import math
from datetime import UTC, datetime, timedelta

import optuna
import pytest
from optuna.trial import TrialState, create_trial

from studies.errors import StudyError
from studies.records.summaries import list_studies, rank, summarise, summarise_trial
from studies.storage.study_storage import StudyStorage
from tests.studies.waves import WAVES

WEIGHTS = {"content": 0.6, "style": 0.3, "total_variation": 0.1}


def add_trial(study: optuna.Study, state: TrialState, *, qualities: list[float], **attributes: object) -> None:
    study.add_trial(
        create_trial(
            state=state,
            value=qualities[-1] if state == TrialState.COMPLETE else None,
            intermediate_values={320 * (index + 1): quality for index, quality in enumerate(qualities)},
            user_attrs={"weights": WEIGHTS, **attributes},
        )
    )


@pytest.fixture
def filled(study: optuna.Study) -> optuna.Study:
    """Two complete, two pruned, a failed and a waiting trial."""
    add_trial(study, TrialState.COMPLETE, qualities=[0.2, 0.4], seconds=12.5, images_seen=640)
    add_trial(study, TrialState.PRUNED, qualities=[0.6], reason="below the median")
    add_trial(study, TrialState.COMPLETE, qualities=[0.3, 0.5], parts={"style_match": 0.7}, pictures={"sheet": "a1"})
    add_trial(study, TrialState.FAIL, qualities=[0.9], failure="its worker died")
    add_trial(study, TrialState.PRUNED, qualities=[])
    study.enqueue_trial({"x": 1.0}, user_attrs={"retry_of": 3})
    return study


@pytest.mark.usefixtures("filled")
def test_best_first_then_pruned(storage: StudyStorage) -> None:
    summary = summarise(storage, "waves")
    assert [trial.number for trial in summary.ranked()] == [2, 0, 1]
    assert summary.best is not None
    assert (summary.best.number, summary.best.quality) == (2, 0.5)
    assert summary.num_by_state == {"COMPLETE": 2, "PRUNED": 2, "FAIL": 1, "WAITING": 1}
    assert summary.num_finished == 4


@pytest.mark.usefixtures("filled")
def test_a_trials_fields(storage: StudyStorage) -> None:
    first, pruned, second, failed, empty, waiting = summarise(storage, "waves").trials
    assert (first.qualities, first.seconds, first.images_seen) == ({320: 0.2, 640: 0.4}, 12.5, 640)
    assert (pruned.quality, pruned.reason, pruned.images_seen) == (0.6, "below the median", 320)
    assert (second.parts, second.pictures, second.weights) == ({"style_match": 0.7}, {"sheet": "a1"}, WEIGHTS)
    assert (failed.state, failed.reason) == ("FAIL", "its worker died")
    assert (empty.quality, empty.images_seen) == (None, None)
    assert (waiting.started, waiting.seconds, waiting.retry_of) == (None, None, 3)


@pytest.mark.parametrize("noted", [{}, {"spread": "wide"}, {"spread": None}])
def test_trials_of_before_the_spread_was_noted_tell_it(
    storage: StudyStorage, study: optuna.Study, noted: dict[str, object]
) -> None:
    study.set_user_attr("photos", {"rung": ["a", "b", "c", "d"]})
    add_trial(study, TrialState.COMPLETE, qualities=[0.5], parts={"standard_error": 0.02, **noted})
    add_trial(study, TrialState.COMPLETE, qualities=[0.4], parts={"standard_error": 0.02, "spread": 0.06})
    add_trial(study, TrialState.COMPLETE, qualities=[0.3], parts={"standard_error": None, **noted})
    old, new, single = summarise(storage, "waves").trials
    assert old.parts == {"standard_error": 0.02, "spread": pytest.approx(0.04)}
    assert new.parts["spread"] == 0.06
    assert single.parts == {}


def test_a_study_that_does_not_say_its_photos_tells_no_spread(storage: StudyStorage, study: optuna.Study) -> None:
    add_trial(study, TrialState.COMPLETE, qualities=[0.5], parts={"standard_error": 0.02})
    assert summarise(storage, "waves").trials[0].parts == {"standard_error": 0.02}


def test_empty_study(storage: StudyStorage, study: optuna.Study) -> None:
    study.set_user_attr("judge_version", "1")
    summary = summarise(storage, "waves")
    assert (summary.best, summary.created, summary.trials, summary.ranked()) == (None, None, (), [])
    assert summary.attributes == {"judge_version": "1", "styletuner_uuid": WAVES}


def test_summary_follows_the_study(storage: StudyStorage, study: optuna.Study) -> None:
    assert summarise(storage, "waves").num_finished == 0
    add_trial(study, TrialState.COMPLETE, qualities=[0.5])
    assert summarise(storage, "waves").num_finished == 1
    storage.delete_study("waves")
    optuna.create_study(study_name="waves", storage=storage.optuna)
    assert summarise(storage, "waves").num_finished == 0


def test_times_are_utc(storage: StudyStorage, study: optuna.Study) -> None:
    study.optimize(lambda _: 0.5, n_trials=1)
    summary = summarise(storage, "waves")
    (trial,) = summary.trials
    assert summary.created == trial.started
    assert trial.finished is not None
    assert timedelta(0) <= datetime.now(UTC) - trial.finished < timedelta(minutes=1)


def test_quality_that_is_not_finite_is_none() -> None:
    trial = create_trial(state=TrialState.PRUNED, intermediate_values={1: 0.3, 2: math.nan})
    assert summarise_trial(trial).quality == 0.3
    assert summarise_trial(create_trial(state=TrialState.COMPLETE, value=math.inf)).quality is None


def test_several_objectives_have_no_one_quality_but_the_noted_one() -> None:
    trial = summarise_trial(create_trial(state=TrialState.COMPLETE, values=[0.2, 0.3]))
    assert (trial.quality, trial.values) == (None, (0.2, 0.3))
    assert rank((trial,)) == []
    noted = {"rung_qualities": {"640": 0.6, "320": 0.5}}
    trial = summarise_trial(create_trial(state=TrialState.COMPLETE, values=[0.2, 0.3], user_attrs=noted))
    assert (trial.quality, list(trial.qualities.items())) == (0.6, [(320, 0.5), (640, 0.6)])


def test_front_of_several_objectives(storage: StudyStorage) -> None:
    """By hand: 0, 2 and 3 are on it, 1 is below 2; the best is on it, although 4, pruned, had a higher quality."""
    study = optuna.create_study(study_name="front", storage=storage.optuna, directions=["maximize", "maximize"])
    for values, quality in (((0.1, 0.9), 0.3), ((0.4, 0.4), 0.55), ((0.5, 0.5), 0.5), ((0.9, 0.2), 0.4)):
        study.add_trial(create_trial(values=values, user_attrs={"rung_qualities": {"640": quality}}))
    study.add_trial(create_trial(state=TrialState.PRUNED, user_attrs={"rung_qualities": {"320": 0.9}}))
    study.add_trial(create_trial(values=[math.inf, 0.9]))
    summary = summarise(storage, "front")
    assert [trial.number for trial in summary.front()] == [3, 2, 0]
    assert [trial.number for trial in summary.candidates()] == [2, 3, 0]
    assert summary.best is not None
    assert summary.best.number == 2
    assert [trial.number for trial in summary.ranked()] == [1, 2, 3, 0, 4]
    assert (summary.objectives, summary.as_dict()["front"]) == (("objective 0", "objective 1"), [3, 2, 0])


@pytest.mark.usefixtures("filled")
def test_one_objective_has_no_front(storage: StudyStorage) -> None:
    summary = summarise(storage, "waves")
    assert (summary.front(), summary.objectives, summary.as_dict()["front"]) == ([], ("quality",), [])
    assert [trial.number for trial in summary.candidates()] == [2, 0]
    assert [trial.values for trial in summary.trials[:2]] == [(0.4,), ()]


def test_ties_go_to_the_earlier_trial(storage: StudyStorage, study: optuna.Study) -> None:
    for _ in range(2):
        add_trial(study, TrialState.COMPLETE, qualities=[0.5])
    assert [trial.number for trial in summarise(storage, "waves").ranked()] == [0, 1]


@pytest.mark.usefixtures("filled")
def test_all_studies_are_listed_as_json(storage: StudyStorage) -> None:
    optuna.create_study(study_name="stars", storage=storage.optuna)
    summaries = list_studies(storage)
    assert [summary.name for summary in summaries] == ["stars", "waves"]
    written = json.loads(json.dumps([summary.as_dict() for summary in summaries]))
    assert written[1]["best"]["number"] == 2
    assert written[0]["created"] is None


def test_unknown_study(storage: StudyStorage) -> None:
    with pytest.raises(StudyError, match="'wave'"):
        summarise(storage, "wave")
