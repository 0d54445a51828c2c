"""Runs that something ends before the study has its trials, with real training."""

import json
import time
from pathlib import Path
from typing import Any

import pytest

from studies.storage.study_identity import uuid_of
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, num_finished, opened, read_trials
from tuner.running import estimation
from tuner.running.stopping import TimeLimit
from tuner.running.workers.run_ending import RunEnding
from tuner.running.workers.worker_process import run_worker

pytestmark = pytest.mark.slow

RUN = ("study", "run", "tiny.yaml", "--name", NAME)


def last_event(stdout: str) -> Any:
    return json.loads(stdout.splitlines()[-1])


def test_images_end_a_study_and_more_of_them_go_on(run_cli: RunCli, folder: Path) -> None:
    """A trial is of 16 images: 40 hold two."""
    few = run_cli(*RUN, "--set", "search.stop.images=40", "--set", "search.pruner=none", "--json").require_success()
    assert num_finished(folder / "styletuner.db") == 2
    assert last_event(few.stdout)["stopped"] == "32 of 40 images are trained on, and a whole trial takes 16"
    assert "Stopped: 32 of 40 images are trained on" in few.stderr
    again = run_cli(*RUN, "--set", "search.pruner=none", "--json").require_success()
    assert num_finished(folder / "styletuner.db") == 3
    assert last_event(again.stdout)["stopped"] is None


def test_workers_in_processes_are_told_what_ends_the_run(run_cli: RunCli, folder: Path) -> None:
    stop = ("--set", "search.stop.images=40", "--set", "search.pruner=none")
    run_cli(*RUN, "--trials", "9", "--workers", "2", *stop).require_success()
    assert num_finished(folder / "styletuner.db") == 2


def test_a_quality_that_is_good_enough_ends_a_study(run_cli: RunCli, folder: Path) -> None:
    ended = run_cli(*RUN, "--set", "search.stop.quality=1e-9").require_success()
    assert num_finished(folder / "styletuner.db") == 1
    assert "Stopped: trial 0 has quality" in ended.stderr


@pytest.fixture
def five_trials_of_time(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run's time is over as soon as the study has five finished trials, whatever the clock says."""

    def seconds_left(_: TimeLimit) -> float:
        path = folder / "styletuner.db"
        return 3600.0 if not path.exists() or num_finished(path) < 5 else 0.0

    monkeypatch.setattr(TimeLimit, "seconds_left", property(seconds_left))


@pytest.mark.usefixtures("five_trials_of_time")
def test_time_alone_runs_as_many_trials_as_it_holds(run_cli: RunCli, folder: Path) -> None:
    """The configuration's three trials do not count then, unless they are named."""
    run_cli(*RUN, "--time", "1h", "--trials", "2").require_success()
    assert num_finished(folder / "styletuner.db") == 2
    ended = run_cli(*RUN, "--time", "1h", "--json").require_success()
    assert num_finished(folder / "styletuner.db") == 5
    assert "60 minutes hold about" in ended.stderr
    assert "would not be done within the 60 minutes" in last_event(ended.stdout)["stopped"]
    trial_lines = [json.loads(line) for line in ended.stdout.splitlines() if '"event": "trial"' in line]
    assert [line["total"] for line in trial_lines] == [None] * 3


def test_worker_processes_end_in_time(run_cli: RunCli, folder: Path) -> None:
    """They read the clock themselves: a trial that is expected to take an hour does not begin in half of one."""
    run_cli(*RUN, "--trials", "1").require_success()
    with opened(folder / "styletuner.db") as storage:
        uuid = uuid_of(storage.load_study(NAME))
        limit = TimeLimit(began=time.time(), until=time.time() + 1800, trial_seconds=3600)
        ending = RunEnding(trials=3, stop={}, limit=limit, counts_trials=False)
        run_worker(storage, uuid, ending=RunEnding.from_json(ending.to_json()), photos=[str(folder / "photos")])
    assert num_finished(folder / "styletuner.db") == 1


def test_a_grid_ends_at_its_trials_whatever_the_time(run_cli: RunCli, folder: Path) -> None:
    grid = ("--set", "search.sampler=grid", "--set", "search.grid=[2,1]")
    ended = run_cli(*RUN, "--time", "1h", *grid).require_success()
    assert num_finished(folder / "styletuner.db") == 3
    assert "Stopped" not in ended.stderr
    assert "no point" not in ended.stderr
    more = run_cli(*RUN, "--trials", "4", *grid).require_success()
    assert "`search.grid` has no point for 1 of the trials: random settings are drawn" in more.stderr


def test_a_time_too_short_makes_no_study(run_cli: RunCli, folder: Path) -> None:
    run_cli(*RUN, "--time", "0.1s").require_refusal("minutes are too short", "Give at least")
    assert not (folder / "styletuner.db").exists()


def test_a_dry_run_says_what_a_time_holds(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimation, "_seconds_per_image", lambda _: 1.0)
    told = run_cli(*RUN, "--time", "1h", "--dry-run").require_success()
    assert "60 minutes hold about 2" in told.stdout
    counted = run_cli(*RUN, "--time", "1h", "--dry-run", "--json").require_success()
    assert 150 <= last_event(counted.stdout)["num_fitting"] <= 225


@pytest.mark.parametrize("wrong", ["45", "soon", "-3m", "3 m", "1d"])
def test_what_is_no_duration_is_refused(run_cli: RunCli, wrong: str) -> None:
    run_cli(*RUN, "--time", wrong).require_refusal("is no duration", "45m, 1h30m or 90s")


def test_time_is_set_once(run_cli: RunCli) -> None:
    refused = run_cli(*RUN, "--time", "45m", "--set", "search.stop.minutes=3")
    refused.require_refusal("search.stop.minutes", "sets what another option sets already")


def test_trials_of_a_stopped_study_are_all_kept(run_cli: RunCli, folder: Path) -> None:
    run_cli(*RUN, "--set", "search.stop.stagnation=1", "--trials", "12").require_success()
    trials = read_trials(folder / "styletuner.db")
    assert 2 <= len(trials) <= 12
    assert all(trial.state.is_finished() for trial in trials)
