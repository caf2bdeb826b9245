"""Loads one night of the simulated mart into a real PostgreSQL database that stands for the SQL Server database `HDM`.

The tables are filled in a schema of their own and swapped in by one transaction, so a reader sees all of a night or all
of the night before. A reader that is at work holds the swap back until it is done.
"""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from connectors.synthetic.liquidlogic_tables import REFRESH_TABLE, SCHEMA, mart_tables, postgres_type

if TYPE_CHECKING:
    from adbc_driver_manager.dbapi import Connection

READER: Final = "hdm_reader"
_NEXT: Final = f"{SCHEMA}_next"
_PATIENCE: Final = "120s"


def rebuild_mart(supply: Path, night: int, admin_url: str, *, half_filled: bool = False) -> None:
    """Make the mart hold what `night` holds; the database and the read-only login are made when missing.

    Args:
        supply: the folder `write` filled.
        night: which night to load.
        admin_url: address of the mart's database, for a user who may create schemas (and roles, the first time).
        half_filled: leave the mart as it looks in the middle of the rebuild window: no refresh stamp, every table in
            place, the later half of them half filled.

    Raises:
        FileNotFoundError: when the night was not written.
        adbc_driver_manager.Error: when the database refuses, for instance because a reader holds the mart too long.
    """
    folder = supply / "liquidlogic" / f"night_{night}"
    if not folder.is_dir():
        raise FileNotFoundError(f"{folder}: this night was not written; run the simulator first")
    address = admin_url.replace("postgresql+psycopg://", "postgresql://", 1)
    _make_database(address)
    from adbc_driver_postgresql import dbapi

    with closing(dbapi.connect(address)) as connection:
        _prepare(connection)
        _fill(connection, folder, half_filled=half_filled)
        _swap(connection)
        connection.commit()


def _make_database(address: str) -> None:
    """Create the database the address names, from the server's `postgres` database, unless it is there."""
    from adbc_driver_postgresql import dbapi

    parts = urlsplit(address)
    name = unquote(parts.path.lstrip("/"))
    with (
        closing(dbapi.connect(urlunsplit(parts._replace(path="/postgres")), autocommit=True)) as server,
        server.cursor() as cursor,
    ):
        cursor.execute("select 1 from pg_database where datname = $1", (name,))
        if cursor.fetchone() is None:
            cursor.execute(f"create database {_quoted(name)}")


def _prepare(connection: Connection) -> None:
    statements = [
        f"set local lock_timeout = '{_PATIENCE}'",
        f"do $$ begin if not exists (select from pg_roles where rolname = '{READER}') then create role {READER} login; "
        f"end if; end $$",
        f"alter role {READER} set default_transaction_read_only = on",
        "revoke create on schema public from public",
        f"drop schema if exists {_quoted(_NEXT)} cascade",
        f"create schema {_quoted(_NEXT)}",
    ]
    for table, columns in mart_tables().items():
        listed = ", ".join(f"{_quoted(name)} {postgres_type(tag)}" for name, tag in columns.items())
        statements.append(f"create table {_quoted(_NEXT)}.{_quoted(table)} ({listed})")
    _run(connection, statements)


def _fill(connection: Connection, folder: Path, *, half_filled: bool) -> None:
    import pyarrow.parquet as pq

    tables = list(mart_tables())
    for place, table in enumerate(tables):
        rows: Any = pq.read_table(folder / f"{table}.parquet")
        if half_filled:
            rows = rows.slice(
                0, 0 if table == REFRESH_TABLE else len(rows) // 2 if place * 2 >= len(tables) else len(rows)
            )
        if len(rows):
            with connection.cursor() as cursor:
                cursor.adbc_ingest(table, rows, mode="append", db_schema_name=_NEXT)


def _swap(connection: Connection) -> None:
    _run(
        connection,
        [
            f"grant usage on schema {_quoted(_NEXT)} to {READER}",
            f"grant select on all tables in schema {_quoted(_NEXT)} to {READER}",
            f"drop schema if exists {_quoted(SCHEMA)} cascade",
            f"alter schema {_quoted(_NEXT)} rename to {_quoted(SCHEMA)}",
        ],
    )


def _run(connection: Connection, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _quoted(name: str) -> str:
    """An SQL name in quotes; the names are our own constants or the operator's database name."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
