import subprocess
import sys
from pathlib import Path

import pytest

import styletuner

ROOT = Path(__file__).parents[2]


def loaded_by(code: str) -> set[str]:
    report = "\nimport sys\nprint(*sorted({name.partition('.')[0] for name in sys.modules}))"
    command = [sys.executable, "-c", code + report]
    ended = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=120)
    return set(ended.stdout.split())


def test_importing_loads_nothing_else() -> None:
    loaded = loaded_by("import styletuner")
    others = {"tuner", "studies", "models", "optuna", "sqlalchemy", "numpy", "PIL", "tensorflow", "torch", "keras"}
    assert "styletuner" in loaded
    assert loaded.isdisjoint(others)


def test_no_public_name_loads_a_network_library() -> None:
    loaded = loaded_by("import styletuner\nfor name in styletuner.__all__:\n    getattr(styletuner, name)")
    assert "studies" in loaded
    assert loaded.isdisjoint({"tensorflow", "torch", "keras", "jax", "lpips"})


@pytest.mark.parametrize("name", styletuner.__all__)
def test_every_public_name_is_there_and_documented(name: str) -> None:
    found = getattr(styletuner, name)
    assert found.__doc__
    assert name in dir(styletuner)


def test_all_names_have_a_home_and_no_others() -> None:
    assert sorted(styletuner.__all__) == sorted(styletuner._HOMES)


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="has no attribute 'start_studies'"):
        styletuner.start_studies  # noqa: B018


def test_the_version_is_the_distributions() -> None:
    assert styletuner.__version__
