"""Folders with modules of our packages' names lie about: the command works, and a notebook is told."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from styletuner._own_packages import PACKAGES

ROOT = Path(__file__).parents[2]


@pytest.fixture
def decoys(tmp_path: Path) -> Path:
    """A folder with somebody else's module of each of our names."""
    for package in PACKAGES:
        (tmp_path / f"{package}.py").write_text("SECRET = 1\n", encoding="utf-8")
    return tmp_path


def run(
    decoys: Path, *arguments: str, stdin: int = subprocess.DEVNULL, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run Python where the decoys come first on the path."""
    return subprocess.run(
        [sys.executable, *arguments],
        capture_output=True,
        text=True,
        check=False,
        cwd=decoys,
        stdin=stdin,
        env={**os.environ, **environment, "PYTHONPATH": f"{decoys}{os.pathsep}{ROOT}"},
        timeout=120,
    )


def test_the_command_works_beside_modules_of_our_names(decoys: Path) -> None:
    found = run(decoys, "-m", "styletuner", "study", "list", "--storage", "none.db")
    assert found.returncode == 2
    assert "There is no study database" in found.stderr
    listed = run(decoys, "-m", "styletuner", "--help")
    assert listed.returncode == 0, listed.stderr
    assert "Usage: styletuner" in listed.stdout


@pytest.mark.slow
def test_a_worker_process_starts_beside_modules_of_our_names(decoys: Path) -> None:
    arguments = ("-P", "-m", "styletuner._worker_process", "waves", "3", "photos")
    ours, theirs = os.pipe()  # a worker ends with its standard input
    try:
        found = run(decoys, *arguments, stdin=ours, STYLETUNER_WORKER_STORAGE="none.db")
    finally:
        os.close(ours)
        os.close(theirs)
    assert found.returncode == 2, found.stderr
    assert "There is no study database" in found.stderr


def test_a_notebook_may_use_its_own_module_until_it_uses_ours(decoys: Path) -> None:
    found = run(decoys, "-c", "import styletuner, models; assert models.SECRET == 1; styletuner.list_studies")
    assert found.returncode == 1
    assert found.stderr.splitlines()[-1].startswith(f"ImportError: {decoys / 'models.py'} shadows styletuner's package")


def test_other_imports_are_left_alone(decoys: Path) -> None:
    (decoys / "mine.py").write_text("SECRET = 2\n", encoding="utf-8")
    found = run(decoys, "-c", "import styletuner; styletuner.LossWeights; import mine; assert mine.SECRET == 2")
    assert found.returncode == 0, found.stderr
