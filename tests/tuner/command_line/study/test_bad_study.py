"""What the command line says of storages and studies that cannot be used as asked."""

from pathlib import Path

import numpy as np
import pytest
import sqlalchemy

from models.pictures.images import write_image
from studies.claims.claiming import Claim, attach, claim
from studies.claims.processes import WorkerIdentity
from studies.records import attributes
from studies.storage.study_identity import uuid_of
from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tests.tuner.tiny_study import NAME, num_finished, read_trials, require_exactly

pytestmark = pytest.mark.slow

RUN = ("study", "run", "tiny.yaml")


class TestStorage:
    PASSWORD = "sesame-open-7"

    @pytest.mark.parametrize("command", [RUN, ("study", "list"), ("study", "show", NAME)])
    def test_server_that_is_not_there(self, run_cli: RunCli, command: tuple[str, ...]) -> None:
        outcome = run_cli(*command, "--storage", f"postgresql://user:{self.PASSWORD}@127.0.0.1:1/x")
        outcome.require_refusal("postgresql", "127.0.0.1:1", "Start the server")
        assert self.PASSWORD not in outcome.stdout + outcome.stderr

    @pytest.mark.parametrize(
        ("place", "words"), [("nowhere/studies.db", ("nowhere", "Make the folder")), ("style.png", ("style.png",))]
    )
    def test_dry_run_looks_at_the_storage(self, run_cli: RunCli, place: str, words: tuple[str, ...]) -> None:
        run_cli(*RUN, "--dry-run", "--storage", place).require_refusal(*words)

    @pytest.mark.parametrize("address", ["mysql://user:{}@host/x", "postgresql://user:{}@host:port/x"])
    def test_address_that_is_none(self, run_cli: RunCli, address: str) -> None:
        outcome = run_cli(*RUN, "--storage", address.format(self.PASSWORD))
        outcome.require_refusal("`storage` must be a file path")
        assert self.PASSWORD not in outcome.stdout + outcome.stderr

    @pytest.mark.parametrize("command", [RUN, ("study", "list"), ("study", "delete", NAME, "--yes")])
    def test_text_file(self, run_cli: RunCli, folder: Path, command: tuple[str, ...]) -> None:
        (folder / "notes.txt").write_text("Buy paint. " * 100)
        run_cli(*command, "--storage", "notes.txt").require_refusal("notes.txt", "Name another")
        assert (folder / "notes.txt").read_text() == "Buy paint. " * 100

    def test_folder_that_is_not_there(self, run_cli: RunCli) -> None:
        run_cli(*RUN, "--storage", "nowhere/studies.db").require_refusal("nowhere", "Make the folder")

    def test_no_storage_yet(self, run_cli: RunCli, folder: Path) -> None:
        run_cli("study", "list").require_refusal("styletuner.db", "styletuner study run")
        assert not (folder / "styletuner.db").exists()


