"""The lines of docs/notebook.md, run beside a tiny study, and what a process says where something is wrong."""

import contextlib
import re
import shutil
import time
from pathlib import Path
from typing import Any

import PIL.Image
import pytest
import yaml

import styletuner
from tests.tuner.tiny_study import write_tiny_study
from tuner.running.stopping import TimeLimit

ROOT = Path(__file__).parents[2]

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the notebook runs: a tiny study's pictures and its configuration as "study.yaml"."""
    write_tiny_study(tmp_path)
    shutil.copy(tmp_path / "tiny.yaml", tmp_path / "study.yaml")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def documented_code() -> list[str]:
    found = re.findall(r"```python\n(.*?)```", (ROOT / "docs" / "notebook.md").read_text(encoding="utf-8"), re.DOTALL)
    assert len(found) == 2
    return found


def test_the_documented_lines_of_a_run_in_this_process(capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(documented_code()[1], names)
    assert re.match(r"trial 0: complete, .+\ntrial 1: \w+, .+\n", capsys.readouterr().out)
    rows = names["table"]
    assert [(row["number"], row["state"]) for row in rows] == [(0, "complete"), (1, "complete")]
    assert {(0, 8), (0, 16), (1, 8), (1, 16)} == set(names["qualities"])
    assert names["qualities"][0, 16] == rows[0]["quality"]


def test_what_a_function_raises_ends_the_run_and_the_same_call_resumes(folder: Path) -> None:
    def refuse(trial: styletuner.TrialSummary) -> None:
        raise RuntimeError(f"enough after trial {trial.number}")

    with pytest.raises(RuntimeError, match="enough after trial 0"):
        styletuner.run_study("study.yaml", name="waves", trials=2, on_trial=refuse)
    seen: list[int] = []
    study = styletuner.run_study(
        folder / "study.yaml", name="waves", search__trials=2, on_trial=lambda trial: seen.append(trial.number)
    )
    assert study.summary().num_finished == 2
    assert 0 not in seen


def test_what_is_raised_within_a_trial_gives_it_back() -> None:
    def refuse(event: styletuner.RungEvent) -> None:
        raise RuntimeError(f"enough after {event.images_seen} images")

    with pytest.raises(RuntimeError, match="enough after 8 images"):
        styletuner.run_study("study.yaml", name="waves", trials=1, on_rung=refuse)
    study = styletuner.run_study("study.yaml", name="waves", trials=1)
    states = [(row["state"], row["retry_of"]) for row in study.table()]
    assert states == [("failed", None), ("complete", 0)]


def test_time_ends_a_run_in_this_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """The hour is over after the second trial, whatever the clock says."""
    study = styletuner.run_study("study.yaml", name="waves", time="1h", trials=1)
    assert study.summary().num_finished == 1
    told: list[str] = []
    seconds = 3600.0

    def hear(_: styletuner.TrialSummary) -> None:
        nonlocal seconds
        seconds = 0.0

    monkeypatch.setattr(TimeLimit, "seconds_left", property(lambda _: seconds))
    styletuner.run_study("study.yaml", name="waves", time="1h", say=told.append, on_trial=hear)
    assert study.summary().num_finished == 2
    assert told[-1].startswith("Stopped: a trial of")
    with pytest.raises(ValueError, match="'45' is no duration"):
        styletuner.run_study("study.yaml", name="waves", time="45")


def test_trials_of_worker_processes_are_told_here() -> None:
    told: list[tuple[int, str]] = []
    study = styletuner.run_study(
        "study.yaml", name="waves", trials=2, workers=2, on_trial=lambda trial: told.append((trial.number, trial.state))
    )
    assert sorted(told) == [(0, "COMPLETE"), (1, "COMPLETE")]
    assert [row["state"] for row in study.table()] == ["complete"] * 2


def test_a_wrong_setting_is_told_before_anything_is_made(folder: Path) -> None:
    with pytest.raises(ValueError, match=r"Did you mean .*width"):
        styletuner.run_study("study.yaml", network__widht=8)
    assert not (folder / "styletuner.db").exists()


def test_the_documented_lines(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names: dict[str, Any] = {}
    exec(documented_code()[0], names)
    assert [row["number"] for row in names["rows"]] == [0, 1, 2]
    assert re.match(r"trial \d, quality 0\.\d+\nstyle weight 0\.\d+, content weight 0\.\d+\n", capsys.readouterr().out)
    assert isinstance(names["sheet"], PIL.Image.Image)
    assert names["sheet"].width > 500
    exported = yaml.safe_load((folder / "best.yaml").read_text(encoding="utf-8"))
    assert names["exported"] == Path("best.yaml")
    assert exported["trial"] == names["best"].number
    assert [event["event"] for event in names["running"].events] == ["study", *["trial"] * 3, "end"]


def test_stopped_study_is_resumed_by_starting_it_again() -> None:
    running = styletuner.start_study("study.yaml", name="waves", trials=40)
    study = running.study
    deadline = time.monotonic() + 120
    while not any(event["event"] == "trial" for event in running.events):
        assert running.is_running, running.log
        assert time.monotonic() < deadline, running.log
        time.sleep(0.05)
    with contextlib.suppress(TimeoutError):
        running.wait(0.01)
    running.stop()
    assert not running.is_running
    with pytest.raises(styletuner.StudyProcessError, match="Run the same command again to go on"):
        running.wait()
    ended = study.summary().num_finished
    assert 1 <= ended < 40
    again = styletuner.start_study("study.yaml", name="waves", trials=ended + 1).wait()
    assert again.summary().num_finished == ended + 1


def test_bad_input_is_told_in_the_commands_words() -> None:
    running = styletuner.start_study("study.yaml", network__widht=8)
    with pytest.raises(styletuner.StudyProcessError, match=r"Did you mean .*width"):
        running.wait()
    with pytest.raises(styletuner.StudyProcessError, match=r"Did you mean .*width"):
        _ = running.study
    assert "ended with status 2" in repr(running)


def test_widening_is_asked_for_in_the_commands_words() -> None:
    running = styletuner.start_study("study.yaml", name="waves", widen=True)
    with pytest.raises(styletuner.StudyProcessError, match=r"There is no study 'waves' to widen"):
        running.wait()
