"""Runs the migrations on the connection that `warehouse.migrate` opened; nothing is configured in files."""

from alembic import context

connection = context.config.attributes["connection"]
context.configure(connection=connection)
with context.begin_transaction():
    context.run_migrations()
