"""Runs of a final, each claimed by the process that trains it; a training stands in that trains nothing."""

import signal
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast, final

import numpy as np
import pytest
from numpy.typing import NDArray

from measures.sampled_values import SampledValues
from studies.records.final import FinalRun, RunKey, StudyFinal
from studies.storage.study_identity import create_study, uuid_of
from studies.storage.study_storage import StudyStorage
from tests.studies.records.finals import FINAL, run_of
from tests.tuner.tiny_study import NAME
from tuner.configuration.settings import StudyConfig
from tuner.running.finals import final as running
from tuner.running.observer import SilentObserver
from tuner.running.stopping import TimeLimit
from tuner.running.study_run import StudyRun
from tuner.search.study_pictures import StudyPictures

BEGUN = replace(FINAL, runs=())


@final
class Told(SilentObserver):
    """Notes what it is told."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, text: str) -> None:
        self.lines.append(text)


@pytest.fixture
def begun(tmp_path: Path) -> Iterator[StudyRun]:
    """A study of whose final no run is done."""
    with StudyStorage.create(str(tmp_path / "styletuner.db")) as storage:
        study = create_study(storage.optuna, NAME, num_objectives=1)
        study.set_user_attr("final", BEGUN.to_attribute())
        yield StudyRun(storage=storage, uuid=uuid_of(study), config=StudyConfig(), pictures=cast("StudyPictures", None))


def train_by(monkeypatch: pytest.MonkeyPatch, train: Callable[[RunKey, Callable[[str], None]], None]) -> None:
    """Have a run be this, which is given what a training that is set up calls to say what it does."""

    @final
    class Training:
        def __init__(self, _: StudyRun, *, say: Callable[[str], None]) -> None:
            self._say = say

        def sampled(self, _: RunKey) -> SampledValues:
            return SampledValues(style_to_content=1.0, tv_to_content=0.1)

        @property
        def photos(self) -> NDArray[np.float32]:
            return np.zeros((2, 8, 8, 3), np.float32)

        def train(self, key: RunKey, **_: Any) -> tuple[FinalRun, NDArray[np.float32]]:
            train(key, self._say)
            return run_of(*key, 0.5, 0.5), self.photos

        def forget(self, _: RunKey) -> None:
            pass

    monkeypatch.setitem(sys.modules, "tuner.running.finals.final_training", SimpleNamespace(FinalTraining=Training))
    monkeypatch.setattr(running.environment, "load_networks", lambda: None)


def kept(run: StudyRun) -> StudyFinal:
    found = StudyFinal.parse(run.storage.read_by_uuid(run.uuid).user_attrs["final"])
    assert found is not None
    return found


def claims(run: StudyRun) -> Any:
    return run.storage.read_by_uuid(run.uuid).user_attrs["final_claims"]


def test_a_claim_is_renewed_while_a_seed_is_set_up(begun: StudyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[float, float]] = []

    def train(key: RunKey, say: Callable[[str], None]) -> None:
        name = f"{key[0]}/{key[1]}"
        before = claims(begun)[name]["renewed"]
        say("computing content features")
        seen.append((before, claims(begun)[name]["renewed"]))

    train_by(monkeypatch, train)
    monkeypatch.setattr(running, "RENEW_SECONDS", 0.0)
    running.run_final(begun, BEGUN, Told())
    assert len(seen) == len(kept(begun).runs) == 6
    assert all(after > before for before, after in seen)
    assert claims(begun) == {}


def test_no_run_begins_when_the_time_is_over(begun: StudyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    """The time ends within the first run, which is finished."""
    ends: list[float] = []
    train_by(monkeypatch, lambda key, _: ends.append(key[0]))
    monkeypatch.setattr(TimeLimit, "is_over", property(lambda _: bool(ends)))
    told = Told()
    running.run_final(replace(begun, limit=TimeLimit(began=0.0, until=1.0)), BEGUN, told)
    assert len(kept(begun).runs) == 1
    assert told.lines[-1] == "The time is over; runs of the final to go: 5. The same command goes on"
    running.run_final(begun, kept(begun), told)
    assert kept(begun).missing == ()


def test_an_interrupt_while_a_seed_is_set_up_ends_it_there(begun: StudyRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def train(key: RunKey, say: Callable[[str], None]) -> None:
        if key[1] == BEGUN.seeds[1]:
            signal.raise_signal(signal.SIGINT)
            say("drawing crops")
            pytest.fail("it goes on")

    train_by(monkeypatch, train)
    with pytest.raises(KeyboardInterrupt):
        running.run_final(begun, BEGUN, Told())
    assert (len(kept(begun).runs), claims(begun)) == (3, {})
