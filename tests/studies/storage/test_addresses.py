from pathlib import Path

import pytest
import sqlalchemy
from hypothesis import given, strategies

from studies.errors import StorageError
from studies.storage.addresses import artifact_folder, parse_storage, redact, require_file, shown, sqlite_path
from studies.storage.database_errors import storage_error


def test_path_becomes_absolute_sqlite_url(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert parse_storage("styletuner.db") == f"sqlite:///{tmp_path}/styletuner.db"
    assert parse_storage("sqlite:///styletuner.db") == f"sqlite:///{tmp_path}/styletuner.db"
    assert parse_storage(f"sqlite:///{tmp_path}/a.db") == f"sqlite:///{tmp_path}/a.db"


def test_home_folder_is_expanded() -> None:
    assert parse_storage("~/a.db") == f"sqlite:///{Path.home()}/a.db"


@pytest.mark.parametrize("name", ["a b.db", "a?b#c.db", "50%.db", "{braces}.db", "Stürme.db", "a@b:c.db", "%41.db"])
def test_odd_file_names_survive(tmp_path: Path, name: str) -> None:
    url = parse_storage(str(tmp_path / name))
    assert sqlite_path(url) == tmp_path / name
    assert parse_storage(url) == url


@pytest.mark.parametrize("scheme", ["postgresql", "postgres", "postgresql+psycopg", "postgresql+psycopg2"])
def test_postgresql_uses_psycopg(scheme: str) -> None:
    assert parse_storage(f"{scheme}://ann:pw@host:5/db") == "postgresql+psycopg://ann:pw@host:5/db"


@pytest.mark.parametrize(
    "text", ["", " ", "sqlite://", "sqlite:///:memory:", "mysql://ann:sesame@host/db", "://", "redis://:sesame@host"]
)
def test_anything_else_is_refused_without_its_password(text: str) -> None:
    with pytest.raises(StorageError, match="must be a file path") as error:
        parse_storage(text)
    assert "sesame" not in str(error.value)


def test_unreadable_port_is_refused_without_the_password() -> None:
    with pytest.raises(StorageError, match="must be a file path") as error:
        parse_storage("postgresql://ann:sesame@host:port/db")
    assert "sesame" not in str(error.value)


def test_redact_hides_only_the_password() -> None:
    assert redact("postgresql://ann:sesame@host:5432/db") == "postgresql://ann:***@host:5432/db"
    assert redact("postgresql://ann@host/db?password=ses@me&x=1") == "postgresql://ann@host/db?password=***"
    assert redact("postgresql://host:5432/db") == "postgresql://host:5432/db"
    assert redact("studies/a.db") == "studies/a.db"


@given(strategies.text(min_size=6).filter(lambda password: "password=" not in password.lower()))
def test_redact_hides_any_password(password: str) -> None:
    url = sqlalchemy.URL.create("postgresql", "ann", password, "host", 1, "db").render_as_string(hide_password=False)
    assert redact(url) == "postgresql://ann:***@host:1/db"
    assert redact(f"postgresql://ann:{password}@host:1/db".replace("\n", "")) == "postgresql://ann:***@host:1/db"


@given(strategies.text("XQZ7@:/?#%&=", min_size=3, max_size=12))
def test_no_part_of_a_password_is_shown_wherever_it_stands(password: str) -> None:
    addresses = [
        f"postgresql://ann:{password}@host/db",
        f"postgresql://ann:{password}@host:port/db",
        f"postgresql://host/db?user=ann&password={password}",
        f"postgresql://ann:x{password.replace('@', '')}",
        f"postgresql:ann:{password}@host/db",
        f"mysql://ann:{password}@host/db",
        f"host=host user=ann password={password}",
    ]
    parts = {password[start : start + 3] for start in range(len(password) - 2)}
    for address in addresses:
        for message in (redact(address), message_about(address)):
            assert not any(part in message for part in parts if part not in {"://", "///"}), message


def message_about(address: str) -> str:
    """What a user reads about an address, refused or not."""
    try:
        url = parse_storage(address)
    except StorageError as error:
        return str(error)
    host = str(sqlalchemy.make_url(url).host)
    return f"{shown(url)} {storage_error(url, ImportError())} {storage_error(url, OSError(f'no host {host!r}'))}"


def test_an_unescaped_at_sign_is_refused_with_the_fix() -> None:
    with pytest.raises(StorageError, match=r"no more than one @. Received 'postgresql://ann:\*\*\*@host/db'.*%40"):
        parse_storage("postgresql://ann:ses@me@host/db")
    assert parse_storage("postgresql://ann:ses%40me@host/db") == "postgresql+psycopg://ann:ses%40me@host/db"


def test_a_link_is_what_it_leads_to(tmp_path: Path) -> None:
    """Lock and artifacts lie beside the file, so that two processes that name it differently meet."""
    (tmp_path / "real").mkdir()
    (tmp_path / "folder").symlink_to(tmp_path / "real")
    (tmp_path / "other.db").symlink_to(tmp_path / "real" / "a.db")
    urls = {
        parse_storage(str(path)) for path in (tmp_path / "real/a.db", tmp_path / "folder/a.db", tmp_path / "other.db")
    }
    assert urls == {f"sqlite:///{tmp_path}/real/a.db"}
    assert artifact_folder(urls.pop()) == tmp_path / "real" / "a_artifacts"


def test_shown_is_a_path_or_a_url_without_password() -> None:
    assert shown("sqlite:////data/a.db") == "/data/a.db"
    assert shown("postgresql+psycopg://ann:sesame@host/db") == "postgresql+psycopg://ann:***@host/db"


def test_artifact_folder_lies_beside_sqlite(tmp_path: Path) -> None:
    assert artifact_folder(parse_storage(str(tmp_path / "a.db"))) == tmp_path / "a_artifacts"


def test_artifact_folder_of_postgresql_is_named_by_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("STYLETUNER_ARTIFACTS", raising=False)
    assert artifact_folder("postgresql+psycopg://host/db") == tmp_path / "styletuner_artifacts"
    monkeypatch.setenv("STYLETUNER_ARTIFACTS", "/shared/pictures")
    assert artifact_folder("postgresql+psycopg://host/db") == Path("/shared/pictures")


def test_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match=r"no study database at .*a\.db.*study run"):
        require_file(parse_storage(str(tmp_path / "a.db")))
