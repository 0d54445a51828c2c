"""What may befall a study, with real processes, storage and artifacts; networks and judge are stood in for.

After each fault: no finished trial lost, none doubled, and the same command goes on. docs/failures.md lists them all.
"""

import signal
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import optuna_dashboard
import psutil
import pytest
from optuna.trial import FrozenTrial, TrialState

from studies.records import attributes
from tests.tuner.conftest import PostgreSQLServer
from tests.tuner.tiny_study import NAME, CommandProcess, num_finished, num_running, read_trials, require_exactly
from tests.tuner.untrained.accidents import FILE, GO_ON, has_happened, plan
from tests.tuner.untrained.processes import start

pytestmark = pytest.mark.slow


def run(folder: Path, *, total: int, workers: int = 1, storage: Path | str = "styletuner.db") -> CommandProcess:
    arguments = ("--name", NAME, "--trials", total, "--workers", workers, "--storage", storage)
    return start("study", "run", "tiny.yaml", *arguments, cwd=folder)


def finish(folder: Path, *, total: int, storage: Path | str = "styletuner.db") -> None:
    """The same command ends well, with what was wanted and no more."""
    with run(folder, total=total, storage=storage) as process:
        assert process.wait() == 0, process.output
    require_exactly(storage if "://" in str(storage) else folder / storage, total)


def failed(folder: Path) -> list[FrozenTrial]:
    return [trial for trial in read_trials(folder / "styletuner.db") if trial.state is TrialState.FAIL]


def read_in_dashboard(folder: Path) -> None:
    """Have optuna-dashboard read the study, as an open page does."""
    application = optuna_dashboard.wsgi(f"sqlite:///{folder / 'styletuner.db'}")
    environ: dict[str, object] = {}
    setup_testing_defaults(environ)
    statuses: list[str] = []
    b"".join(application(environ | {"PATH_INFO": "/api/studies"}, lambda status, *_: statuses.append(status)))
    assert statuses[0].startswith("200"), statuses


def test_one_of_four_workers_is_killed_wherever_it_is(folder: Path) -> None:
    """In training, in scoring and half way through a picture's file, while a dashboard reads."""
    total = 24
    plan(folder, "training SIGKILL")
    with run(folder, total=total, workers=4) as process:
        for place in ("scoring", "artifact", "nowhere"):
            process.wait_until(lambda: has_happened(folder))
            read_in_dashboard(folder)
            plan(folder, f"{place} SIGKILL")
        assert process.wait() == 0, process.output
    require_exactly(folder / "styletuner.db", total)
    assert process.output.count("was killed (signal 9, SIGKILL)") >= 3
    assert process.output.count("Another one takes its place.") >= 2
    trials = read_trials(folder / "styletuner.db")
    again = {trial.user_attrs.get(attributes.RETRY_OF): trial.params for trial in trials}
    assert len(failed(folder)) == 3
    for trial in failed(folder):
        assert trial.user_attrs[attributes.FAILURE].startswith("its worker was killed (signal 9, SIGKILL): often")
        assert again[trial.number] == trial.params
    kept = [path for path in (folder / "styletuner_artifacts").rglob("*") if path.is_file()]
    pictures = [path for path in kept if not path.name.startswith(".writing-")]
    assert len(pictures) >= total
    for path in pictures:
        assert path.read_bytes().endswith(b"IEND\xaeB`\x82"), f"{path} is no whole PNG file"


def test_a_worker_that_hangs_is_ended_and_replaced(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("UNTRAINED_PATIENCE_SECONDS", "5")
    plan(folder, "training hang")
    with run(folder, total=4, workers=2) as process:
        assert process.wait() == 0, process.output
    require_exactly(folder / "styletuner.db", 4)
    (trial,) = failed(folder)
    assert trial.user_attrs[attributes.FAILURE].endswith("s and was ended")
    assert "stood still for" in process.output


def test_a_second_interrupt_stops_at_once(folder: Path) -> None:
    """Also where workers hang, which give nothing back."""
    plan(folder, "training hang always")
    with run(folder, total=4, workers=2) as process:
        process.wait_until(lambda: num_running(folder / "styletuner.db") == 2)
        process.signal_group(signal.SIGINT)
        process.wait_until(lambda: "once more stops them at once" in process.output)
        workers = psutil.Process(process.pid).children()
        process.signal_group(signal.SIGINT)
        assert process.wait() == 1
    assert process.output.splitlines()[-1] == "Interrupted. Run the same command again to go on."
    assert not [worker for worker in workers if worker.is_running()]
    assert num_running(folder / "styletuner.db") == 0
    assert {trial.user_attrs[attributes.FAILURE] for trial in failed(folder)} == {"interrupted by the user"}
    (folder / FILE).unlink()
    finish(folder, total=4)


def test_all_are_killed_at_once(folder: Path) -> None:
    plan(folder, "training wait")
    with run(folder, total=4, workers=2) as process:
        process.wait_until(lambda: has_happened(folder) and num_finished(folder / "styletuner.db") > 0)
        for each in [psutil.Process(process.pid), *psutil.Process(process.pid).children()]:
            each.suspend()
        before = [trial for trial in read_trials(folder / "styletuner.db") if trial.state.is_finished()]
        for each in [*psutil.Process(process.pid).children(), psutil.Process(process.pid)]:
            each.kill()
    finish(folder, total=4)
    after = read_trials(folder / "styletuner.db")
    assert [after[trial.number] for trial in before] == before


def test_postgresql_is_restarted(
    folder: Path, postgresql_server: PostgreSQLServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", str(folder / "kept"))
    address = postgresql_server.new_database()
    try:
        plan(folder, "training wait")
        with run(folder, total=4, storage=address) as process:
            process.wait_until(lambda: has_happened(folder))
            postgresql_server.restart()
            (folder / GO_ON).touch()
            assert process.wait() in {0, 2}, process.output
        assert "Traceback" not in process.output
        assert "sesame" not in process.output
        finish(folder, total=4, storage=address)
    finally:
        postgresql_server.drop_database(address)
