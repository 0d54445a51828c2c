"""`styletuner study check` on the command line: what it prints, how it ends, and a study that runs meanwhile."""

import json
import time
from pathlib import Path

import pytest

from studies.storage.study_storage import StudyStorage
from tests.studies.storage.test_read_only import run_bound
from tests.tuner.conftest import RunCli
from tests.tuner.rated_study import NAME, make_rated_study
from tests.tuner.tiny_study import CommandProcess, is_in_a_trial, require_exactly


@pytest.fixture
def rated(folder: Path) -> Path:
    """The file of a database with a rated study, in the folder of `run_cli`."""
    path = folder / "styletuner.db"
    with StudyStorage.create(str(path)) as storage:
        make_rated_study(storage)
        style = storage.load_study(NAME).user_attrs["style_image"]
        storage.load_study(NAME).set_user_attr("identity", {})
        assert storage.artifacts.has(style)
    return path


def lose_calibration(path: Path) -> None:
    with StudyStorage.open_read_only(str(path)) as storage:
        trial = storage.read_study(NAME).trials[4]
        storage.artifacts.path_of(trial.user_attrs["pictures"]["calibration"]).unlink()


@pytest.mark.usefixtures("rated")
def test_what_is_wrong_is_said_and_is_the_status(run_cli: RunCli, rated: Path) -> None:
    lose_calibration(rated)
    outcome = run_cli("study", "check", NAME)
    assert outcome.status == 1
    assert "FIX  rated: gone: calibration of trial 4\n     -> `study prefer` cannot ask about it" in outcome.stdout
    told = json.loads(run_cli("study", "check", "--json").stdout)
    assert told["studies"] == [NAME]
    assert [finding["trials"] for finding in told["left"] if finding["kind"] == "gone files"] == [[4]]


def test_bad_names_and_places(run_cli: RunCli, rated: Path) -> None:
    del rated
    run_cli("study", "check", "rate").require_refusal("Received 'rate'", NAME)
    run_cli("study", "check", "--storage", "none.db").require_refusal("There is no study database at")


def test_a_database_that_can_only_be_read(rated: Path) -> None:
    folder = rated.parent
    modes = {path: path.stat().st_mode for path in (rated, folder)}
    try:
        rated.chmod(0o444)
        folder.chmod(0o555)
        looked = run_bound("study", "check", "--storage", str(rated))
        refused = run_bound("study", "check", "--repair", "--storage", str(rated))
    finally:
        for path, mode in modes.items():
            path.chmod(mode)
    assert "1 study, 8 files" in looked.stdout, looked.stderr
    assert refused.returncode == 2
    assert "can only be read" in refused.stderr


@pytest.mark.slow
def test_a_study_that_runs_meanwhile_is_not_touched(run_cli: RunCli, folder: Path) -> None:
    storage = folder / "styletuner.db"
    arguments = ("study", "run", "tiny.yaml", "--name", "waves", "--trials", 6)
    with CommandProcess(*arguments, cwd=folder) as running:
        running.wait_until(lambda: is_in_a_trial(storage, finished=1))
        num_checks = 0
        while is_in_a_trial(storage, finished=1):
            outcome = run_cli("study", "check", "--repair").require_success()
            assert "DONE" not in outcome.stdout
            num_checks += 1
            time.sleep(0.2)
        assert running.wait() == 0, running.output
    assert num_checks
    require_exactly(storage, 6)
    assert run_cli("study", "check").status == 0
