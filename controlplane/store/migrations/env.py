"""Run by Alembic: migrates over the connection that `controlplane.store.schema` hands in, in its transaction."""

from alembic import context

from controlplane.store.schema import VERSION_TABLE
from controlplane.store.tables import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    version_table=VERSION_TABLE,
)
with context.begin_transaction():
    context.run_migrations()
