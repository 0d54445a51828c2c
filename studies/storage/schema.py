"""Versions of our own tables, kept with Alembic beside Optuna's and never in its version table."""

import functools
import sys
from collections.abc import Callable
from typing import Final

import sqlalchemy
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from studies.errors import StorageError
from studies.storage.addresses import shown
from studies.storage.tables import ClaimRow

VERSION_TABLE: Final = "styletuner_alembic_version"

UNVERSIONED: Final = "0001"
"""Version of tables that say none: those of styletuner 0.1.0."""

Notify = Callable[[str], None]
"""Told, in a line, that a database is upgraded."""


def tell_on_standard_error(line: str) -> None:
    """Print a line where it mixes with no output."""
    sys.stderr.write(f"{line}\n")


def newest_version() -> str:
    """Return the version of our tables that this styletuner writes."""
    return _scripts().get_heads()[0]


def version_of(connection: sqlalchemy.Connection) -> str | None:
    """Return the version of our tables in a database; None if it has none of them. Only reads."""
    inspector = sqlalchemy.inspect(connection)
    if inspector.has_table(VERSION_TABLE):
        return MigrationContext.configure(connection, opts={"version_table": VERSION_TABLE}).get_current_revision()
    return UNVERSIONED if inspector.has_table(ClaimRow.__tablename__) else None


def require_known(url: str, version: str | None) -> None:
    """Refuse tables that a later styletuner wrote.

    Raises:
        StorageError: The version is none of those known here; names it.
    """
    known = [script.revision for script in _scripts().walk_revisions()]
    if version is not None and version not in known:
        raise StorageError(
            f"{shown(url)} was written by a later styletuner: its tables have version {version}, and this one knows "
            f"versions up to {newest_version()}. Update styletuner."
        )


def upgrade(url: str, engine: sqlalchemy.Engine, *, notify: Notify) -> None:
    """Bring our tables to the newest version in one transaction, or make them; Optuna's must be there.

    Hold the storage's exclusive section. An interrupted upgrade leaves everything as it was.

    Raises:
        StorageError: A later styletuner wrote them.
        sqlalchemy.exc.SQLAlchemyError: If the database cannot be written.
    """
    with engine.connect() as connection:
        version = version_of(connection)
    require_known(url, version)
    if version == newest_version():
        return
    if version is not None:
        notify(f"Upgrading {shown(url)} from version {version} of styletuner's tables to {newest_version()}.")
    with engine.begin() as connection:
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "studies.storage:migrations")
    return config


@functools.cache
def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
