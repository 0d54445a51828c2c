"""The database of styletuner 0.1.0, as an SQLite file or moved to a PostgreSQL server."""

import zipfile
from pathlib import Path

import sqlalchemy
from alembic import command
from alembic.config import Config
from optuna.storages import RDBStorage
from optuna.storages._rdb.models import BaseModel

from studies.storage.addresses import artifact_folder, parse_storage, sqlite_path
from studies.storage.schema import VERSION_TABLE

ARCHIVE = Path(__file__).with_name("database_0_1_0.zip")


def restore(address: str, scratch: Path) -> None:
    """Put the old database, with its artifacts, at an address where there is none yet; `scratch` is an empty folder."""
    with zipfile.ZipFile(ARCHIVE) as archive:
        archive.extractall(scratch)
    url = parse_storage(address)
    (scratch / "old_artifacts").rename(artifact_folder(url))
    path = sqlite_path(url)
    if path is not None:
        (scratch / "old.db").rename(path)
        return
    source = sqlalchemy.create_engine(f"sqlite:///{scratch / 'old.db'}")
    target = RDBStorage(url).engine
    with source.connect() as old, target.begin() as new:
        new.execute(sqlalchemy.text("DELETE FROM version_info"))
        _make_old_tables(new)
        for table in [*BaseModel.metadata.sorted_tables, *_old_tables(new)]:
            rows = [dict(row) for row in old.execute(sqlalchemy.select(table)).mappings()]
            if rows:
                new.execute(sqlalchemy.insert(table), rows)
            _count_on(new, table)
    source.dispose()
    target.dispose()


def _make_old_tables(connection: sqlalchemy.Connection) -> None:
    config = Config()
    config.set_main_option("script_location", "studies.storage:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "0001")
    connection.execute(sqlalchemy.text(f"DROP TABLE {VERSION_TABLE}"))


def _old_tables(connection: sqlalchemy.Connection) -> list[sqlalchemy.Table]:
    names = [name for name in sqlalchemy.inspect(connection).get_table_names() if name.startswith("styletuner_")]
    return [sqlalchemy.Table(name, sqlalchemy.MetaData(), autoload_with=connection) for name in names]


def _count_on(connection: sqlalchemy.Connection, table: sqlalchemy.Table) -> None:
    """Have the server number new rows from where the copied ones end."""
    column = table.autoincrement_column
    if column is not None:
        sequence = connection.scalar(sqlalchemy.select(sqlalchemy.func.pg_get_serial_sequence(table.name, column.name)))
        last = connection.scalar(sqlalchemy.select(sqlalchemy.func.max(column)))
        if sequence and last:
            connection.execute(sqlalchemy.select(sqlalchemy.func.setval(sequence, last)))
