import pytest

from tuner.installation import versions as installed
from tuner.installation.versions import versions


def test_a_backend_that_is_not_installed_has_no_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(installed, "PACKAGES", ("keras", "a-backend-that-nobody-has"))

    assert set(versions()) == {"python", "keras"}
