"""Every question OneStory asks a supplier's database, as SQLAlchemy Core statements.

They are built from the specification pages, so they compile alike for SQL Server, Oracle and PostgreSQL; no SQL text is
written by hand and no value is ever put into a statement except as a parameter (CTL-22).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import sqlalchemy as sa

from connectors.spec import TableSpec

#: The type tag of a column nobody specified: the database is asked for its text.
AS_TEXT: Final = "as text"

_UNKNOWN_MEMBER: Final = -1


@dataclass(frozen=True, slots=True)
class Answers:
    """A column of free text that is read for some questions only: the database itself leaves out the others."""

    table: str
    answer: str
    question: str
    allowed: frozenset[str] = frozenset()


def stamp(schema: str, table: str, column: str) -> sa.Select[Any]:
    """The latest moment in a column of one-row tables that say when the database was refreshed; null without one."""
    return sa.select(sa.func.max(_table(schema, table, {column: "datetime"}).c[column]))


def highest(schema: str, table: str, column: str) -> sa.Select[Any]:
    """The highest whole number in a column; null without one."""
    return sa.select(sa.func.max(_table(schema, table, {column: "int"}).c[column]))


def fingerprint(schema: str, spec: TableSpec, heading: Collection[str], changed: str = "") -> sa.Select[Any]:
    """Row count, sum of keys and latest change of a table: enough to tell one night's content from another's.

    Columns that are not in `heading` (renamed, not there) count as nothing; landing the table will refuse it. Keys are
    added up as decimals: a sum of 64-bit ids does not fit into 64 bits.
    """
    table, key = table_of(schema, spec), key_columns(spec)[0]
    is_number = _tags(spec)[key] in ("int", "bigint")
    total = sa.func.sum(sa.cast(table.c[key], sa.Numeric(38, 0))) if key in heading and is_number else sa.null()
    latest = sa.func.max(table.c[changed]) if changed in heading and changed in table.c else sa.null()
    counted = (sa.func.count().label("row_count"), total.label("key_sum"), latest.label("latest_change"))
    return sa.select(*counted).select_from(table)


def rows_of(
    schema: str,
    spec: TableSpec,
    columns: Mapping[str, str],
    keys: Sequence[str],
    since: tuple[str, datetime] | None = None,
    answers: Answers | None = None,
) -> sa.Select[Any]:
    """The rows of a table in order of its key, so that reading one night twice gives the same file.

    Args:
        schema: where the table lies.
        spec: which table.
        columns: its columns as they are headed today, with their types.
        keys: those that make the key, which give the order.
        since: only rows whose named column lies after the moment (the database's local time).
        answers: the column of free text, and for which questions it is read.
    """
    asked = dict(columns) if since is None else {**columns, since[0]: "datetime"}
    if answers is not None:
        asked |= {answers.question: "nvarchar(255)"}
    table = _table(schema, spec.table, asked)
    selected = [_selected(table.c[name], tag, answers, table) for name, tag in columns.items()]
    statement = sa.select(*selected).order_by(*(table.c[name] for name in keys))
    return statement if since is None else statement.where(table.c[since[0]] > sa.bindparam("since", since[1]))


def _selected(column: Any, tag: str, answers: Answers | None, table: sa.TableClause) -> Any:
    if answers is not None and column.name == answers.answer:
        allowed = sorted(answers.allowed)
        told = (
            sa.case((table.c[answers.question].in_(allowed), column)) if allowed else sa.cast(sa.null(), sa.Unicode(1))
        )
        return told.label(column.name)
    return sa.cast(column, sa.Unicode(4000)).label(column.name) if tag == AS_TEXT else column


def without_parent(schema: str, child: str, column: str, parent: str, parent_key: str) -> sa.Select[Any]:
    """How many rows of `child` point, in `column`, to a row of `parent` that is not there; -1 points to nothing."""
    children, parents = _table(schema, child, {column: "int"}), _table(schema, parent, {parent_key: "int"})
    pointer = children.c[column]
    found = sa.exists().where(parents.c[parent_key] == pointer).correlate(children)
    return sa.select(sa.func.count()).select_from(children).where(pointer != _UNKNOWN_MEMBER, ~found)


def key_columns(spec: TableSpec) -> list[str]:
    """The supplier's names of the key's columns."""
    names = {column.field: column.name for column in spec.columns}
    return [names[key] for key in spec.key]


def table_of(schema: str, spec: TableSpec) -> sa.TableClause:
    """A table with the columns and types its specification page names."""
    return _table(schema, spec.table, _tags(spec))


def _tags(spec: TableSpec) -> dict[str, str]:
    return {column.name: column.tag for column in spec.columns}


def _table(schema: str, name: str, columns: Mapping[str, str]) -> sa.TableClause:
    return sa.table(name, *(sa.column(column, _type(tag)) for column, tag in columns.items()), schema=schema)


def _type(tag: str) -> sa.types.TypeEngine[Any]:
    if tag in ("int", "bigint"):
        return sa.BigInteger() if tag == "bigint" else sa.Integer()
    if tag == "datetime":
        return sa.DateTime()
    return sa.Numeric(18, 2) if tag.startswith("numeric") else sa.Unicode()
