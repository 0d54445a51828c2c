"""What ends a study before it has its trials, on a real storage."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from optuna.trial import TrialState, create_trial

from measures.versions import JUDGE_VERSION
from studies.claims.processes import WorkerIdentity
from studies.records import attributes
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from studies.storage.tables import PhotoQualityRecord, save_photo_quality
from tuner.configuration.loading import load_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.running.stopping import Allowance, StoppingRules, TimeLimit

PHOTOS = ("a", "b", "c")
FULL = 800
"""Images of a whole trial of the preset demo."""


class Stage:
    """A study of our own whose trials are made up."""

    def __init__(self, storage: StudyStorage) -> None:
        self.storage = storage
        self.study = create_study(storage.optuna, "waves")
        self.uuid = uuid_of(self.study)
        self.study.set_user_attr(attributes.PHOTOS, {"rung": list(PHOTOS)})

    def add(
        self, state: TrialState = TrialState.COMPLETE, *, qualities: tuple[float, ...] = (0.5, 0.5, 0.5), **known: Any
    ) -> None:
        """Add a trial, of this machine and of one second unless it says otherwise."""
        number = len(self.study.trials)
        values = {
            attributes.IMAGES_SEEN: FULL,
            attributes.SECONDS: 1.0,
            attributes.WORKER: WorkerIdentity.current().as_attribute(),
            **known,
        }
        value = sum(qualities) / len(qualities) if state is not TrialState.FAIL else None
        self.study.add_trial(create_trial(state=state, value=value, user_attrs=values))
        save_photo_quality(
            self.storage.engine,
            [
                PhotoQualityRecord(
                    study_uuid=self.uuid,
                    trial_number=number,
                    rung=FULL,
                    judge_version=JUDGE_VERSION,
                    photo_sha256=photo,
                    quality=quality,
                    content_preservation=0.5,
                    style_match=0.5,
                    artefact_factor=1.0,
                    terms={},
                )
                for photo, quality in zip(PHOTOS, qualities, strict=True)
            ],
        )

    def allowance(
        self, *, limit: TimeLimit | None = None, counts_trials: bool = True, start: str = "noise", **stop: Any
    ) -> Allowance:
        config = configure(start=start, **stop)
        rules = StoppingRules(self.storage, self.uuid, config=config, limit=limit, counts_trials=counts_trials)
        return rules.allowance()


def configure(*, start: str = "noise", **stop: Any) -> StudyConfig:
    return load_config("demo", overrides={"search": {"start": start, "trials": 20, "stop": stop}})


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with StudyStorage.create(str(tmp_path / "studies.db")) as storage:
        yield Stage(storage)


def test_without_a_rule_only_the_trials_count(stage: Stage) -> None:
    assert stage.allowance() == Allowance(total=20)
    assert stage.allowance(start="starter") == Allowance(total=19)


def test_a_complete_trial_that_is_good_enough_ends_it(stage: Stage) -> None:
    stage.add(TrialState.PRUNED, qualities=(0.9, 0.9, 0.9))
    stage.add(qualities=(0.5, 0.6, 0.7))
    assert stage.allowance(quality=0.61).stop is None
    assert stage.allowance(quality=0.6).stop == "trial 1 has quality 0.600, and 0.6 was wanted"


def test_trials_that_bring_nothing_better_end_it(stage: Stage) -> None:
    assert stage.allowance(stagnation=2).stop is None
    stage.add(qualities=(0.4, 0.5, 0.6))
    stage.add(qualities=(0.5, 0.6, 0.7))
    stage.add(TrialState.FAIL)
    stage.add(TrialState.PRUNED, qualities=(0.9, 0.9, 0.9))
    assert stage.allowance(stagnation=2).stop is None
    stage.add(qualities=(0.9, 0.3, 0.65))
    stopped = "none of the last 2 trials is better than trial 1 by more than the standard error"
    assert stage.allowance(stagnation=2).stop == stopped
    assert stage.allowance(stagnation=3).stop is None
    stage.add(qualities=(0.6, 0.7, 0.8))
    assert stage.allowance(stagnation=2).stop is None


def test_trials_of_the_study_that_a_wider_one_goes_on_from_are_only_to_be_beaten(stage: Stage) -> None:
    stage.add(qualities=(0.5, 0.6, 0.7), **{attributes.COPIED_FROM: "another"})
    for _ in range(3):
        stage.add(qualities=(0.1, 0.2, 0.3), **{attributes.COPIED_FROM: "another"})
    assert stage.allowance(stagnation=2).stop is None
    stage.add(qualities=(0.2, 0.2, 0.3))
    assert stage.allowance(stagnation=2).stop is None
    stage.add(qualities=(0.3, 0.2, 0.3))
    assert "none of the last 2 trials is better than trial 0" in (stage.allowance(stagnation=2).stop or "")


def test_trials_of_which_none_is_complete_bring_nothing_either(stage: Stage) -> None:
    for _ in range(3):
        stage.add(TrialState.PRUNED)
    assert stage.allowance(stagnation=3).stop == "none of 3 trials is complete"
    assert stage.allowance(stagnation=4).stop is None


def test_failed_trials_of_two_objectives_count_to_their_last_rung(stage: Stage) -> None:
    known = {attributes.IMAGES_SEEN: None, attributes.RUNG_QUALITIES: {"200": 0.3, "400": 0.4}}
    stage.add(TrialState.FAIL, **known)
    assert stage.allowance(images=3 * FULL).total == 2
    assert stage.allowance(images=3 * FULL + 400).total == 3


def test_images_are_never_more_than_were_given(stage: Stage) -> None:
    """Three whole trials fit; a pruned one leaves room for another."""
    assert stage.allowance(images=3 * FULL + 799) == Allowance(total=3, may_rise=True)
    stage.add(TrialState.PRUNED, **{attributes.IMAGES_SEEN: 200})
    stage.add(TrialState.FAIL, **{attributes.IMAGES_SEEN: None})
    assert stage.allowance(images=3 * FULL + 200) == Allowance(total=4, may_rise=True)
    for _ in range(3):
        stage.add()
    spent = stage.allowance(images=3 * FULL + 200)
    assert spent.stop == "2,600 of 2,600 images are trained on, and a whole trial takes 800"


def test_images_of_what_trials_start_from_count_and_those_of_another_study_do_not(stage: Stage) -> None:
    stage.add(**{attributes.COPIED_FROM: "another"})
    assert stage.allowance(images=3 * FULL).total == 4
    assert stage.allowance(images=3 * FULL, start="starter").total == 3


def test_a_study_that_has_its_trials_is_not_stopped_besides(stage: Stage) -> None:
    for _ in range(20):
        stage.add()
    assert stage.allowance(quality=0.1, stagnation=1) == Allowance(total=20)


def ending_in(seconds: float, *, began: float = 0.0, trial_seconds: float = 0.0) -> TimeLimit:
    return TimeLimit(began=began, until=time.time() + seconds, trial_seconds=trial_seconds)


def test_no_trial_begins_that_would_not_be_done_in_time(stage: Stage) -> None:
    assert stage.allowance(limit=ending_in(50, trial_seconds=40)).stop is None
    assert "a trial of 60 s would not be done within" in (
        stage.allowance(limit=ending_in(50, trial_seconds=60)).stop or ""
    )
    assert stage.allowance(limit=ending_in(-1)).stop is not None


def test_a_trial_takes_as_long_as_those_of_this_run_on_this_machine(stage: Stage) -> None:
    """A pruned one at its pace; those of before this run, and of other machines, may have been faster."""
    began = time.time()
    stage.add(TrialState.PRUNED, **{attributes.IMAGES_SEEN: 200, attributes.SECONDS: 25.0})
    elsewhere = {"machine": "other", "host": "other", "pid": 1, "started": 1.0}
    stage.add(**{attributes.WORKER: elsewhere, attributes.SECONDS: 9000.0})
    assert stage.allowance(limit=ending_in(110, began=began, trial_seconds=1)).stop is None
    assert "a trial of 100 s" in (stage.allowance(limit=ending_in(90, began=began, trial_seconds=1)).stop or "")
    assert stage.allowance(limit=ending_in(90, began=time.time() + 1, trial_seconds=1)).stop is None


def test_where_nobody_knows_what_a_trial_takes_here_those_of_other_machines_tell(stage: Stage) -> None:
    """As to the command that follows a cluster, and to a machine of it that has run none."""
    began = time.time()
    elsewhere = {"machine": "other", "host": "other", "pid": 1, "started": 1.0}
    stage.add(**{attributes.WORKER: elsewhere, attributes.SECONDS: 600.0})
    assert "a trial of 600 s" in (stage.allowance(limit=ending_in(300, began=began, trial_seconds=0)).stop or "")
    stage.add(**{attributes.SECONDS: 200.0})
    assert stage.allowance(limit=ending_in(300, began=began, trial_seconds=0)).stop is None


def test_one_that_diverged_is_no_measure_of_the_pace(stage: Stage) -> None:
    began = time.time()
    reason = "diverged: the style loss is not finite after image 399"
    stage.add(TrialState.PRUNED, **{attributes.IMAGES_SEEN: 200, attributes.SECONDS: 99.0, attributes.REASON: reason})
    assert stage.allowance(limit=ending_in(90, began=began, trial_seconds=1)).stop is None


def test_where_time_alone_ends_it_there_is_no_total(stage: Stage) -> None:
    assert stage.allowance(limit=ending_in(50), counts_trials=False) == Allowance(total=None)


@pytest.mark.parametrize(
    ("start", "images", "message"),
    [
        ("noise", 799, "is 799, and the first trial takes 800: give at least 800"),
        ("starter", 1599, "the first trial takes 800 and 800 of the starter before it: give at least 1600"),
    ],
)
def test_too_few_images_for_one_trial_are_refused(start: str, images: int, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        configure(start=start, images=images)
    assert configure(start=start, images=images + 1).most_whole_trials == 1
