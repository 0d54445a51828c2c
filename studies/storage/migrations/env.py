"""Alembic runs this to change our tables, on the connection that `studies.storage.schema` hands in."""

from alembic import context

from studies.storage.schema import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
with context.begin_transaction():
    context.run_migrations()
