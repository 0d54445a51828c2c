"""Reading needs no writing: databases whose file or folder may not be written."""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from studies.storage.connections import copy_database
from studies.storage.study_storage import StudyStorage
from tests.studies.storage.old_databases.restoring import restore

ROOT = Path(__file__).parents[3]
BOUND = ("setpriv", "--bounding-set=-dac_override,-dac_read_search")
"""Runs a command of the superuser's so that permissions bind it."""


@pytest.fixture
def shared(tmp_path: Path) -> Iterator[Path]:
    """A folder that is writable again in the end."""
    folder = tmp_path / "shared"
    folder.mkdir()
    yield folder
    folder.chmod(0o755)


def run_bound(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command line as somebody whom permissions bind."""
    if os.geteuid() == 0 and shutil.which(BOUND[0]) is None:
        pytest.skip("Permissions do not bind the superuser, and setpriv is not installed.")
    return subprocess.run(
        [*(BOUND if os.geteuid() == 0 else ()), sys.executable, "-m", "styletuner", *arguments],
        cwd="/",
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    files = [path for path in sorted(folder.rglob("*")) if path.is_file()]
    return {str(path): (path.read_bytes(), path.stat().st_mtime_ns) for path in files}


@pytest.mark.slow
@pytest.mark.parametrize("version", ["0.1.0", "present"])
@pytest.mark.parametrize(("file_mode", "folder_mode"), [(0o444, 0o755), (0o644, 0o555), (0o444, 0o555)])
def test_a_closed_database_is_read(
    shared: Path, tmp_path: Path, version: str, file_mode: int, folder_mode: int
) -> None:
    path = shared / "studies.db"
    (tmp_path / "scratch").mkdir()
    restore(str(path), tmp_path / "scratch")
    if version == "present":
        StudyStorage.open(str(path), notify=lambda _: None).close()
        (shared / "studies.db.lock").unlink(missing_ok=True)
    path.chmod(file_mode)
    shared.chmod(folder_mode)
    before = contents(shared)
    listed = run_bound("study", "list", "--storage", str(path))
    assert (listed.returncode, listed.stderr) == (0, "")
    assert "waves" in listed.stdout
    shown = run_bound("study", "show", "waves", "--storage", str(path))
    assert (shown.returncode, shown.stderr) == (0, "")
    refused = run_bound("study", "delete", "waves", "--yes", "--storage", str(path))
    assert refused.returncode == 2
    assert f"{path} can only be read" in refused.stderr
    assert refused.stderr.count("\n") <= 2
    assert contents(shared) == before


@pytest.fixture
def without_index(shared: Path, tmp_path: Path) -> Path:
    """A copy of a database in use, its log included, whose index a backup leaves out."""
    path = tmp_path / "in_use.db"
    (tmp_path / "scratch").mkdir()
    restore(str(path), tmp_path / "scratch")
    with StudyStorage.open(str(path), notify=lambda _: None) as storage:
        storage.load_study("stars").set_user_attr("note", "in the log")
        for suffix in ("", "-wal"):
            shutil.copy(f"{path}{suffix}", shared / f"studies.db{suffix}")
    return shared / "studies.db"


def test_a_log_without_its_index_is_copied(without_index: Path, tmp_path: Path) -> None:
    before = contents(without_index.parent)
    copy_database(without_index, tmp_path / "copy.db")
    with StudyStorage.open_read_only(str(tmp_path / "copy.db")) as reader:
        assert reader.read_study("stars").user_attrs["note"] == "in the log"
    assert contents(without_index.parent) == before


@pytest.mark.slow
def test_a_log_without_its_index_is_read(without_index: Path) -> None:
    without_index.parent.chmod(0o555)
    before = contents(without_index.parent)
    shown = run_bound("study", "show", "stars", "--json", "--storage", str(without_index))
    assert (shown.returncode, shown.stderr) == (0, "")
    assert "in the log" in shown.stdout
    assert contents(without_index.parent) == before


def test_what_stands_in_the_log_is_read(shared: Path, tmp_path: Path) -> None:
    """A process that is running, or was killed, leaves what it wrote last beside the file."""
    path = shared / "studies.db"
    (tmp_path / "scratch").mkdir()
    restore(str(path), tmp_path / "scratch")
    with StudyStorage.open(str(path), notify=lambda _: None) as storage:
        storage.load_study("stars").set_user_attr("note", "in the log")
        assert path.with_name("studies.db-wal").stat().st_size > 0
        path.chmod(0o444)
        with StudyStorage.open_read_only(str(path)) as reader:
            assert reader.read_study("stars").user_attrs["note"] == "in the log"
