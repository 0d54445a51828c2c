"""The wheel as a stranger gets it: what it holds, and that it runs where folders with our packages' names lie about."""

import os
import shutil
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PACKAGES = ("styletuner", "tuner", "dashboards", "objectives", "studies", "models", "measures", "groundwork")

pytestmark = pytest.mark.slow


def run(*command: str | Path, cwd: Path) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in {"PYTHONPATH", "PYTHONSAFEPATH"}}
    finished = subprocess.run(
        command, capture_output=True, text=True, check=False, cwd=cwd, env=environment, timeout=300
    )
    assert finished.returncode == 0, finished.stdout + finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built from a copy, because a build leaves folders in its source that would spoil the next one."""
    source = tmp_path_factory.mktemp("source") / "styletuner"
    unwanted = shutil.ignore_patterns(
        ".*", "__pycache__", "*.egg-info", "build", "dist", "demo", "*_artifacts", "*.db*"
    )
    shutil.copytree(ROOT, source, ignore=unwanted)
    wheels = tmp_path_factory.mktemp("wheels")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", wheels, cwd=source)
    (built,) = wheels.glob("styletuner-*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty virtual environment with the wheel, borrowing the libraries (and nothing of ours) of this one."""
    folder = tmp_path_factory.mktemp("environment")
    venv.create(folder, with_pip=False)
    python = folder / "bin" / "python"
    run(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--quiet",
        "--no-deps",
        "--no-index",
        wheel,
        cwd=folder,
    )
    (site_packages,) = folder.glob("lib/python*/site-packages")
    # Python reads no .pth of a folder that a .pth adds, so an editable installation of ours stays out of sight.
    (site_packages / "libraries.pth").write_text(sysconfig.get_path("purelib") + "\n", encoding="utf-8")
    return folder


@pytest.fixture
def decoys(tmp_path: Path) -> Path:
    """A working folder with somebody else's packages of our names, which raise when imported."""
    for package in PACKAGES:
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("raise ImportError('decoy')\n", encoding="utf-8")
    return tmp_path


def test_wheel_holds_every_source_file_of_the_five_packages_and_no_others(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if not name.endswith("/")}
    sources = {path.relative_to(ROOT).as_posix() for package in PACKAGES for path in (ROOT / package).rglob("*.py")}
    data = {path.relative_to(ROOT).as_posix() for path in (ROOT / "tuner" / "configuration" / "presets").glob("*.yaml")}
    data |= {path.relative_to(ROOT).as_posix() for path in (ROOT / "dashboards" / "templates").glob("*")}
    ours = {name for name in held if ".dist-info/" not in name}
    assert {
        "tuner/configuration/presets/demo.yaml",
        "tuner/configuration/presets/quick.yaml",
        "tuner/configuration/presets/gpu.yaml",
    } <= data
    assert ours == sources | data


def test_wheel_carries_licence_console_script_and_description(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        texts = {Path(name).name: archive.read(name).decode() for name in archive.namelist() if ".dist-info/" in name}
    assert "styletuner = styletuner.__main__:main" in texts["entry_points.txt"]
    assert "MIT License" in texts["LICENSE"]
    assert "License-Expression: MIT" in texts["METADATA"]
    assert "Requires-Python: >=3.11" in texts["METADATA"]
    assert set(texts["top_level.txt"].split()) == set(PACKAGES)


def test_command_runs_from_a_folder_with_decoys(environment: Path, decoys: Path) -> None:
    with pytest.raises(AssertionError, match="decoy"):
        run(environment / "bin" / "python", "-c", "import models", cwd=decoys)
    assert "Usage: styletuner" in run(environment / "bin" / "styletuner", "--help", cwd=decoys)


def test_every_module_is_imported_from_the_wheel(environment: Path, decoys: Path) -> None:
    code = (
        "import importlib, pkgutil\n"
        f"for package in {PACKAGES!r}:\n"
        "    root = importlib.import_module(package)\n"
        "    print(root.__file__)\n"
        "    for found in pkgutil.walk_packages(root.__path__, prefix=f'{package}.'):\n"
        "        if found.name != 'studies.storage.migrations.env':  # runs inside of Alembic alone\n"
        "            importlib.import_module(found.name)\n"
        "from tuner.configuration.preset_files import list_presets\n"
        "print(*list_presets())\n"
    )
    *files, presets = run(environment / "bin" / "python", "-P", "-c", code, cwd=decoys).splitlines()
    assert {Path(file).parent.name for file in files} >= set(PACKAGES)
    assert all(Path(file).is_relative_to(environment) for file in files)
    assert {"demo", "quick", "gpu"} <= set(presets.split())
