import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tuner.command_line.main import COMMANDS

ROOT = Path(__file__).parent.parent
PACKAGES = ("styletuner", "tuner", "dashboards", "objectives", "studies", "models", "measures", "groundwork")
NETWORK_LIBRARIES = ("tensorflow", "torch", "keras", "torchvision", "lpips", "jax")


def loaded_by(code: str) -> set[str]:
    """Top-level modules in memory after a fresh interpreter has run the code."""
    report = "\nimport sys\nprint('LOADED', *sorted({name.partition('.')[0] for name in sys.modules}))"
    finished = subprocess.run(
        [sys.executable, "-c", code + report], capture_output=True, text=True, check=False, cwd=ROOT, timeout=120
    )
    assert finished.returncode == 0, finished.stderr
    return set(finished.stdout.rpartition("LOADED ")[2].split())


RUN_BY_ALEMBIC = "studies.storage.migrations.env"
"""A script more than a module: it works inside of Alembic alone."""


def modules_of(package: str) -> list[str]:
    found = [module.name for module in pkgutil.walk_packages([str(ROOT / package)], prefix=f"{package}.")]
    return [package, *(name for name in found if name != RUN_BY_ALEMBIC)]


def test_the_check_sees_a_library_that_is_loaded() -> None:
    assert "optuna" in loaded_by("import optuna")


def loaded_by_command(*arguments: str) -> set[str]:
    return loaded_by(
        f"import sys\nsys.argv = ['styletuner', *{arguments!r}]\nfrom tuner.command_line.main import main\n"
        "try:\n    main()\nexcept SystemExit as end:\n    assert not end.code, end.code"
    )


@pytest.mark.parametrize("option", ["--help", "--version"])
def test_help_loads_no_heavy_library(option: str) -> None:
    loaded = loaded_by_command(option)
    assert "tuner" in loaded
    assert loaded.isdisjoint({*NETWORK_LIBRARIES, "optuna", "sqlalchemy", "sklearn", "skimage", "scipy"})


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_loads_no_network_library(command: str) -> None:
    assert loaded_by_command(command, "--help").isdisjoint(NETWORK_LIBRARIES)


@pytest.mark.parametrize("package", ["studies", "dashboards"])
def test_what_only_reads_studies_loads_no_network_library(package: str) -> None:
    modules = modules_of(package)
    assert len(modules) > 2
    loaded = loaded_by("\n".join(f"import {module}" for module in modules))
    assert package in loaded
    assert loaded.isdisjoint({*NETWORK_LIBRARIES, "models", "objectives", "tuner"})


def test_processes_that_train_nothing_load_no_network_library() -> None:
    """Else those of `tests.tuner.untrained` take as long to start as real ones, or cannot start."""
    loaded = loaded_by("import tests.tuner.untrained.command, tests.tuner.untrained.worker")
    assert "optuna" in loaded
    assert loaded.isdisjoint(NETWORK_LIBRARIES)


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    code = "import sys\nfrom importlinter.cli import lint_imports\nsys.exit(lint_imports(no_cache=True))"
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False, cwd=folder, timeout=120
    )


def test_import_contracts_hold() -> None:
    finished = lint_imports(ROOT)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize(
    ("module", "forbidden"),
    [
        ("models/errors.py", "import studies.errors"),
        ("models/errors.py", "import optuna"),
        ("studies/errors.py", "import torch"),
        ("dashboards/errors.py", "import models.errors"),
        ("objectives/errors.py", "import tuner.errors"),
        ("tuner/search/enqueueing.py", "import tuner.running.setup"),
    ],
)
def test_a_broken_import_contract_is_seen(tmp_path: Path, module: str, forbidden: str) -> None:
    for package in PACKAGES:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    with (tmp_path / module).open("a", encoding="utf-8") as file:
        file.write(f"\n{forbidden}\n")
    finished = lint_imports(tmp_path)
    assert finished.returncode == 1, finished.stdout + finished.stderr
    assert "1 broken" in finished.stdout or "2 broken" in finished.stdout
