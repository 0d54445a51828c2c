"""`study extend` on the command line: bad input, and real trials that are trained on."""

import json
from pathlib import Path

import pytest

from measures.versions import JUDGE_VERSION
from studies.records import attributes
from studies.records.extension_words import ROUNDING
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.judged_study import FAILED, OLD, make_judged_study
from tests.tuner.tiny_study import NAME, opened, read_trials

COMMAND = ("study", "extend", NAME)


def test_bad_input(drawn_study: Path, run_cli: RunCli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """All of it is found before any network library loads, and nothing is kept."""
    monkeypatch.setattr("tuner.installation.environment.load_networks", lambda: pytest.fail("loaded"))
    database = tmp_path / "styletuner.db"
    with StudyStorage.create(str(database)) as storage:
        make_judged_study(storage, drawn_study).set_user_attr(attributes.JUDGE_VERSION, JUDGE_VERSION)
        make_judged_study(storage, drawn_study, name="old")
    before = database.read_bytes()
    assert "Missing option '--trial'" in run_cli(*COMMAND).stderr
    run_cli("study", "extend", "wavez", "--trial", 0).require_refusal("'wavez'", "Did you mean 'waves'?")
    run_cli("study", "extend", "old", "--trial", 0).require_refusal(f"judge version {OLD}", "study rescore old")
    run_cli(*COMMAND, "--trial", 99).require_refusal("no trial 99", "study show waves")
    run_cli(*COMMAND, "--trial", FAILED).require_refusal(f"Trial {FAILED}", "must be complete or pruned")
    run_cli(*COMMAND, "--trial", 2, "--images", 12).require_refusal("`--images`", "at least the 16 images")
    run_cli(*COMMAND, "--trial", 2, "--photos", "nowhere").require_refusal("photos of study 'waves'", "--photos")
    run_cli(*COMMAND, "--trial", 2, "--sheet", "sheet.jpg").require_refusal("`--sheet`", "sheet.jpg")
    assert database.read_bytes() == before


@pytest.mark.slow
def test_trials_are_trained_on_through_their_own_scores(finished: Path, run_cli: RunCli) -> None:
    with opened(finished / "styletuner.db") as studies:
        trials = {trial.number: trial for trial in summarise(studies, NAME).trials}
    before = read_trials(finished / "styletuner.db")
    command = (*COMMAND, "--images", "2x", "--photos", "photos")
    told = json.loads(run_cli(*command, "--trial", 0, "--json").require_success().stdout)
    assert (told["was_done"], told["images"], [run["trial"] for run in told["runs"]]) == (False, 32, [0])
    said = run_cli(*command, "--trial", 2, "--trial", 0, "--sheet", "sheet.png").require_success()
    assert "trial 2: quality" in said.stderr
    assert "trial 0: quality" not in said.stderr, "it is not trained again"
    assert (finished / "sheet.png").stat().st_size > 1000
    told = json.loads(run_cli(*command, "--trial", 0, "--trial", 2, "--json").require_success().stdout)
    assert told["was_done"] is True
    for run in told["runs"]:
        own = {str(images): quality for images, quality in trials[run["trial"]].qualities.items()}
        assert list(run["qualities"]) == ["8", "16", "32"]
        assert {images: run["qualities"][images] for images in own} == pytest.approx(own, abs=ROUNDING)
    shown = run_cli("study", "show", NAME).require_success().stdout
    assert "Trial 0, trained on to 32 images, has " in shown
    assert "Validat" not in shown
    assert read_trials(finished / "styletuner.db") == before
    listed = json.loads(run_cli("study", "show", NAME, "--json").require_success().stdout)
    assert [run["trial"] for run in listed["extensions"][0]["runs"]] == [run["trial"] for run in told["runs"]]
    run_cli("study", "delete", NAME, "--yes").require_success()
    with opened(finished / "styletuner.db") as studies:
        assert not list(studies.artifacts.path.iterdir()), "no picture is left"
