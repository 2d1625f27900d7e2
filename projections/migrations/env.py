"""Alembic's environment: `projections.postgres.provision` gives it a connection and a schema."""

from alembic import context
from sqlalchemy import text

from projections.postgres.login import OWNER
from projections.postgres.standing import metadata

connection = context.config.attributes["connection"]
schema = context.config.attributes["schema"]
with connection.begin():
    connection.execute(text(f"SET LOCAL ROLE {OWNER}"))
    connection.execute(text(f'CREATE SCHEMA IF NOT EXISTS "{schema}"'))
    connection.execute(text(f'GRANT USAGE ON SCHEMA "{schema}" TO projector, console'))
    connection.execute(text("SELECT set_config('search_path', :schema, true)"), {"schema": schema})
    context.configure(connection=connection, target_metadata=metadata, version_table_schema=schema)
    with context.begin_transaction():
        context.run_migrations()
    connection.execute(text("GRANT SELECT ON alembic_version TO projector, console"))
