"""Every question OneStory asks the Liquidlogic mart, as SQLAlchemy Core statements.

They are built from the specification pages, so they compile alike for SQL Server (production) and PostgreSQL (the
simulated mart); no SQL text is written by hand and no value is ever put into a statement except as a parameter.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from connectors.spec import TableSpec

REFRESH_TABLE: Final = "MART_REFRESH"
REFRESHED: Final = "REFRESHED_DTTM"
CHANGED: Final = "MODIF_DTTM"


def refresh_stamp(schema: str) -> sa.Select[Any]:
    """The moment the last rebuild was complete; no row, or null, while a rebuild is at work (assumption)."""
    return sa.select(sa.func.max(_table(schema, REFRESH_TABLE, {REFRESHED: "datetime"}).c[REFRESHED]))


def fingerprint(schema: str, spec: TableSpec, heading: Collection[str]) -> sa.Select[Any]:
    """Row count, sum of keys and latest change of a table: enough to tell one night's content from another's.

    Columns that are not in `heading` (renamed, not there) count as nothing; landing the table will refuse it.
    """
    table, key = mart_table(schema, spec), key_columns(spec)[0]
    total = sa.func.sum(sa.cast(table.c[key], sa.BigInteger)) if key in heading else sa.null()
    latest = sa.func.max(table.c[CHANGED]) if CHANGED in heading and CHANGED in table.c else sa.null()
    counted = (sa.func.count().label("row_count"), total.label("key_sum"), latest.label("latest_change"))
    return sa.select(*counted).select_from(table)


def whole_table(schema: str, spec: TableSpec, columns: Sequence[str]) -> sa.Select[Any]:
    """All rows, in order of their key, so that reading one night twice gives the same file."""
    return _rows_of(mart_table(schema, spec), spec, columns)


def changed_rows(schema: str, spec: TableSpec, columns: Sequence[str], since: datetime) -> sa.Select[Any]:
    """The rows changed after `since` (mart's local time), in order of their key."""
    table = mart_table(schema, spec)
    return _rows_of(table, spec, columns).where(table.c[CHANGED] > sa.bindparam("since", since))


def keys_only(schema: str, spec: TableSpec) -> sa.Select[Any]:
    """The keys of all rows: what is no longer among them has been deleted (the mart has no tombstones)."""
    return whole_table(schema, spec, key_columns(spec))


def key_columns(spec: TableSpec) -> list[str]:
    """The supplier's names of the key's columns."""
    names = {column.field: column.name for column in spec.columns}
    return [names[key] for key in spec.key]


def mart_table(schema: str, spec: TableSpec) -> sa.TableClause:
    """A mart table with the columns and types its specification page names."""
    return _table(schema, spec.table, {column.name: column.tag for column in spec.columns})


def _rows_of(table: sa.TableClause, spec: TableSpec, columns: Sequence[str]) -> sa.Select[Any]:
    return sa.select(*(table.c[name] for name in columns)).order_by(*(table.c[name] for name in key_columns(spec)))


def _table(schema: str, name: str, columns: dict[str, str]) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, _type(tag)) for column, tag in columns.items()), schema=schema)


def _type(tag: str) -> sa.types.TypeEngine[Any]:
    if tag == "int":
        return sa.Integer()
    if tag == "datetime":
        return sa.DateTime()
    return sa.Numeric(18, 2) if tag.startswith("numeric") else sa.Unicode()
