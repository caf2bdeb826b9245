"""Landed Parquet into unlogged scratch tables of the schema `staging`, where rules can look at it.

A staging table has the fields of its landing table as text, `landed_line`, `disposition` (null: to be applied; `held`;
or the reason of an exclusion) and `row_key` as history writes it. It is made anew each time and dropped afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from domain.run import StageFailure
from governance.sql import identifier
from governance.store import Store

if TYPE_CHECKING:
    import pyarrow as pa
    from sqlalchemy import Connection

# Tables just written have no statistics: the planner takes 15,000 rows for 40 and compares each with each.
SETTINGS = "set enable_nestloop = off"
_BATCH_ROWS = 50_000
_OWN_COLUMNS = frozenset(
    ("version_id", "row_key", "is_removed", "landed_file_id", "landed_line", "row_digest", "known_from", "known_to")
)


@dataclass(frozen=True, slots=True)
class Exclusion:
    """Rows left out by policy when `field` equals `value`, or is a number of the block."""

    field: str
    value: str
    reason: str
    block: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class DatasetFacts:
    """What landing knows of a dataset; it travels inside the landed file."""

    dataset: str
    key: tuple[str, ...]
    removed: tuple[str, str] | None
    exclude: tuple[Exclusion, ...]
    people: tuple[str, ...] = ()  # the fields that name a person
    is_person_table: bool = False


def facts_of(parquet: Path) -> DatasetFacts:
    """Read the facts from a landed file's own description.

    Raises:
        StageFailure: the file is missing or was not written by landing.
    """
    import pyarrow.parquet as pq

    try:
        told = (pq.read_schema(parquet).metadata or {}).get(b"onestory")
        raw = json.loads(told) if told else None
    except OSError:
        raw = None
    if raw is None:
        raise StageFailure(
            f"the landed file {parquet.name} is missing or does not describe itself",
            remedy="Land the delivery again.",
            retry_helps=False,
        )
    removed = (str(raw["removed"]["field"]), str(raw["removed"]["value"])) if raw.get("removed") else None
    exclude = tuple(
        Exclusion(e["field"], str(e["value"]), e["reason"], tuple(e["block"]) if e.get("block") else None)
        for e in raw.get("exclude") or ()
    )
    people = tuple(str(name) for name in raw.get("people") or ())
    is_person_table = bool(raw.get("is_person_table"))
    return DatasetFacts(str(raw["dataset"]), tuple(raw["key"]), removed, exclude, people, is_person_table)


def landing_fields(connection: Connection, dataset: str) -> tuple[str, ...]:
    """The supplier fields of `landing.<dataset>`, in the table's order; empty when there is no such table."""
    rows = connection.exec_driver_sql(
        """select attname from pg_attribute where attrelid = to_regclass(%(table)s) and attnum > 0
            and not attisdropped order by attnum""",
        {"table": f"landing.{identifier(dataset)}"},
    )
    return tuple(name for (name,) in rows if name not in _OWN_COLUMNS)


def create(connection: Connection, table: str, fields: Sequence[str], key: Sequence[str], extra: str = "") -> None:
    """Make `staging.<table>` anew, empty. `extra` adds columns of the caller's own."""
    row_key = " || '|' || ".join(f"coalesce({identifier(k)}, '')" for k in key)
    columns = "".join(f"{identifier(f)} text, " for f in fields)
    drop(connection, table)
    connection.exec_driver_sql(
        f"create unlogged table staging.{identifier(table)} (landed_line bigint not null, {columns}{extra}"
        f"disposition text, row_key text generated always as ({row_key}) stored)"
    )


def drop(connection: Connection, table: str) -> None:
    """Remove `staging.<table>` and what hangs on it, if it is there."""
    connection.exec_driver_sql(f"drop table if exists staging.{identifier(table)} cascade")


def load(store: Store, table: str, parquet: Path) -> int:
    """Copy a landed file into its staging table; returns the rows copied."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(parquet) as file:
        if file.metadata.num_rows == 0:
            return 0
        schema = file.schema_arrow.remove_metadata()
        reader = pa.RecordBatchReader.from_batches(schema, _batches(file))
        return store.ingest("loader", "staging", identifier(table), reader)


def load_rows(store: Store, table: str, rows: Sequence[Mapping[str, Any]], columns: Mapping[str, type]) -> int:
    """Copy rows that were kept elsewhere into a staging table; `columns` are their names with `str` or `int`."""
    import pyarrow as pa

    types = {str: pa.string(), int: pa.int64()}
    arrays = [pa.array([row.get(name) for row in rows], types[kind]) for name, kind in columns.items()]
    return store.ingest("loader", "staging", identifier(table), pa.table(arrays, names=list(columns)))


def _batches(file: Any) -> Iterator[pa.RecordBatch]:
    for batch in file.iter_batches(_BATCH_ROWS):
        yield _without_nul(batch)


def _without_nul(batch: pa.RecordBatch) -> pa.RecordBatch:
    """PostgreSQL holds no NUL: it becomes the replacement character, which TXT-001 holds; the raw file keeps it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    columns = [
        pc.replace_substring(column, "\0", "\ufffd")
        if pa.types.is_string(column.type) and pc.any(pc.match_substring(column, "\0")).as_py()
        else column
        for column in batch.columns
    ]
    return pa.RecordBatch.from_arrays(columns, schema=batch.schema)
