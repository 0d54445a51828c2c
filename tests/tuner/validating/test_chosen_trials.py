from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest
from hypothesis import given
from hypothesis import strategies as st
from optuna.trial import TrialState, create_trial

from studies.records import attributes
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tuner.errors import ValidatingError
from tuner.validating.chosen_trials import baseline_trials, choose_ranks, choose_trials

WEIGHTS = {"content": 0.5, "style": 0.4, "total_variation": 0.1}


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as opened:
        yield opened


@pytest.fixture
def study(storage: StudyStorage) -> optuna.Study:
    return optuna.create_study(storage=storage.optuna, study_name="waves", direction="maximize")


def add_complete(study: optuna.Study, *qualities: float, baseline: int | None = None) -> None:
    for number, quality in enumerate(qualities):
        extra = {attributes.BASELINE: True} if number == baseline else {}
        study.add_trial(create_trial(value=quality, user_attrs={attributes.WEIGHTS: WEIGHTS, **extra}))


@pytest.mark.parametrize(
    ("fixed", "num_chosen", "chosen"),
    [
        ((5, 1), 2, (5, 1)),
        ((5, 1), 3, (5, 9, 1)),
        ((5, 1), 4, (5, 2, 3, 1)),
        ((5, None), 3, (5, 2, 3)),
        ((5, 5), 2, (5, 9)),
        ((5, 77), 2, (5, 9)),
        ((5, 1), 50, (5, 2, 9, 3, 1)),
    ],
)
def test_ranks(fixed: tuple[int | None, ...], num_chosen: int, chosen: tuple[int, ...]) -> None:
    assert choose_ranks((5, 2, 9, 3, 1), fixed=fixed, num_chosen=num_chosen) == chosen


@given(st.integers(1, 30), st.integers(1, 35), st.integers(0, 29))
def test_as_many_as_are_asked_for_or_there_are(num_ranked: int, num_chosen: int, fixed: int) -> None:
    ranked = list(range(num_ranked))
    chosen = choose_ranks(ranked, fixed=(0, fixed), num_chosen=num_chosen)
    assert len(chosen) == min(num_ranked, num_chosen)
    assert list(chosen) == sorted(set(chosen))
    assert chosen[0] == 0


def test_the_best_the_baseline_and_the_middle(storage: StudyStorage, study: optuna.Study) -> None:
    add_complete(study, 0.2, 0.9, 0.5, 0.4, 0.3, baseline=0)
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values={8: 0.95}))
    study.add_trial(create_trial(state=TrialState.FAIL))
    baselines = baseline_trials(storage, "waves")
    assert baselines == [0]
    trials, baseline = choose_trials(summarise(storage, "waves"), baselines=baselines, num_settings=3)
    assert [trial.number for trial in trials] == [1, 3, 0]
    assert baseline == 0
    trials, baseline = choose_trials(summarise(storage, "waves"), baselines=[], num_settings=9)
    assert [trial.number for trial in trials] == [1, 2, 3, 4, 0]
    assert baseline is None


@pytest.mark.parametrize("num_complete", [0, 1])
def test_too_few(storage: StudyStorage, study: optuna.Study, num_complete: int) -> None:
    add_complete(study, *[0.5] * num_complete)
    study.add_trial(create_trial(state=TrialState.PRUNED, intermediate_values={8: 0.95}))
    with pytest.raises(ValidatingError, match=f"must have 2 complete trials to compare. Received {num_complete}."):
        choose_trials(summarise(storage, "waves"), baselines=[], num_settings=3)
