"""`study validate` on the command line: bad input, and a real study that is killed on the way and gone on with."""

import contextlib
import json
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from measures.versions import JUDGE_VERSION
from objectives.errors import DivergedError
from objectives.training.checkpoints import read_checkpoint, write_checkpoint
from objectives.training.trainer import Batch
from studies.records import attributes
from studies.records.exported_config import read_exported
from studies.records.study_record import StudyRecord
from studies.records.summaries import summarise
from studies.records.validation import Validation
from studies.records.validation_words import validation_in_words
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.judged_study import OLD, make_judged_study
from tests.tuner.tiny_study import NAME, CommandProcess, opened, read_trials
from tuner.search.resources import StudyResources

COMMAND = ("study", "validate", NAME)


@pytest.fixture
def no_networks(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is wrong must be found before any network library loads."""

    def fail() -> None:
        raise AssertionError("A network library was loaded.")

    monkeypatch.setattr("tuner.installation.environment.load_networks", fail)


@pytest.fixture(scope="module")
def judged_folder(drawn_study: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` with a study of drawn outputs; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("judged"), dirs_exist_ok=True))
    with StudyStorage.create(str(folder / "styletuner.db")) as storage:
        make_judged_study(storage, folder).set_user_attr(attributes.JUDGE_VERSION, JUDGE_VERSION)
        make_judged_study(storage, folder, name="old")
    return folder


@pytest.fixture
def judged(judged_folder: Path, tmp_path: Path) -> Path:
    """A copy of that to work in; use it with `run_cli`, whose folder it is."""
    return Path(shutil.copytree(judged_folder, tmp_path, dirs_exist_ok=True))


@pytest.fixture(autouse=True)
def _no_checkpoints_of_other_tests(own_cache: Path) -> None:
    for path in checkpoints(own_cache):
        path.unlink()


def put_photos_back(folder: Path) -> None:
    """Have the study know where its photos are now."""
    with StudyStorage.open(str(folder / "styletuner.db")) as studies:
        study = studies.load_study(NAME)
        study.set_user_attr(attributes.PHOTOS, {**study.user_attrs["photos"], "paths": [str(folder / "photos")]})


def checkpoints(cache: Path) -> list[Path]:
    return sorted(cache.rglob("long_run-*.checkpoint.npz"))


def pictures_of(folder: Path, validation: Validation) -> list[bytes]:
    with opened(folder / "styletuner.db") as storage:
        return [storage.artifacts.path_of(run.outputs).read_bytes() for run in validation.runs if run.outputs]


def kept(folder: Path) -> Validation | None:
    with opened(folder / "styletuner.db") as storage:
        return StudyRecord.parse(storage.read_study(NAME).user_attrs).validation


@pytest.mark.usefixtures("no_networks")
def test_bad_input(run_cli: RunCli, judged: Path) -> None:
    run_cli("study", "validate", "wavez").require_refusal("'wavez'", "Did you mean 'waves'?")
    run_cli(*COMMAND, "--storage", "none.db").require_refusal("There is no study database")
    run_cli("study", "validate", "old").require_refusal(f"judge version {OLD}", "styletuner study rescore old")
    run_cli(*COMMAND, "--images", "much").require_refusal("`--images`", "'much'", "4x")
    run_cli(*COMMAND, "--images", 16).require_refusal("`--images`", "16 images", "'16'")
    run_cli(*COMMAND, "--crop-size", 50).require_refusal("`data.crop_size`", "50")
    run_cli(*COMMAND, "--crop-size", 512).require_refusal("`--crop-size`", "no larger than the photos", "512 px")
    run_cli(*COMMAND, "--photos", "nowhere").require_refusal("photos of study 'waves'", "nowhere", "--photos")
    run_cli(*COMMAND, "--photos", "style.png").require_refusal("photos of study 'waves'", "--photos")
    run_cli(*COMMAND, "--sheet", "style.png").require_refusal("`--sheet`", "style.png")
    assert "2" in run_cli(*COMMAND, "--settings", 1).stderr
    assert kept(judged) is None
    database = judged / "styletuner.db"
    with contextlib.closing(sqlite3.connect(database)) as connection, connection:
        connection.execute("UPDATE trials SET state = 'FAIL' WHERE state = 'COMPLETE' AND trial_id > 1")
    before = database.read_bytes()
    run_cli(*COMMAND).require_refusal("must have 2 complete trials to compare. Received 1.")
    assert database.read_bytes() == before


@pytest.mark.slow
def test_killed_and_gone_on_with(finished: Path, run_cli: RunCli) -> None:
    storage = finished / "styletuner.db"
    put_photos_back(finished)
    with opened(storage) as studies:
        complete = [trial for trial in summarise(studies, NAME).ranked() if trial.state == "COMPLETE"]
    wanted = sorted(trial.number for trial in complete)
    assert len(wanted) > 1
    # Long enough to be killed between two settings.
    command = (*COMMAND, "--images", "20x", "--settings", len(wanted))

    def num_done() -> int:
        found = kept(finished)
        return 0 if found is None else len(found.runs)

    with CommandProcess(*command, cwd=finished) as process:
        process.wait_until(lambda: num_done() == 1)
        process.kill()
    before = kept(finished)
    assert before is not None
    assert len(before.runs) == 1
    shown = run_cli("study", "show", NAME).require_success().stdout.splitlines()
    assert shown[-1].startswith(f"Validation over 320 images, crops of 32 px: 1 of {len(wanted)} settings done.")
    with CommandProcess(*command, "--json", "--sheet", "sheet.png", cwd=finished) as process:
        assert process.wait() == 0, process.output
    found = kept(finished)
    assert found is not None
    assert before.runs[0] in found.runs, "what was done is kept as it was"
    assert [run.trial for run in found.runs] == wanted
    assert (found.images, found.missing, found.winner) == (320, (), complete[0].number)
    by_number = {trial.number: trial for trial in complete}
    for run in found.runs:
        assert list(run.photo_qualities) == [16, 32, 64, 128, 256, 320]
        assert run.qualities[16] == pytest.approx(by_number[run.trial].quality, abs=1e-4), "the short run is the same"
    outcome = found.outcome()
    assert outcome is not None
    assert (finished / "sheet.png").stat().st_size > 1000
    again = run_cli(*command, "--json").require_success()
    told = json.loads(again.stdout)
    assert (told["was_done"], told["verdict"]) == (True, outcome.verdict)
    shown = run_cli("study", "show", NAME).require_success().stdout.splitlines()
    assert shown[-3:] == validation_in_words(found, best=complete[0].number)
    run_cli("study", "export", NAME).require_success()
    assert read_exported(finished / "best.yaml").validation == found.as_dict()
    run_cli("study", "delete", NAME, "--yes").require_success()
    with opened(storage) as studies:
        assert not list(studies.artifacts.path.iterdir()), "no picture is left"


@pytest.mark.slow
def test_larger_crops_an_interrupt_and_a_run_that_diverges(
    finished: Path, own_cache: Path, run_cli: RunCli, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both come where a test cannot wait for them: in the first setting's second part, in one call and in the next."""
    put_photos_back(finished)
    before = read_trials(finished / "styletuner.db")
    batches = StudyResources.batches
    calls: list[tuple[int, int]] = []

    def diverging(resources: StudyResources, start: int, stop: int) -> Iterator[Batch]:
        calls.append((start, stop))
        if len(calls) == 2:
            raise KeyboardInterrupt
        if len(calls) == 3:
            raise DivergedError("diverged: the style loss is not finite")
        return batches(resources, start, stop)

    monkeypatch.setattr(StudyResources, "batches", diverging)
    command = (*COMMAND, "--images", 24, "--crop-size", 48, "--settings", 2)
    interrupted = run_cli(*command)
    assert (interrupted.status, kept(finished)) == (1, None)
    assert "Run the same command again to go on" in interrupted.stderr
    outcome = run_cli(*command).require_success()
    assert calls == [(0, 16), (16, 24), (16, 24), (0, 16), (16, 24)], "gone on with where it was judged last"
    found = kept(finished)
    assert found is not None
    first = next(run for run in found.runs if run.trial == found.winner)
    assert first.diverged == "diverged: the style loss is not finite before image 24"
    assert (list(first.photo_qualities), first.outputs) == ([16], None)
    assert "diverged" in outcome.stdout
    assert not checkpoints(own_cache)
    assert found.outcome() is not None
    with opened(finished / "styletuner.db") as studies:
        record = StudyRecord.parse(studies.read_study(NAME).user_attrs)
    assert found.references.keys() == record.references.keys()
    assert found.references != record.references, "measured anew at this size of crops"
    assert read_trials(finished / "styletuner.db") == before
    warned = run_cli("study", "export", NAME).require_success().stderr
    assert warned.startswith("Warning: over 24 images at 48 px trial"), warned


def test_help_loads_no_network_library() -> None:
    code = (
        "import sys\nsys.argv = ['styletuner', 'study', 'validate', '--help']\n"
        "from tuner.command_line.main import main\ntry:\n    main()\nexcept SystemExit:\n"
        "    print('LOADED', {'keras', 'tensorflow', 'torch', 'jax'} & set(sys.modules))"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "LOADED set()"


@pytest.mark.slow
def test_interrupted_by_a_signal_within_a_setting(
    finished: Path, own_cache: Path, run_cli: RunCli, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """It goes on from the very image and comes to what it would have come to, once a damaged checkpoint is mended."""
    other = Path(shutil.copytree(finished, tmp_path_factory.mktemp("other"), dirs_exist_ok=True))
    command = (*COMMAND, "--images", "20x", "--settings", 2, "--photos", str(finished / "photos"))
    with CommandProcess(*command, cwd=finished) as process:
        process.wait_until(lambda: "quality" in process.output)
        process.signal_group(signal.SIGINT)
        assert process.wait() == 1
        assert process.output.splitlines()[-1] == "Interrupted. Run the same command again to go on."
        assert "Traceback" not in process.output
    assert kept(finished) is None
    (checkpoint,) = checkpoints(own_cache)
    whole, state = checkpoint.read_bytes(), read_checkpoint(checkpoint)
    checkpoint.write_bytes(whole[:1000])
    run_cli(*command).require_refusal(str(checkpoint), "Delete it to start over")
    write_checkpoint(checkpoint, state.state, seen=state.seen, identity=state.identity, notes="[]")
    run_cli(*command).require_refusal(str(checkpoint), "Delete it to start over")
    checkpoint.write_bytes(whole)
    told = run_cli(*command).require_success().stderr
    assert f"resuming from {checkpoint} at {state.seen} of 320 images" in told.replace("\n", "")
    assert not checkpoints(own_cache)
    with CommandProcess(*command, cwd=other) as process:
        assert process.wait() == 0, process.output
        assert "resuming" not in process.output
    found, straight = kept(finished), kept(other)
    assert found is not None
    assert straight is not None
    assert [run.photo_qualities for run in found.runs] == [run.photo_qualities for run in straight.runs]
    assert pictures_of(finished, found) == pictures_of(other, straight)


@pytest.mark.slow
def test_two_commands_at_once_train_each_setting_once(finished: Path) -> None:
    command = (*COMMAND, "--images", "30x", "--settings", 2, "--photos", str(finished / "photos"))
    with CommandProcess(*command, cwd=finished) as one, CommandProcess(*command, cwd=finished) as other:
        assert (one.wait(), other.wait()) == (0, 0), one.output + other.output
        ends = len(re.findall(r"quality [\d.]+ at 480 images", one.output + other.output))
    found = kept(finished)
    assert found is not None
    assert (ends, len(found.runs), found.missing) == (2, 2, ())
