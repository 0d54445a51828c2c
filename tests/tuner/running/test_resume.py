"""Runs of a study that are killed and interrupted on the way: what finished stays, what was running runs again.

Two of them train; where networks have no part in it they are stood in for (`tests.tuner.untrained`).
"""

import os
import re
import signal
import time
from pathlib import Path

import psutil
import pytest
from optuna.trial import TrialState

from studies.records import attributes
from tests.tuner.conftest import PostgreSQLServer
from tests.tuner.tiny_study import (
    NAME,
    CommandProcess,
    is_in_a_trial,
    num_finished,
    num_running,
    read_trials,
    require_exactly,
    run_command,
)
from tests.tuner.untrained.accidents import FILE, GO_ON, has_happened, plan
from tests.tuner.untrained.processes import start

pytestmark = pytest.mark.slow

TOTAL = 3


def run_arguments(storage: Path | str, *, total: int = TOTAL) -> tuple[str, ...]:
    # More images than in the other tests: a trial has to last until it is seen and killed.
    length = ("--set", "training.images=160")
    return "study", "run", "tiny.yaml", "--name", NAME, "--trials", str(total), "--storage", str(storage), *length


def kill_in_a_trial(folder: Path, storage: Path | str, *arguments: str, finished: int) -> None:
    """Run the study and SIGKILL it, children included, while a trial runs and at least so many have finished."""
    with CommandProcess(*arguments, cwd=folder) as process:
        process.wait_until(lambda: is_in_a_trial(storage, finished=finished))
        process.kill()


def test_killed_and_resumed_at_once(folder: Path) -> None:
    storage = folder / "styletuner.db"
    arguments = run_arguments(storage)
    kill_in_a_trial(folder, storage, *arguments, finished=1)
    before = {trial.number: trial for trial in read_trials(storage) if trial.state is TrialState.COMPLETE}
    with CommandProcess(*arguments, cwd=folder) as process:
        assert process.wait() == 0, process.output
    require_exactly(storage, TOTAL)
    after = read_trials(storage)
    assert {number: after[number] for number in before} == before, "what had finished is kept as it was"
    retries = [trial for trial in after if attributes.RETRY_OF in trial.user_attrs]
    # A trial that was killed before it had parameters leaves nothing to run again, and a retry is not tried once more.
    killed = [trial for trial in after if trial.state is TrialState.FAIL and trial.params]
    firsts = [trial.number for trial in killed if attributes.RETRY_OF not in trial.user_attrs]
    assert sorted(retry.user_attrs[attributes.RETRY_OF] for retry in retries) == firsts
    for retry in retries:
        original = after[retry.user_attrs[attributes.RETRY_OF]]
        assert original.state is TrialState.FAIL
        assert retry.params == original.params
    assert run_command("study", "export", NAME, cwd=folder).require_success().stdout == "best.yaml\n"


def test_killed_twice(folder: Path) -> None:
    storage = folder / "styletuner.db"
    arguments = run_arguments(storage)
    for num_killed in (1, 2):
        plan(folder, "training SIGKILL")
        with start(*arguments, cwd=folder) as process:
            assert process.wait() == -signal.SIGKILL, process.output
        assert has_happened(folder)
        assert [trial.state for trial in read_trials(storage)].count(TrialState.RUNNING) == 1
        assert len(read_trials(storage)) == num_killed
    with start(*arguments, cwd=folder) as process:
        assert process.wait() == 0, process.output
    require_exactly(storage, TOTAL)
    first, second, *others = read_trials(storage)
    assert (first.state, second.state) == (TrialState.FAIL, TrialState.FAIL)
    assert second.user_attrs[attributes.RETRY_OF] == 0
    (last,) = (trial for trial in others if attributes.RETRY_OF in trial.user_attrs)
    assert last.user_attrs[attributes.RETRY_OF] == 1
    assert first.params == second.params == last.params


def test_interrupt_says_how_to_resume(folder: Path) -> None:
    storage = folder / "styletuner.db"
    arguments = run_arguments(storage)
    plan(folder, "training wait")
    with start(*arguments, cwd=folder) as process:
        process.wait_until(lambda: has_happened(folder))
        process.signal_group(signal.SIGINT)
        assert process.wait() == 1
        assert process.output.splitlines()[-1] == "Interrupted. Run the same command again to go on."
        assert "Traceback" not in process.output
    assert num_running(storage) == 0
    with start(*arguments, cwd=folder) as process:
        assert process.wait() == 0, process.output
    require_exactly(storage, TOTAL)


def workers_of(process: CommandProcess) -> list[psutil.Process]:
    children = psutil.Process(process.pid).children()
    return [child for child in children if "styletuner._worker_process" in " ".join(child.cmdline())]


