"""What commands say of a study's final: before it, and where another trial is chosen than won it."""

from dataclasses import replace
from pathlib import Path

import pytest

from studies.storage.study_storage import StudyStorage
from tests.studies.records.finals import FINAL
from tests.tuner.conftest import RunCli
from tests.tuner.rated_study import NAME, make_rated_study
from tuner.command_line.study.results import echo_estimate
from tuner.configuration.loading import load_config
from tuner.running.estimation import Estimate, Pace
from tuner.running.run_study import StudyEstimate

PACE = Pace(
    seconds_per_image=1.0,
    seconds_per_photo=0.0,
    seconds_per_seed=10.0,
    num_photos=4,
    num_calibration=0,
    trial_bytes=0,
    table_bytes=0,
)
"""A second an image, and ten for each further seed."""


def estimate(*, num_final_runs: int, stop_images: int | None) -> StudyEstimate:
    cost = Estimate(seconds=60.0, num_bytes=0, table_bytes=0, trial_seconds=10.0, start_seconds=0.0)
    return StudyEstimate(
        name="waves",
        num_trials=4,
        num_images=800,
        start="noise",
        start_images=0,
        cost=cost,
        num_finished=None,
        num_final_runs=num_final_runs,
        stop_images=stop_images,
    )


def test_a_final_is_told_to_come_on_top_of_the_images(capsys: pytest.CaptureFixture[str]) -> None:
    echo_estimate(estimate(num_final_runs=6, stop_images=3200), ends_at_total=True)
    assert "The final comes on top of the 3,200 images of `search.stop.images`." in capsys.readouterr().out
    for found in (estimate(num_final_runs=0, stop_images=3200), estimate(num_final_runs=6, stop_images=None)):
        echo_estimate(found, ends_at_total=True)
        assert "on top" not in capsys.readouterr().out


def test_runs_that_are_there_cost_nothing() -> None:
    """Three finalists of two seeds: six runs; of one run that is missing one seed is set up."""
    config = load_config("quick", overrides={"search": {"finalists": 3}})
    images = config.rungs[-1]
    assert PACE.cost(config, trains_start=False).final_seconds == pytest.approx(20 + 6 * images)
    assert PACE.cost(config, trains_start=False, num_final_runs=1).final_seconds == pytest.approx(10 + images)
    assert PACE.cost(config, trains_start=False, num_final_runs=0).final_seconds == pytest.approx(0.0)


def test_what_is_preferred_and_is_not_first_in_the_final_is_told(run_cli: RunCli, folder: Path) -> None:
    """Trial 2 has the best mean; with more weight of content trial 1 comes first."""
    with StudyStorage.create(str(folder / "styletuner.db")) as storage:
        make_rated_study(storage)
        storage.load_study(NAME).set_user_attr("final", replace(FINAL, judge_version="2").to_attribute())
    other = run_cli("study", "export", NAME, "--prefer", "content").require_success()
    assert "The study's final has trial 2 first, not trial 1; without --prefer and --calibrated" in other.stderr
    for arguments in (("--prefer", "balanced"), ("--trial", 1), ()):
        same = run_cli("study", "export", NAME, *arguments).require_success()
        assert "The study's final" not in same.stderr
