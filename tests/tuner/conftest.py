"""A tiny study's pictures and configuration in an empty folder, and the command line on them."""

import shutil
from pathlib import Path
from typing import Protocol

import pytest

from models.pretrained import files as pretrained
from tests.studies.conftest import PostgreSQLServer, postgresql_server
from tests.tuner.tiny_study import NAME, Outcome, run_command, write_tiny_study

__all__ = ["PostgreSQLServer", "postgresql_server"]

TRAIN_SCOUT = ("scout", "train", "tiny.yaml", "--images", 24, "--set", "scout.checkpoint_every=8", "-o", "s.keras")

NEEDED_FILES = ("vgg19", "vgg16", "alexnet")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """What needs a study that has run trains one."""
    for item in items:
        if "finished_folder" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.slow)


class RunCli(Protocol):
    def __call__(self, *arguments: object, cwd: Path | None = None, typed: str = "") -> Outcome: ...


@pytest.fixture(scope="session")
def own_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache folder of these tests that links to the pretrained files in the user's."""
    folder = tmp_path_factory.mktemp("cache")
    for name in NEEDED_FILES:
        path = pretrained.fetch(name)
        (folder / path.name).symlink_to(path)
    return folder


@pytest.fixture(autouse=True)
def _use_own_cache(own_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))


@pytest.fixture
def no_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither pip nor urllib reaches anything, nor do the processes that are started."""
    refused = "http://127.0.0.1:1"
    settings = {"PIP_NO_INDEX": "1", "PIP_INDEX_URL": f"{refused}/simple", "PIP_RETRIES": "0", "https_proxy": refused}
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    for name in ("PIP_FIND_LINKS", "PIP_EXTRA_INDEX_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def drawn_study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with "photos", "style.png" and "tiny.yaml"; leave it as it is."""
    return write_tiny_study(tmp_path_factory.mktemp("drawn") / "study")


@pytest.fixture
def folder(drawn_study: Path, tmp_path: Path) -> Path:
    """A copy of `drawn_study` to work in."""
    return Path(shutil.copytree(drawn_study, tmp_path, dirs_exist_ok=True))


@pytest.fixture
def run_cli(folder: Path) -> RunCli:
    """Runs the command line in this process, in `folder` if not told otherwise."""

    def run(*arguments: object, cwd: Path | None = None, typed: str = "") -> Outcome:
        return run_command(*arguments, cwd=cwd or folder, typed=typed)

    return run


@pytest.fixture(scope="session")
def finished_folder(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` in which the study "waves" has run its three trials; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("finished"), dirs_exist_ok=True))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        run_command("study", "run", "tiny.yaml", "--name", NAME, cwd=folder).require_success()
    return folder


@pytest.fixture
def finished(finished_folder: Path, tmp_path: Path) -> Path:
    """A copy of `finished_folder` to work in; use it with `run_cli`, whose folder it is."""
    return Path(shutil.copytree(finished_folder, tmp_path, dirs_exist_ok=True))


@pytest.fixture(scope="session")
def scout_folder(drawn_study: Path, own_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of `drawn_study` with a trained scout, "s.keras"; leave it as it is."""
    folder = Path(shutil.copytree(drawn_study, tmp_path_factory.mktemp("scout"), dirs_exist_ok=True))
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setenv(pretrained.CACHE_VARIABLE, str(own_cache))
        run_command(*TRAIN_SCOUT, cwd=folder).require_success()
    return folder
