import math
import sys
from pathlib import Path

import pytest

from studies.storage.study_storage import StudyStorage
from tests.tuner.conftest import RunCli
from tuner.errors import ConfigError, WorkerError
from tuner.running.workers.cluster import connected
from tuner.running.workers.cluster_request import ClusterRequest

SERVER = "postgresql://ann:sesame@127.0.0.1:1/studies"


@pytest.fixture(autouse=True)
def _kept(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", str(tmp_path / "kept"))


def refused(run_cli: RunCli, *options: object, words: tuple[str, ...]) -> None:
    outcome = run_cli("study", "run", "tiny.yaml", *options).require_refusal(*words)
    assert "sesame" not in outcome.stdout + outcome.stderr


def test_a_cluster_needs_a_database_that_is_shared(run_cli: RunCli, folder: Path) -> None:
    refused(run_cli, "--cluster", "auto", words=("`--cluster` needs a database", "--storage postgresql://"))
    assert not (folder / "styletuner.db").exists()


def test_a_cluster_needs_a_place_for_pictures(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STYLETUNER_ARTIFACTS")
    refused(run_cli, "--cluster", "auto", "--storage", SERVER, words=("Set STYLETUNER_ARTIFACTS to a folder", "s3://"))


@pytest.mark.parametrize("address", ["host", "ray://host", "ray://host:port", "http://host:10001", ""])
def test_an_address_that_is_none_is_refused(address: str, run_cli: RunCli) -> None:
    words = ("`--cluster` must be auto or ray://HOST:PORT", repr(address))
    refused(run_cli, "--cluster", address, "--storage", SERVER, words=words)


def test_ray_that_is_not_installed_is_named(run_cli: RunCli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    refused(run_cli, "--cluster", "auto", "--storage", SERVER, words=("pip install 'styletuner[ray]'",))


@pytest.mark.parametrize("share", [1.5, 1e-5, math.inf, math.nan])
def test_what_is_no_share_of_gpus_is_refused(share: float) -> None:
    with pytest.raises(ConfigError, match=rf"`--gpus-per-worker` must be a whole number .* Received {share:g}"):
        ClusterRequest(address="auto", num_workers=1, gpus_per_worker=share).check(SERVER)


def test_an_empty_place_for_pictures_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", "")
    with pytest.raises(ConfigError, match="Set STYLETUNER_ARTIFACTS to a folder"):
        ClusterRequest(address="auto", num_workers=1).check(SERVER)


def test_gpus_without_a_cluster_are_refused(run_cli: RunCli) -> None:
    outcome = run_cli("study", "run", "tiny.yaml", "--gpus-per-worker", 1)
    assert outcome.status == 2
    assert "Add --cluster" in outcome.stderr


@pytest.mark.slow
@pytest.mark.parametrize(
    ("address", "named", "reason"),
    [
        ("ray://127.0.0.1:1", None, "refused"),
        ("ray://a..b:10001", None, ""),
        ("auto", "127.0.0.1:1", r"127\.0\.0\.1:1: .*refused"),
        ("auto", "ray://127.0.0.1:1", r"ray://127\.0\.0\.1:1: .*refused"),
    ],
)
def test_a_cluster_that_does_not_answer_is_told(
    address: str, named: str | None, reason: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("ray")
    if named is not None:
        monkeypatch.setenv("RAY_ADDRESS", named)
    absent = ClusterRequest(address=address, num_workers=1)
    words = rf"No Ray cluster answers at `--cluster {address}` \(.*{reason}\)\. .* `ray start --head`"
    with pytest.raises(WorkerError, match=words), connected(absent, SERVER):
        pass


@pytest.mark.slow
def test_a_server_that_does_not_answer_is_told(run_cli: RunCli) -> None:
    pytest.importorskip("ray")
    refused(run_cli, "--cluster", "auto", "--storage", SERVER, words=("Cannot use postgresql+psycopg://ann:***@",))
    with pytest.raises(OSError, match="refused"):
        StudyStorage.exists(SERVER)
