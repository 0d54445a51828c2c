"""What fits into a run's time."""

import time
from dataclasses import replace

import pytest

from tuner.configuration.loading import load_config
from tuner.configuration.settings import StudyConfig
from tuner.errors import ConfigError
from tuner.running.estimation import Estimate
from tuner.running.planning import plan_time, plan_time_apart
from tuner.running.workers.worker_places import WorkerPlaces


def of_minutes(minutes: float) -> StudyConfig:
    return load_config("demo", overrides={"search": {"stop": {"minutes": minutes}}})


def cost(*, trial: float, start: float = 0.0) -> Estimate:
    return Estimate(seconds=0.0, num_bytes=0, table_bytes=0, trial_seconds=trial, start_seconds=start)


def sharing(num_workers: int, *, gpus: int = 0) -> WorkerPlaces:
    return WorkerPlaces(num_workers=num_workers, gpus=[str(number) for number in range(gpus)], num_cores=8)


def test_as_many_trials_as_are_done_in_time() -> None:
    """600 s less a minute of setting up and 100 s for the starter hold four trials of 100 s."""
    plan = plan_time(of_minutes(10), cost(trial=100.0, start=100.0), began=time.time() - 60, is_begun=False)
    assert plan.num_trials == 4
    assert plan.in_words() == (
        "10 minutes hold about 4 trials of 1.7 min, after 1.7 min for what they start from; more where some are pruned"
    )
    limit = plan.limit()
    assert limit.until - limit.began == 600
    assert limit.seconds_left == pytest.approx(540, abs=5)


def test_a_final_is_held_back() -> None:
    """Of 600 s, less a moment, the final takes 200 s: three whole trials of 100 s are left, to be done before it."""
    priced = replace(cost(trial=100.0), final_seconds=200.0)
    plan = plan_time(of_minutes(10), priced, began=time.time(), is_begun=False)
    assert plan.num_trials == 3
    assert "3 trials of 1.7 min, before 3.3 min for their final" in plan.in_words()
    limit = plan.limit()
    assert limit.until - limit.began == 600
    assert limit.seconds_left == pytest.approx(400, abs=5)
    with pytest.raises(
        ConfigError, match=r"the final 3.3 min.\nGive at least 7 .* leave the final out \(--finalists 1\)"
    ):
        plan_time(of_minutes(5), priced, began=time.time(), is_begun=False)


def test_workers_share_the_cores() -> None:
    """Ten minutes hold five trials one after another; of six workers none would be done."""
    plan = plan_time(of_minutes(10), cost(trial=110.0), began=time.time(), is_begun=False, places=sharing(5))
    assert plan.num_trials == 5
    assert plan.limit().trial_seconds == 550.0
    with pytest.raises(
        ConfigError, match=r"a trial of 800 images 11.0 min where 6 workers share the cores.\nGive at least 12"
    ):
        plan_time(of_minutes(10), cost(trial=110.0), began=time.time(), is_begun=False, places=sharing(6))


def test_workers_with_a_gpu_each_do_not_wait_for_each_other() -> None:
    """Ten minutes hold five trials of 110 s on each of four GPUs, on each of which two workers take twice as long."""
    alone, doubled = (
        plan_time(of_minutes(10), cost(trial=110.0), began=time.time(), is_begun=False, places=sharing(num, gpus=4))
        for num in (4, 8)
    )
    assert (alone.num_trials, alone.limit().trial_seconds) == (20, 110.0)
    assert (doubled.num_trials, doubled.limit().trial_seconds) == (20, 220.0)
    with pytest.raises(ConfigError, match=r"a trial of 800 images 3.7 min where 8 workers share the GPUs.\nGive .* 4 "):
        plan_time(of_minutes(1), cost(trial=110.0), began=time.time(), is_begun=False, places=sharing(8, gpus=4))


def test_a_time_too_short_says_how_long_it_must_be() -> None:
    """A minute of setting up and two trials of 100 s are 4.3 minutes."""
    began = time.time() - 60
    with pytest.raises(
        ConfigError, match=r"2 minutes are too short: .* a trial of 800 images 1.7 min.\nGive at least 5 "
    ):
        plan_time(of_minutes(2), cost(trial=100.0), began=began, is_begun=False)
    assert plan_time(of_minutes(5), cost(trial=100.0), began=began, is_begun=False).num_trials == 2
    assert plan_time(of_minutes(3), cost(trial=100.0), began=began, is_begun=True).num_trials == 1


def test_of_other_machines_only_what_is_trained_here_is_known() -> None:
    """Of 600 s, a minute of setting up and 200 s for the final leave 340 s, whatever a trial takes."""
    priced = replace(cost(trial=10_000.0, start=100.0), final_seconds=200.0)
    plan = plan_time_apart(of_minutes(10), priced, began=time.time() - 60)
    assert plan.in_words() == (
        "10 minutes of trials, of which the cluster finds out how many they hold, after 1.7 min for what they start "
        "from, before 3.3 min for their final"
    )
    limit = plan.limit()
    assert (limit.until - limit.began, limit.trial_seconds) == (600, 0)
    assert limit.seconds_left == pytest.approx(340, abs=5)
    with pytest.raises(ConfigError, match=r"6 minutes are too short: .* take 6\.0 min.\nGive more than 7 minutes"):
        plan_time_apart(of_minutes(6), priced, began=time.time() - 60)
