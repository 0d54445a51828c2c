"""`study run --widen` where there is nothing to widen, and what is told of a study that was widened."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from dashboards.notes import study_note
from measures.versions import JUDGE_VERSION
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.judged_study import NUM_TRIALS, make_judged_study, tiny_config
from tests.tuner.tiny_study import NAME
from tuner.running.widened_study import open_widened
from tuner.running.widening import plan_widening
from tuner.search.study_pictures import open_pictures

NEW = f"{NAME}-wide"
RUN = ("study", "run", "tiny.yaml", "--name", NAME, "--widen", "--set", "search.baseline=null")
RANGE = "search.style_to_content=[0.09, 10]"
ADVICE = f"A better one may lie beyond: styletuner study run ... --name {NAME} --widen"


@pytest.fixture(scope="module")
def judged_folder(drawn_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` with a study whose best lies at an end, and one without; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("judged"), dirs_exist_ok=True))
    with StudyStorage.create(str(folder / "styletuner.db")) as storage:
        make_judged_study(storage, folder, judge_version=JUDGE_VERSION, style_to_content=(0.09, 10))
        make_judged_study(storage, folder, name="tides", judge_version=JUDGE_VERSION)
    return folder


@pytest.fixture
def judged(judged_folder: Path, tmp_path: Path) -> Iterator[StudyStorage]:
    """A copy of that to work in; use it with `run_cli`, whose folder it is."""
    shutil.copytree(judged_folder, tmp_path, dirs_exist_ok=True)
    with StudyStorage.open(str(tmp_path / "styletuner.db")) as storage:
        yield storage


@pytest.fixture
def widened(judged: StudyStorage, tmp_path: Path) -> StudyStorage:
    """The same with the study widened, none of whose new trials has run."""
    config = tiny_config(tmp_path, style_to_content=(0.09, 10))
    pictures = open_pictures(config)
    options = {"config": config, "pictures": pictures, "judge_version": JUDGE_VERSION}
    open_widened(judged, plan_widening(judged, NAME, total=None, **options), pictures, judge_version=JUDGE_VERSION)
    return judged


def test_beside_a_new_study(run_cli: RunCli) -> None:
    run_cli(*RUN, "--new").require_refusal("--widen goes on from a study and --new starts without any")


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_without_a_study(run_cli: RunCli, folder: Path, more: tuple[str, ...]) -> None:
    run_cli(*RUN, *more).require_refusal(f"There is no study '{NAME}' to widen. Run it first")
    assert not (folder / "styletuner.db").exists()


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_where_the_best_lies_at_no_end(run_cli: RunCli, more: tuple[str, ...]) -> None:
    refused = run_cli(*RUN, "--name", "tides", *more).require_refusal(
        "The best trial of study 'tides', 0, lies near no"
    )
    assert len(refused.stderr.rpartition("Error: ")[2].splitlines()) == 1


@pytest.mark.usefixtures("judged")
@pytest.mark.parametrize("total", [("--trials", "5"), ("--set", "search.trials=5")])
def test_with_a_total_that_leaves_no_trial(run_cli: RunCli, total: tuple[str, str]) -> None:
    run_cli(*RUN, "--set", RANGE, *total).require_refusal("`--trials` leaves nothing to run beyond")


@pytest.mark.usefixtures("judged")
def test_export_tells_of_the_end(run_cli: RunCli) -> None:
    told = run_cli("study", "export", NAME).require_success()
    assert told.stdout == "best.yaml\n"
    assert told.stderr == (
        f"The best lies near an end of what was searched: style_to_content 0.1 of 0.09 to 10. {ADVICE}\n"
    )
    assert run_cli("study", "export", "tides").require_success().stderr == ""
    assert run_cli("study", "export", NAME, "--trial", 1).require_success().stderr == ""


@pytest.mark.usefixtures("widened")
def test_show_tells_where_a_widened_study_comes_from(run_cli: RunCli) -> None:
    told = run_cli("study", "show", NEW).require_success().stdout.splitlines()
    assert told[1] == (
        f"Widened from {NAME}, whose {NUM_TRIALS} trials are its first, to style_to_content 0.0225 to 10"
    )
    assert ADVICE not in "\n".join(told)
    shown = json.loads(run_cli("study", "show", NEW, "--json").require_success().stdout)
    assert shown["attributes"]["widened_from"]["name"] == NAME
    assert shown["attributes"]["widened_from"]["ranges"]["style_to_content"] == [0.0225, 10.0]
    assert {trial["copied_from"] for trial in shown["trials"][:NUM_TRIALS]} == {
        shown["attributes"]["widened_from"]["uuid"]
    }


def test_one_that_waits_for_trials_says_how_to_go_on(run_cli: RunCli, widened: StudyStorage) -> None:
    study = widened.load_study(NEW)
    came_from = study.user_attrs["widened_from"]
    study.set_user_attr("widened_from", {**came_from, "num_trials": NUM_TRIALS + 1})
    told = run_cli("study", "show", NEW).require_success().stdout.splitlines()
    assert told[1].endswith(f"; not all of them are there: styletuner study run ... --name {NAME} --widen")


def test_the_note_tells_where_a_widened_study_comes_from(widened: StudyStorage) -> None:
    summary = summarise(widened, NEW)
    told = f"Widened from `{NAME}`, whose {NUM_TRIALS} trials are its first, to style_to_content 0.0225 to 10.\n"
    assert told in study_note(summary)
    assert "Widened" not in study_note(replace(summary, record=replace(summary.record, widened_from=None)))


@pytest.mark.usefixtures("widened")
def test_the_wider_study_resumes_by_its_own_ranges_alone(run_cli: RunCli) -> None:
    """Without --widen a study is what its configuration says."""
    plain = ("study", "run", "tiny.yaml", "--name", NEW, "--set", "search.baseline=null", "--trials", 5, "--set")
    run_cli(*plain, RANGE).require_refusal(f"'{NEW}' exists and differs: `search.style_to_content`")
    told = run_cli(*plain, "search.style_to_content=[0.0225, 10]").require_success()
    assert f"{NEW}: 3 complete, 2 pruned, 2 failed, 3 waiting" in told.stdout
