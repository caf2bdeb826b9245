"""A read-only session on the mart: its refresh stamp, what its tables hold, and their rows as Arrow.

One session reads one night. Where the database can hold a snapshot (PostgreSQL) every statement sees the same moment;
where it cannot (SQL Server with its default settings) the caller compares the refresh stamp before and after.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from connectors.base import DeliveryProblem
from connectors.liquidlogic import statements
from connectors.spec import TableSpec
from domain.run import Finding, RunState

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH: Final = 20_000
_PYTHON_TYPES: Final = (("is_integer", int), ("is_timestamp", datetime), ("is_decimal", Decimal), ("is_string", str))


@dataclass(frozen=True, slots=True)
class Content:
    """What one table holds at the moment."""

    rows: int
    key_sum: int
    latest_change: datetime | None


class MartSession:
    """Questions to the mart inside one read-only transaction."""

    def __init__(self, connection: sa.Connection, schema: str) -> None:
        self._connection = connection
        self._schema = schema

    def refreshed_at(self) -> datetime:
        """When the last rebuild was complete, in the mart's local time.

        Raises:
            DeliveryProblem: held, while there is no stamp: the mart is being rebuilt.
        """
        if not sa.inspect(self._connection).has_table(statements.REFRESH_TABLE, self._schema):
            raise being_rebuilt(f"table {statements.REFRESH_TABLE} is not there")
        stamp: datetime | None = self._connection.execute(statements.refresh_stamp(self._schema)).scalar_one_or_none()
        if stamp is None:
            raise being_rebuilt("there is no refresh stamp")
        return stamp

    def headings(self, specs: Mapping[str, TableSpec]) -> dict[str, list[str]]:
        """The columns each specified table has at the moment.

        Raises:
            DeliveryProblem: held, when a table is not there.
        """
        inspector = sa.inspect(self._connection)
        wanted = list(specs)
        found = inspector.get_multi_columns(
            schema=self._schema, filter_names=wanted, kind=sa.engine.reflection.ObjectKind.ANY
        )
        headings = {name: [str(column["name"]) for column in columns] for (_, name), columns in found.items()}
        if missing := [table for table in wanted if not headings.get(table)]:
            raise being_rebuilt(f"table {', '.join(missing)} is not there")
        return headings

    def content(self, spec: TableSpec, heading: Sequence[str]) -> Content:
        """Row count, sum of keys and latest change of a table with these columns."""
        row = self._connection.execute(statements.fingerprint(self._schema, spec, heading)).one()
        return Content(int(row.row_count), int(row.key_sum or 0), row.latest_change)

    def batches(self, statement: sa.Select[Any], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """The rows a statement finds, a batch at a time, typed as the specification says.

        Raises:
            DeliveryProblem: refused, when a column holds values of another type than specified.
        """
        import pyarrow as pa

        result = self._connection.execution_options(yield_per=_BATCH).execute(statement)
        for rows in result.partitions():
            columns = zip(*rows, strict=True)
            yield pa.record_batch([_array(list(c), f) for c, f in zip(columns, schema, strict=True)], schema=schema)

    def statements_for(self, spec: TableSpec, columns: Sequence[str], since: datetime | None) -> sa.Select[Any]:
        """All rows of the table, or those changed after `since`."""
        if since is None:
            return statements.whole_table(self._schema, spec, columns)
        return statements.changed_rows(self._schema, spec, columns, since)

    def keys_of(self, spec: TableSpec) -> sa.Select[Any]:
        return statements.keys_only(self._schema, spec)


@contextmanager
def open_mart(url: str, schema: str, source: str) -> Iterator[MartSession]:
    """A session for the block; signs in with the login of `url` and its password from the environment.

    Raises:
        DeliveryProblem: held, when the mart cannot be reached or stops answering. The message names no address.
    """
    engine = sa.create_engine(_with_password(url, source), poolclass=sa.pool.NullPool)
    options: dict[str, Any] = {}
    if engine.dialect.name == "postgresql":
        options = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    try:
        with engine.connect().execution_options(**options) as connection, connection.begin():
            yield MartSession(connection, schema)
    except sa.exc.DBAPIError as problem:
        finding = Finding(
            "MART_UNREACHABLE",
            f"{source}: the mart did not answer ({type(problem.orig).__name__})",
            "check that the mart is up and the read-only login still works, then run again",
        )
        raise DeliveryProblem(RunState.HELD, finding) from None


def arrow_schema(spec: TableSpec, columns: Sequence[str]) -> pa.Schema:
    """The types in which rows of a table are kept: as the supplier has them."""
    import pyarrow as pa

    tags = {column.name: column.tag for column in spec.columns}
    kinds = {"int": pa.int64(), "datetime": pa.timestamp("us")}
    decimal, text = pa.decimal128(18, 2), pa.string()
    metadata = {b"table": spec.table.encode()}
    return pa.schema(
        [
            pa.field(name, kinds.get(tags[name]) or (decimal if tags[name].startswith("numeric") else text))
            for name in columns
        ],
        metadata=metadata,
    )


def as_text(values: pa.Array) -> pa.Array:
    """A column as text: whole numbers and amounts plain, moments ISO without empty fractions of a second."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(values.type):
        return values
    text = values.cast(pa.string())
    return pc.replace_substring_regex(text, r"\.0+$", "") if pa.types.is_timestamp(values.type) else text


def write_rows(path: Path, batches: Iterator[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    """Hand the batches on while keeping them in one Parquet file: the original of what was read."""
    import pyarrow.parquet as pq

    path.parent.mkdir(parents=True, exist_ok=True)
    with pq.ParquetWriter(path, schema, compression="zstd", compression_level=1) as writer:
        for batch in batches:
            writer.write_batch(batch)
            yield batch


def being_rebuilt(what: str) -> DeliveryProblem:
    """The mart as it looks in its rebuild window (sources 3.5)."""
    finding = Finding(
        "MART_BEING_REBUILT",
        f"the mart is being rebuilt: {what}",
        "run again after the rebuild window; if it lasts, ask the supplier's operations",
    )
    return DeliveryProblem(RunState.HELD, finding)


def _array(values: list[Any], field: pa.Field) -> pa.Array:
    import pyarrow as pa

    # Arrow would quietly cut 100001.5 to 100001; an id that is no longer a whole number must not pass.
    expected = next(kind for is_of, kind in _PYTHON_TYPES if getattr(pa.types, is_of)(field.type))
    if not set(map(type, values)) <= {expected, type(None)}:
        finding = Finding(
            "WRONG_TYPE",
            f"column {field.name} no longer holds {field.type} values",
            "ask the supplier what changed, then change the specification of the table",
        )
        raise DeliveryProblem(RunState.REFUSED, finding)
    return pa.array(values, field.type)


def _with_password(url: str, source: str) -> sa.URL:
    """The address with the password of the login, which never stands in a profile (CTL-29)."""
    name = source.upper()
    if file := os.environ.get(f"ONESTORY_PASSWORD_FILE_{name}"):
        password = Path(file).read_text(encoding="utf-8").strip()
    else:
        password = os.environ.get(f"ONESTORY_PASSWORD_{name}", "")
    address = sa.make_url(url.replace("postgresql://", "postgresql+psycopg://", 1))
    return address.set(password=password) if password else address
