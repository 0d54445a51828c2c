"""A cache folder of these tests' own, and a person who may not read everything."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

_NOBODY = 65534


@pytest.fixture(autouse=True)
def cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path_factory.mktemp("cache")
    monkeypatch.setenv("STYLETUNER_CACHE", str(folder))
    return folder


@pytest.fixture
def unprivileged_folder() -> Iterator[Path]:
    """An empty folder of a person whom permissions bind, as whom the test runs."""
    folder = Path(tempfile.mkdtemp(prefix="styletuner-test-"))
    user = os.geteuid()
    if user == 0:
        os.chown(folder, _NOBODY, -1)
        os.seteuid(_NOBODY)
    try:
        yield folder
    finally:
        if user == 0:
            os.seteuid(user)
        for path in (folder, *folder.rglob("*")):
            if path.is_dir():
                path.chmod(0o700)
        shutil.rmtree(folder)
