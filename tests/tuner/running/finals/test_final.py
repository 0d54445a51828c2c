"""A final with real training: what wins, what is kept of it, and what goes on after an end of any kind."""

import json
import shutil
import signal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboards.picture_titles import is_contact_sheet
from dashboards.shown_pictures import read_strip
from models.pretrained import files as pretrained
from objectives.training.trainer import StyleTrainer
from studies.records.final import StudyFinal
from studies.records.study_record import StudyRecord
from studies.records.summaries import summarise
from styletuner import Study
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, CommandProcess, num_finished, opened, run_command

pytestmark = pytest.mark.slow

RUN = ("study", "run", "tiny.yaml", "--name", NAME, "--set", "search.pruner=none", "--set", "data.held_out.report=2")
FINAL = (*RUN, "--finalists", 2)


@pytest.fixture(scope="module")
def searched_folder(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A study of three complete trials and no final; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("searched"), dirs_exist_ok=True))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        run_command(*RUN, cwd=folder).require_success()
    return folder


@pytest.fixture(scope="module")
def final_folder(searched_folder: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same with a final of two, told as JSON in "events.jsonl"; leave it as it is."""
    folder = Path(shutil.copytree(searched_folder, tmp_path_factory.mktemp("final"), dirs_exist_ok=True))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        outcome = run_command(*FINAL, "--json", "-o", "out", cwd=folder).require_success()
    (folder / "events.jsonl").write_text(outcome.stdout, encoding="utf-8")
    (folder / "said.txt").write_text(outcome.stderr, encoding="utf-8")
    return folder


@pytest.fixture
def searched(searched_folder: Path, folder: Path) -> Path:
    return Path(shutil.copytree(searched_folder, folder, dirs_exist_ok=True))


@pytest.fixture
def done(final_folder: Path, folder: Path) -> Path:
    return Path(shutil.copytree(final_folder, folder, dirs_exist_ok=True))


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Grows with each training that begins."""
    begun: list[int] = []
    start = StyleTrainer.start

    def noting(trainer: StyleTrainer, *arguments: Any, **options: Any) -> None:
        begun.append(1)
        start(trainer, *arguments, **options)

    monkeypatch.setattr(StyleTrainer, "start", noting)
    return begun


def final_of(folder: Path) -> StudyFinal:
    with opened(folder / "styletuner.db") as studies:
        found = StudyRecord.parse(studies.read_study(NAME).user_attrs).final
    assert found is not None
    return found


def num_runs(folder: Path) -> int:
    with opened(folder / "styletuner.db") as studies:
        found = StudyRecord.parse(studies.read_study(NAME).user_attrs).final
    return 0 if found is None else len(found.runs)


def test_events_tell_each_run_and_the_end_who_won(done: Path) -> None:
    events = [json.loads(line) for line in (done / "events.jsonl").read_text(encoding="utf-8").splitlines()]
    runs = [event for event in events if event["event"] == "final_run"]
    final, end = final_of(done), events[-1]
    assert [(run["trial"], run["seed"]) for run in runs] == list(final.keys)
    assert [(run["num_done"], run["num_runs"]) for run in runs] == [(1, 4), (2, 4), (3, 4), (4, 4)]
    assert {run["study"] for run in runs} == {NAME}
    outcome = final.outcome()
    assert outcome is not None
    assert end["best"] == end["final"]["winner"] == outcome.winner.trial
    assert end["final"]["decides"] is True
    assert "4 of 4 runs to go" in (done / "said.txt").read_text(encoding="utf-8")


def test_what_they_painted_is_kept_and_shown(done: Path, run_cli: RunCli) -> None:
    """Of the report photos, which are not those that trials are judged on."""
    end = json.loads((done / "events.jsonl").read_text(encoding="utf-8").splitlines()[-1])
    assert is_contact_sheet(done / end["final_sheet"])
    final = final_of(done)
    with opened(done / "styletuner.db") as studies:
        assert {name for name in final.artifacts if studies.artifacts.has(final.artifacts[name])} == {
            *(f"final_trial_{trial}_seed_{seed}" for trial, seed in final.keys),
            *("final_photos", "final_sheet"),
        }
        assert read_strip(studies, str(final.runs[0].outputs), num_pictures=2)[0].shape == (48, 48, 3)
    assert "nothing left that is wrong" in run_cli("study", "check").require_success().stdout
    run_cli("study", "delete", NAME, "--yes").require_success()
    with opened(done / "styletuner.db") as studies:
        assert not list(studies.artifacts.path.iterdir()), "no picture is left"


def test_it_is_the_best_two_on_the_report_photos_with_two_seeds(done: Path) -> None:
    with opened(done / "styletuner.db") as studies:
        summary = summarise(studies, NAME)
    own = sorted(summary.trials, key=lambda trial: -(trial.quality or 0.0))
    final = final_of(done)
    assert final.wanted == tuple(trial.number for trial in own[:2])
    assert final.seeds == (1, 2)
    assert {run.trial_quality for run in final.runs} == {trial.quality for trial in own[:2]}
    assert all(len(run.photo_qualities) == 2 for run in final.runs)
    for trial in final.wanted:
        one, two = (run for run in final.runs if run.trial == trial)
        assert one.photo_qualities != two.photo_qualities, "another seed is another run"
    assert len(summary.trials) == 3, "Optuna knows nothing of them"
    best = Study(NAME, storage=done / "styletuner.db").summary().best
    assert best is not None
    assert best.number == json.loads((done / "events.jsonl").read_text().splitlines()[-1])["best"]


def test_a_final_that_is_done_is_answered_at_once(done: Path, run_cli: RunCli, trained: list[int]) -> None:
    before = final_of(done)
    outcome = run_cli(*FINAL).require_success()
    assert "Final: trial " in outcome.stdout
    assert "to go" not in outcome.stderr
    assert (trained, final_of(done)) == ([], before)
    assert "2 further seeds each, judged on 2 report photos" in run_cli("study", "show", NAME).require_success().stdout


def test_more_trials_reconsider_and_keep_what_is_there(done: Path, run_cli: RunCli, trained: list[int]) -> None:
    """Of the best three two have their runs: two are trained, and the fourth trial of the search."""
    before = final_of(done)
    run_cli(*RUN, "--trials", 4, "--finalists", 3).require_success()
    after = final_of(done)
    assert all(run in after.runs for run in before.runs)
    assert len(after.wanted) == 3
    assert after.missing == ()
    fresh = len(after.runs) - len(before.runs)
    assert len(trained) == 1 + fresh
    assert fresh in {2, 4}, "of one or two trials that were not in it"


def test_an_interrupted_run_goes_on_from_its_checkpoint_to_the_same_end(
    final_folder: Path, searched: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Interrupted within the second run, whose training has four parts; the numbers are those of an unbroken final,
    and time, which would hold more trials, goes to it first."""
    train, calls = StyleTrainer.train, iter(range(100))

    def interrupted(trainer: StyleTrainer, *arguments: Any, **options: Any) -> Any:
        if next(calls) == 5:
            signal.raise_signal(signal.SIGINT)
        return train(trainer, *arguments, **options)

    with monkeypatch.context() as patched:
        patched.setattr(StyleTrainer, "train", interrupted)
        assert run_cli(*FINAL).status == 1
    assert num_runs(searched) == 1
    outcome = run_cli(*FINAL, "--time", "60m").require_success()
    assert "it is finished first" in outcome.stderr
    assert num_finished(searched / "styletuner.db") == 3, "no more trials yet"
    assert "resuming from" in outcome.stderr
    assert "3 of 4 runs to go" in outcome.stderr
    found, whole = final_of(searched), final_of(final_folder)
    assert [run.key for run in found.runs] == [run.key for run in whole.runs]
    np.testing.assert_allclose(
        [run.photo_qualities for run in found.runs], [run.photo_qualities for run in whole.runs], atol=1e-6
    )


def test_a_command_killed_and_two_at_once_after_it_train_each_run_once(searched: Path) -> None:
    with CommandProcess(*FINAL, cwd=searched) as first:
        first.wait_until(lambda: num_runs(searched) >= 1)
        first.kill()
    kept = final_of(searched).runs
    with CommandProcess(*FINAL, cwd=searched) as one, CommandProcess(*FINAL, cwd=searched) as other:
        assert (one.wait(), other.wait()) == (0, 0)
        told = [line for line in (one.output + other.output).splitlines() if " seed " in line and "quality" in line]
    found = final_of(searched)
    assert found.missing == ()
    assert all(run in found.runs for run in kept), "a finished run is not trained again"
    assert len(told) == len(set(told)) == 4 - len(kept)


def test_a_search_that_is_interrupted_has_no_final(run_cli: RunCli, folder: Path, trained: list[int]) -> None:
    def interrupt(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setattr(StyleTrainer, "train", interrupt)
        assert run_cli(*FINAL).status == 1
    assert len(trained) == 1
    assert num_runs(folder) == 0


def test_a_search_that_a_rule_ends_has_one(run_cli: RunCli, folder: Path) -> None:
    outcome = run_cli(*FINAL, "--set", "search.stop.images=40", "--json").require_success()
    end = json.loads(outcome.stdout.splitlines()[-1])
    assert end["stopped"] == "32 of 40 images are trained on, and a whole trial takes 16"
    assert len(end["final"]["runs"]) == 4
    assert num_runs(folder) == 4


def test_trials_of_a_starter_start_from_it_again(
    run_cli: RunCli, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only crops and their order change: all weights begin alike, those of the final too."""
    begun: list[np.ndarray] = []
    start = StyleTrainer.start

    def noting(trainer: StyleTrainer, *arguments: Any, **options: Any) -> None:
        start(trainer, *arguments, **options)
        begun.append(trainer.network.get_weights()[0])

    monkeypatch.setattr(StyleTrainer, "start", noting)
    run_cli(*FINAL, "--start", "starter").require_success()
    starter, *others = begun
    assert len(others) == 2 + 4
    for first in others[1:]:
        np.testing.assert_array_equal(first, others[0])
    assert not np.array_equal(starter, others[0])
    one, two = (run for run in final_of(folder).runs if run.trial == 0)
    assert one.photo_qualities != two.photo_qualities
