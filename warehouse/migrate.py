"""Brings a warehouse database to the shape this version of OneStory needs; running it again changes nothing.

Alembic keeps the numbered, forward-only steps. The tables of the landing zone follow the suppliers' specifications: a
new field becomes a new column, and nothing is ever dropped. The rights of every role are granted anew each time.
"""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

from connectors.registry import SUPPLIERS
from connectors.spec import TableSpec, table_specs
from governance.sql import identifier, run_page

if TYPE_CHECKING:
    from sqlalchemy import Connection

_LOCK = 8_142_026  # one migration at a time, whoever starts it


def migrate(admin_url: str) -> None:
    """Migrate the database at `admin_url` (libpq form, a superuser or the owner of the cluster's roles).

    Raises what the database raises; nothing is kept then.
    """
    from sqlalchemy import create_engine
    from sqlalchemy.pool import NullPool

    engine = create_engine(admin_url.replace("postgresql://", "postgresql+psycopg://", 1), poolclass=NullPool)
    with engine.begin() as connection:
        connection.exec_driver_sql(f"select pg_advisory_xact_lock({_LOCK})")
        _upgrade(connection)
        connection.exec_driver_sql("set role onestory_owner")
        for supplier in SUPPLIERS:
            for spec in table_specs(supplier).values():
                _landing_table(connection, spec)
        connection.exec_driver_sql("reset role")
        # Last and every time: the whole matrix of rights, so that nothing made above is left without an answer.
        run_page(connection, (files(__package__) / "migrations" / "grants.sql").read_text(encoding="utf-8"))


def _upgrade(connection: Connection) -> None:
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", "warehouse:migrations")
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _landing_table(connection: Connection, spec: TableSpec) -> None:
    table = f"landing.{identifier(spec.dataset)}"
    fields = [identifier(field) for field in spec.fields]
    there = {
        row[0]
        for row in connection.exec_driver_sql(
            "select attname from pg_attribute where attrelid = to_regclass(%s) and attnum > 0 and not attisdropped",
            (table,),
        )
    }
    if there:
        for field in fields:
            if field not in there:
                connection.exec_driver_sql(f"alter table {table} add column {field} text")
        return
    connection.exec_driver_sql(
        f"create table {table} (version_id bigint generated always as identity primary key, row_key text not null, "
        + "".join(f"{field} text, " for field in fields)
        + "is_removed boolean not null, landed_file_id bigint not null, landed_line bigint not null, "
        "row_digest text not null, known_from timestamptz not null, known_to timestamptz)"
    )
    connection.exec_driver_sql(f"create unique index {spec.dataset}_now on {table} (row_key) where known_to is null")
    connection.exec_driver_sql(f"create index {spec.dataset}_key on {table} (row_key, known_from)")
