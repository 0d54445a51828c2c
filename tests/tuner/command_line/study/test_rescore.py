"""`study rescore` on the command line, on drawn outputs and on those of a study that was really run."""

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from optuna.trial import TrialState

from measures.versions import JUDGE_VERSION
from studies.records.study_record import StudyRecord
from studies.records.summaries import summarise
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import PostgreSQLServer, RunCli
from tests.tuner.judged_study import NUM_TRIALS, OLD, SHARES, make_judged_study
from tests.tuner.tiny_study import NAME, CommandProcess, opened, read_trials, run_command

NEW = f"{NAME}-judge-{JUDGE_VERSION}"
KILLED_AT = f"""
import os, signal, sys
from tuner.command_line.main import main
from tuner.rescoring.trial_rescorer import TrialRescorer

number = int(sys.argv[1])
keep = TrialRescorer.keep

def killed_at(rescorer, judged):
    made = keep(rescorer, judged)
    if judged.trial.number == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return made

TrialRescorer.keep = killed_at
sys.argv = ["styletuner", "study", "rescore", {NAME!r}]
main()
"""
"""`study rescore` that is killed when a trial's files are kept and the trial itself is not added yet."""
RESUME = ("study", "run", "tiny.yaml", "--set", "search.baseline=null", "--name")