@pytest.fixture
def decoys(folder: Path) -> None:
    """Folders in the way that have our packages' names, as a user may have them."""
    for name in ("models", "tuner", "studies", "objectives"):
        (folder / name).mkdir()
        (folder / name / "__init__.py").write_text("raise RuntimeError('a decoy was imported')\n")


@pytest.mark.usefixtures("decoys")
def test_one_of_two_workers_is_killed(folder: Path) -> None:
    storage = folder / "styletuner.db"
    with CommandProcess(*run_arguments(storage), "--workers", "2", cwd=folder) as process:
        process.wait_until(lambda: num_running(storage) == 2)
        victim = next(
            trial.user_attrs[attributes.WORKER]["pid"]
            for trial in read_trials(storage)
            if trial.state is TrialState.RUNNING and attributes.WORKER in trial.user_attrs
        )
        assert victim in {worker.pid for worker in workers_of(process)}
        os.kill(victim, signal.SIGKILL)
        assert process.wait() == 0, process.output
        assert process.output.count("Another one takes its place.") == 1
        assert "decoy" not in process.output
    require_exactly(storage, TOTAL)
    assert [trial.state for trial in read_trials(storage)].count(TrialState.FAIL) == 1


def test_two_workers_are_interrupted(folder: Path) -> None:
    """Ctrl-C reaches the command alone, which passes it on once."""
    storage = folder / "styletuner.db"
    arguments = run_arguments(storage)
    plan(folder, "training wait always")
    with start(*arguments, "--workers", "2", cwd=folder) as process:
        process.wait_until(lambda: num_running(storage) == 2)
        workers = psutil.Process(process.pid).children()
        assert [os.getpgid(worker.pid) for worker in workers] == [worker.pid for worker in workers]
        process.signal_group(signal.SIGINT)
        assert process.wait() == 1
        assert re.search(r"^Interrupted\. Run the same command again", process.output, re.MULTILINE), process.output
        assert "Traceback" not in process.output
    assert num_running(storage) == 0
    (folder / FILE).unlink()
    with start(*arguments, cwd=folder) as process:
        assert process.wait() == 0, process.output
    require_exactly(storage, TOTAL)


def test_workers_are_interrupted_while_they_load(folder: Path) -> None:
    storage = folder / "styletuner.db"
    with CommandProcess(*run_arguments(storage), "--workers", "2", cwd=folder) as process:
        process.wait_until(lambda: len(workers_of(process)) == 2)
        time.sleep(1)
        process.signal_group(signal.SIGINT)
        assert process.wait() == 1
        assert process.output.splitlines()[-1] == "Interrupted. Run the same command again to go on."
        assert "Traceback" not in process.output
    assert num_running(storage) == 0


def test_workers_end_when_their_command_is_killed(folder: Path) -> None:
    """And give their trials back: nobody would see what they do."""
    storage = folder / "styletuner.db"
    plan(folder, "training wait always")
    with start(*run_arguments(storage), "--workers", "2", cwd=folder) as process:
        process.wait_until(lambda: num_running(storage) == 2)
        workers = psutil.Process(process.pid).children()
        process.kill()
    _, alive = psutil.wait_procs(workers, timeout=60)
    assert not alive
    assert num_running(storage) == 0
    assert [trial.state for trial in read_trials(storage)].count(TrialState.WAITING) == 2


def test_second_command_joins_in(folder: Path) -> None:
    """Two commands on one study share its trials, and both end when it has its total."""
    storage = folder / "styletuner.db"
    arguments = run_arguments(storage, total=4)
    plan(folder, "training wait")
    with start(*arguments, cwd=folder) as first:
        first.wait_until(lambda: has_happened(folder))
        with start(*arguments, cwd=folder) as second:
            second.wait_until(lambda: num_finished(storage) > 0)
            (folder / GO_ON).touch()
            assert first.wait() == 0, first.output
            assert second.wait() == 0, second.output
    require_exactly(storage, 4)


def test_postgresql(folder: Path, postgresql_server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", str(folder / "kept"))
    address = postgresql_server.new_database()
    try:
        arguments = run_arguments(address)
        kill_in_a_trial(folder, address, *arguments, finished=1)
        with CommandProcess(*arguments, cwd=folder) as process:
            assert process.wait() == 0, process.output
            assert "sesame" not in process.output
        require_exactly(address, TOTAL)
        run_command("study", "export", NAME, "--storage", address, cwd=folder).require_success()
        assert (folder / "best_style.png").read_bytes() == (folder / "style.png").read_bytes()
        run_command("study", "show", NAME, "--sheet", "sheet.png", "--storage", address, cwd=folder).require_success()
        run_command("study", "delete", NAME, "--yes", "--storage", address, cwd=folder).require_success()
        assert not list((folder / "kept").iterdir())
    finally:
        postgresql_server.drop_database(address)
