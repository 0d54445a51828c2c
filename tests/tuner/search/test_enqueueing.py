"""Chosen weights in a study's queue."""

from collections.abc import Iterator
from pathlib import Path

import optuna
import pytest

from studies.errors import StudyError
from studies.records import attributes
from studies.storage.study_storage import StudyStorage
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.search.enqueueing import enqueue_weights


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[StudyStorage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as created:
        study = optuna.create_study(study_name="waves", storage=created.optuna)
        study.set_user_attr(attributes.CONFIGURATION, StudyConfig().model_dump(mode="json"))
        yield created


def test_the_next_trial_has_the_weights(storage: StudyStorage) -> None:
    chosen, num_waiting = enqueue_weights(storage, "waves", (2, 4, 2))
    assert (chosen, num_waiting) == ({"content": 0.25, "style": 0.5, "total_variation": 0.25}, 1)
    assert enqueue_weights(storage, "waves", (1, 1, 1))[1] == 2
    study = storage.load_study("waves")
    study.optimize(lambda trial: trial.suggest_float("style_to_content", 0.05, 10, log=True), n_trials=2)
    assert [trial.params["style_to_content"] for trial in study.trials] == [2, 1]


def test_weights_outside_the_range_are_not_enqueued(storage: StudyStorage) -> None:
    with pytest.raises(ConfigError, match=r"`style_to_content` of 20, outside this study's range of 0.05 to 10"):
        enqueue_weights(storage, "waves", (1, 20, 0.1))
    assert storage.load_study("waves").trials == []


def test_an_unknown_study_is_an_error(storage: StudyStorage) -> None:
    with pytest.raises(StudyError, match="'wave'"):
        enqueue_weights(storage, "wave", (1, 1, 0.1))