@pytest.fixture(scope="module")
def judged_folder(drawn_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` with an old study of drawn outputs; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("judged"), dirs_exist_ok=True))
    with StudyStorage.create(str(folder / "styletuner.db")) as storage:
        make_judged_study(storage, folder)
    return folder


@pytest.fixture
def judged(judged_folder: Path, tmp_path: Path) -> Path:
    """A copy of that to work in; use it with `run_cli`, whose folder it is."""
    return Path(shutil.copytree(judged_folder, tmp_path, dirs_exist_ok=True))


@pytest.mark.usefixtures("judged")
def test_what_it_says(run_cli: RunCli) -> None:
    told = run_cli("study", "rescore", NAME).require_success()
    lines = told.stdout.splitlines()
    assert lines[0] == f"{NAME} re-scored as {NEW}, by judge version {JUDGE_VERSION} (it had {OLD})"
    assert lines[1].split() == ["trial", "state", "old", "quality", "new", "quality", "old", "rank", "new", "rank"]
    rows = [line.split() for line in lines[2 : 2 + len(SHARES)]]
    assert sorted(int(row[0]) for row in rows) == sorted(SHARES)
    assert [int(row[-1]) for row in rows] == [1, 2, 3, 4]
    assert rows[-1][:3] == ["2", "pruned", "0.700"]
    assert f"Kendall's tau of the two orders: 1.00, over {len(SHARES) - 1} complete trials" in lines
    assert f"study run ... --name {NEW}" in lines[-1]
    assert told.stderr == "Without a new quality: trial 3: diverged before image 16.\n"
    again = run_cli("study", "rescore", NAME).require_success().stdout.splitlines()
    assert again == [lines[0].replace("re-scored", "has already been re-scored"), *lines[1:]]
    told = run_cli("study", "rescore", NEW).require_success()
    assert told.stdout == f"{NEW} has judge version {JUDGE_VERSION} already.\n"


def test_both_versions_are_listed_and_told_apart(run_cli: RunCli, judged: Path) -> None:
    advice = (
        f"The installed judge has version {JUDGE_VERSION}. Score its outputs again: styletuner study rescore {NAME}"
    )
    for command in (("show", NAME), ("list",)):
        told = run_cli("study", *command).require_success().stdout.splitlines()
        assert told[0].endswith(f"; judge version {OLD}")
        assert told[1] == advice
    run_cli("study", "rescore", NAME, "--name", "ripples").require_success()
    told = run_cli("study", "show", "ripples").require_success().stdout.splitlines()
    assert told[0].endswith(f"; judge version {JUDGE_VERSION}")
    assert told[1] == f"Re-scored from {NAME} (judge version {OLD})"
    with opened(judged / "styletuner.db") as storage:
        notes = storage.optuna.get_study_system_attrs(storage.read_study("ripples")._study_id)
    assert f"Re-scored by judge version {JUDGE_VERSION} from `{NAME}` (judge version {OLD})" in str(notes)
    run_cli("study", "show", "ripples", "--sheet", "sheet.png").require_success()
    run_cli("study", "export", "ripples").require_success()


@pytest.mark.usefixtures("judged")
def test_json(run_cli: RunCli) -> None:
    found = json.loads(run_cli("study", "rescore", NAME, "--json").require_success().stdout)
    assert (found["study"], found["judge_version"], found["was_done"]) == (NAME, OLD, False)
    assert (found["rescored"]["study"], found["rescored"]["judge_version"]) == (NEW, JUDGE_VERSION)
    assert found["kendall_tau"] == pytest.approx(1.0)
    by_number = {trial["number"]: trial for trial in found["trials"]}
    assert sorted(by_number) == [0, 1, 2, 3, 6]
    assert (by_number[1]["old_quality"], by_number[1]["old_rank"], by_number[1]["new_rank"]) == (0.8, 2, 2)
    assert (by_number[3]["new_quality"], by_number[3]["reason"]) == (None, "diverged before image 16")
    assert json.loads(run_cli("study", "rescore", NEW, "--json").require_success().stdout)["rescored"] is None


@pytest.mark.usefixtures("judged")
def test_bad_input(run_cli: RunCli) -> None:
    run_cli("study", "rescore", "wavez").require_refusal("'wavez'", "Did you mean 'waves'?")
    run_cli("study", "rescore", NAME, "--storage", "none.db").require_refusal("There is no study database")
    run_cli("study", "rescore", NAME, "--name", NAME).require_refusal(f"Study '{NAME}' exists", "--name")
    refused = run_cli(*RESUME, NAME)
    refused.require_refusal(f"judge version {OLD}", f"`styletuner study rescore {NAME}`", "--new")


@pytest.mark.slow
@pytest.mark.usefixtures("own_cache")
def test_no_training_library_is_loaded(judged: Path) -> None:
    code = (
        f"import sys\nsys.argv = ['styletuner', 'study', 'rescore', '{NAME}']\n"
        "from tuner.command_line.main import main\ntry:\n    main()\nexcept SystemExit as end:\n"
        "    print('ENDED', end.code, 'torch' in sys.modules, {'keras', 'tensorflow', 'jax'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], cwd=judged, capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "ENDED 0 True set()", ended.stdout + ended.stderr
    assert "A new study created" not in ended.stderr, "Optuna's own words are for programmers"


@pytest.mark.slow
def test_killed_and_gone_on_with(judged: Path, run_cli: RunCli) -> None:
    storage = judged / "styletuner.db"

    def num_added() -> int:
        with opened(storage) as studies:
            return len(studies.read_study(NEW).get_trials()) if NEW in studies.study_names() else 0

    for number in (2, 5):
        ended = subprocess.run([sys.executable, "-c", KILLED_AT, str(number)], cwd=judged, check=False)
        assert ended.returncode == -signal.SIGKILL
        assert num_added() == number < NUM_TRIALS
    run_cli("study", "list").require_success()
    assert f"trials are missing: styletuner study rescore {NAME}" in run_cli("study", "show", NEW).stdout
    run_cli(*RESUME, NEW).require_refusal("is not re-scored to its end", f"study rescore {NAME}")
    run_cli("study", "rescore", NAME).require_success()
    assert [trial.number for trial in read_trials(storage, NEW)] == list(range(NUM_TRIALS))
    with opened(storage) as studies:
        files = {
            artifact
            for name in (NAME, NEW)
            for owner in (studies.read_study(name), *studies.read_study(name).get_trials())
            for artifact in studies.artifacts.names(owner)
        }
        assert {path.name for path in studies.artifacts.path.iterdir()} == files, "no file is left that nobody has"


@pytest.mark.slow
@pytest.mark.usefixtures("judged")
def test_the_new_study_runs_on(run_cli: RunCli, folder: Path) -> None:
    run_cli("study", "rescore", NAME).require_success()
    before = read_trials(folder / "styletuner.db", NEW)
    run_cli(*RESUME, NEW, "--trials", 7).require_success()
    after = read_trials(folder / "styletuner.db", NEW)
    finished = [trial for trial in after if trial.state in {TrialState.COMPLETE, TrialState.PRUNED}]
    assert len(finished) == 7
    assert [trial for trial in after[:NUM_TRIALS] if trial.state.is_finished()][: NUM_TRIALS - 1] == before[:-1]
    assert after[NUM_TRIALS - 1].params == before[NUM_TRIALS - 1].system_attrs["fixed_params"], "it waited"


@pytest.mark.slow
def test_real_outputs_score_what_they_scored(run_cli: RunCli, finished: Path) -> None:
    """The same judge under another number says the same of what a study keeps, to the last digit that matters."""
    with StudyStorage.open(str(finished / "styletuner.db")) as storage:
        study = storage.load_study(NAME)
        study.set_user_attr("judge_version", OLD)
        photos = {**study.user_attrs["photos"], "paths": [str(finished / "photos")]}
        study.set_user_attr("photos", photos)
    run_cli("study", "rescore", NAME).require_success()
    with opened(finished / "styletuner.db") as storage:
        old, new = summarise(storage, NAME), summarise(storage, NEW)
        assert StudyRecord.parse(storage.read_study(NEW).user_attrs).references == old.record.references
    for before, after in zip(old.trials, new.trials, strict=True):
        assert after.quality == pytest.approx(before.quality, abs=1e-6)
        for name in ("content_preservation", "style_match", "artefact_factor", "standard_error"):
            assert after.parts[name] == pytest.approx(before.parts[name], abs=1e-6)
        assert after.weights == before.weights
        assert after.parts["losses"] == before.parts["losses"]
        assert set(after.pictures) == set(before.pictures)


@pytest.mark.slow
def test_postgresql(folder: Path, postgresql_server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", str(folder / "kept"))
    address = postgresql_server.new_database()
    try:
        with StudyStorage.create(address) as storage:
            make_judged_study(storage, folder)
        command = ("study", "rescore", NAME, "--storage", address)
        with CommandProcess(*command, cwd=folder) as one, CommandProcess(*command, cwd=folder) as other:
            assert (one.wait(), other.wait()) == (0, 0), one.output + other.output
        told = run_command(*command, cwd=folder).require_success()
        assert "sesame" not in told.stdout + told.stderr + one.output + other.output
        assert [trial.number for trial in read_trials(address, NEW)] == list(range(NUM_TRIALS))
        run_command("study", "delete", NAME, "--yes", "--storage", address, cwd=folder).require_success()
        run_command("study", "export", NEW, "--storage", address, cwd=folder).require_success()
    finally:
        postgresql_server.drop_database(address)