class TestExistingStudy:
    @pytest.mark.parametrize(
        "command", [("show",), ("export",), ("delete", "--yes"), ("enqueue", "--weights", 1, 1, 0.1)]
    )
    @pytest.mark.usefixtures("finished")
    def test_unknown_name(self, run_cli: RunCli, command: tuple[object, ...]) -> None:
        run_cli("study", command[0], "wafes", *command[1:]).require_refusal("'wafes'", f"Did you mean '{NAME}'?")

    def test_another_style_image(self, run_cli: RunCli, finished: Path) -> None:
        before = read_trials(finished / "styletuner.db")
        write_image(finished / "other.png", np.random.default_rng(0).random((64, 64, 3), np.float32))
        arguments = (*RUN, "--name", NAME, "--style", "other.png")
        run_cli(*arguments).require_refusal(NAME, "style image", "style.png", "--name", "--new")
        assert read_trials(finished / "styletuner.db") == before

    def test_other_photos(self, run_cli: RunCli, finished: Path) -> None:
        next((finished / "photos").iterdir()).unlink()
        run_cli(*RUN, "--name", NAME).require_refusal(NAME, "photos are others", "--new")

    def test_dry_run_of_another_network(self, run_cli: RunCli, finished: Path) -> None:
        before = read_trials(finished / "styletuner.db")
        arguments = (*RUN, "--name", NAME, "--set", "network.width=5", "--dry-run")
        run_cli(*arguments).require_refusal(NAME, "`network.width` is 4, now 5", "--name", "--new")
        assert read_trials(finished / "styletuner.db") == before

    def test_run_with_an_attribute_that_is_no_json(self, run_cli: RunCli, finished: Path) -> None:
        with StudyStorage.open(str(finished / "styletuner.db")) as storage, storage.engine.begin() as connection:
            connection.execute(sqlalchemy.text("UPDATE trial_user_attributes SET value_json = '{broken'"))
        run_cli(*RUN, "--name", NAME).require_refusal("styletuner.db", "no JSON", "'{broken'", "Restore a copy")

    def test_configuration_of_another_version(self, run_cli: RunCli, finished: Path) -> None:
        with StudyStorage.open(str(finished / "styletuner.db")) as storage:
            storage.load_study(NAME).set_user_attr(attributes.CONFIGURATION, {"colour": "blue"})
        words = (NAME, "another version of styletuner", "`colour`", "--name")
        run_cli("study", "enqueue", NAME, "--weights", 1, 1, 0.1).require_refusal(*words)
        run_cli(*RUN, "--name", NAME).require_refusal(*words)

    def test_delete_of_a_study_that_runs(self, run_cli: RunCli, finished: Path) -> None:
        worker = WorkerIdentity.current()
        with StudyStorage.open(str(finished / "styletuner.db")) as storage:
            study_uuid = uuid_of(storage.read_study(NAME))
            assert isinstance(claim(storage, study_uuid, total=9, worker=worker), Claim)
        run_cli("study", "delete", NAME, "--yes").require_refusal(NAME, str(worker.pid), worker.host, "Stop it first")
        assert num_finished(finished / "styletuner.db") == 3

    def test_delete_after_another_machine_died(self, run_cli: RunCli, finished: Path) -> None:
        """Its trial has ended as stale, and its claim is left."""
        with StudyStorage.open(str(finished / "styletuner.db")) as storage:
            worker = WorkerIdentity(machine="another", host="elsewhere", pid=1, started=0.0)
            held = claim(storage, uuid_of(storage.read_study(NAME)), total=9, worker=worker)
            assert isinstance(held, Claim)
            attach(storage, held, trial_number=0)
        run_cli("study", "delete", NAME, "--yes").require_success()

    def test_another_network_and_one_beside_it(self, run_cli: RunCli, finished: Path) -> None:
        arguments = (*RUN, "--name", NAME, "--set", "network.width=5", "--trials", "1")
        run_cli(*arguments).require_refusal(NAME, "`network.width` is 4, now 5", "--name", "--new")
        run_cli(*arguments, "--new").require_success()
        require_exactly(finished / "styletuner.db", 3)
        require_exactly(finished / "styletuner.db", 1, f"{NAME}-2")

    @pytest.mark.usefixtures("finished")
    @pytest.mark.parametrize(
        ("weights", "words"),
        [
            ((-1, 1, 0.1), ("`content`", "at least 0", "-1")),
            ((0, 1, 0.1), ("`content`", "above 0")),
            ((1, "nan", 0.1), ("`style`", "finite", "nan")),
            ((1, 1000, 0.1), ("style_to_content", "1000", "0.01 to 10")),
            ((1, 1, 0), ("tv_to_content", "0.001 to 1")),
        ],
    )
    def test_weights_out_of_range(self, run_cli: RunCli, weights: tuple[object, ...], words: tuple[str, ...]) -> None:
        run_cli("study", "enqueue", NAME, "--weights", *weights).require_refusal(*words)

    @pytest.mark.usefixtures("finished")
    def test_weights_that_are_no_numbers(self, run_cli: RunCli) -> None:
        outcome = run_cli("study", "enqueue", NAME, "--weights", 1, "much", 0.1)
        assert outcome.status == 2
        assert "'much' is not a valid float" in outcome.stderr

    @pytest.mark.usefixtures("finished")
    def test_export_of_a_trial_that_is_not_there(self, run_cli: RunCli, folder: Path) -> None:
        run_cli("study", "export", NAME, "--trial", 7).require_refusal("Trial 7", "Choose a finished one: 0, 1, 2")
        assert not (folder / "best.yaml").exists()

    @pytest.mark.usefixtures("finished")
    def test_export_to_where_nothing_can_be_written(self, run_cli: RunCli) -> None:
        run_cli("study", "export", NAME, "-o", "style.png/best.yaml").require_refusal("The export style.png/best.yaml")

    @pytest.mark.usefixtures("finished")
    def test_sheet_to_where_nothing_can_be_written(self, run_cli: RunCli) -> None:
        run_cli("study", "show", NAME, "--sheet", "style.png/sheet.png").require_refusal("style.png")
