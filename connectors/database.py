"""A read-only session on a supplier's reporting database: what its tables hold, and their rows as Arrow batches.

Any database SQLAlchemy knows will do: Microsoft SQL Server and Oracle at the suppliers, PostgreSQL where one is
simulated. One connection, a time limit on every statement, nothing written, and no error that names an address or a
value.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import sqlalchemy as sa

from connectors import database_statements as statements
from connectors.base import DeliveryProblem, held
from connectors.credentials import credentials_in_use
from connectors.spec import TableSpec
from domain.profile import ProfileError
from domain.run import Finding, RunState

if TYPE_CHECKING:
    import pyarrow as pa

_BATCH: Final = 20_000
_PYTHON_TYPES: Final = (("is_integer", int), ("is_timestamp", datetime), ("is_decimal", Decimal), ("is_string", str))

#: What the drivers say when a login is refused, expired or locked (F22): PostgreSQL, SQL Server, Oracle.
_LOGIN_REFUSED: Final = ("authentication failed", "not permitted to log in", "no password supplied", "28000", "28P01",
                         "18456", "18486", "18487", "18488", "ORA-01017", "ORA-28000", "ORA-28001")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Access:
    """How one reporting database is reached. `owner` is who can mend the login; the password is never here (CTL-29)."""

    source: str
    url: str
    schema: str
    noun: str = "the database"
    owner: str = "the owner of the source's login"
    statement_seconds: int = 1800
    pauses: tuple[float, ...] = (1.0, 5.0)  # before each new attempt to sign in: few, so that no account gets locked


@dataclass(frozen=True, slots=True)
class Content:
    """What one table holds at the moment."""

    rows: int
    key_sum: int
    latest_change: datetime | None


class DatabaseSession:
    """Questions to the database inside one read-only transaction."""

    def __init__(self, connection: sa.Connection, access: Access) -> None:
        self._connection = connection
        self.access = access

    def value(self, statement: sa.Select[Any]) -> Any:
        """The one value a statement finds; None when it finds no row."""
        return self._connection.execute(statement).scalar_one_or_none()

    def row(self, statement: sa.Select[Any]) -> sa.Row[Any]:
        """The one row a statement finds."""
        return self._connection.execute(statement).one()

    def columns_of(self, tables: Sequence[str]) -> dict[str, list[str]]:
        """The columns each of these tables has at the moment; those that are not there are left out."""
        return {name: [str(column["name"]) for column in columns] for name, columns in self._columns(tables)}

    def layout_of(self, tables: Sequence[str]) -> dict[str, list[str]]:
        """Name and type of every column these tables have at the moment."""
        found = self._columns(tables)
        return {name: [f"{column['name']} {column['type']!r}" for column in columns] for name, columns in found}

    def _columns(self, tables: Sequence[str]) -> list[tuple[str, list[Any]]]:
        found = sa.inspect(self._connection).get_multi_columns(
            schema=self.access.schema, filter_names=list(tables), kind=sa.engine.reflection.ObjectKind.ANY
        )
        return [(name, list(columns)) for (_, name), columns in found.items() if columns]

    def content(self, spec: TableSpec, heading: Sequence[str], changed: str = "") -> Content:
        """Row count, sum of keys and latest change of a table with these columns."""
        row = self.row(statements.fingerprint(self.access.schema, spec, heading, changed))
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


@contextmanager
def open_database(access: Access) -> Iterator[DatabaseSession]:
    """A session for the block. A refused login is tried again a few times, with growing pauses (F22).

    Raises:
        DeliveryProblem: held, when the database cannot be reached, refuses the login or stops answering. The message
            names the source and the login's owner, never an address.
        ProfileError: when the driver the address asks for is not installed, or the address cannot be read.
    """
    engine = _engine(access)
    connection = _sign_in(engine, access)
    try:
        with connection, connection.begin():
            if engine.dialect.name == "oracle":  # Oracle's way of seeing one moment in every statement
                connection.exec_driver_sql("set transaction read only")
            yield DatabaseSession(connection, access)
    except sa.exc.DBAPIError as problem:
        raise held(
            "CONNECTION_LOST",
            f"{access.source}: {access.noun} stopped answering ({type(problem.orig).__name__})",
            "nothing of this night was taken; run again, and tell the supplier's operations if it lasts",
        ) from None
    finally:
        engine.dispose()


def _engine(access: Access) -> sa.Engine:
    try:
        address = sa.make_url(access.url.replace("postgresql://", "postgresql+psycopg://", 1))
    except sa.exc.ArgumentError:
        raise ProfileError(f"source {access.source}: url is no address SQLAlchemy understands") from None
    address = _with_password(address, access.source)
    seconds = access.statement_seconds
    settings: dict[str, Any] = {"poolclass": sa.pool.NullPool}
    if address.get_backend_name() == "postgresql":
        settings["connect_args"] = {"connect_timeout": 20, "options": f"-c statement_timeout={seconds * 1000}"}
        settings["execution_options"] = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    elif address.get_backend_name() == "mssql":  # a replica may serve it; the login itself must be read-only
        address = address.update_query_dict({"ApplicationIntent": "ReadOnly"})
        settings["connect_args"] = {"timeout": 20}
    elif address.get_backend_name() == "oracle":
        settings["connect_args"] = {"tcp_connect_timeout": 20.0}
    try:
        engine = sa.create_engine(address, **settings)
    except (ModuleNotFoundError, sa.exc.NoSuchModuleError):
        driver = address.get_driver_name() if address.drivername in _KNOWN else address.drivername
        extra = {"pyodbc": "sqlserver", "oracledb": "oracle"}.get(driver, "")
        how = f"; install onestory[{extra}]" if extra else ""
        raise ProfileError(f"source {access.source}: the driver {driver} is not installed{how}") from None
    sa.event.listen(engine, "connect", _limit_statements(engine.dialect.name, seconds))
    return engine


_KNOWN: Final = ("mssql+pyodbc", "oracle+oracledb", "postgresql+psycopg")


def _limit_statements(dialect: str, seconds: int) -> Any:
    """What sets the time limit on a connection just made; each driver has its own word for it."""

    def limit(connection: Any, _: Any) -> None:
        if dialect == "mssql":
            connection.timeout = seconds
        elif dialect == "oracle":
            connection.call_timeout = seconds * 1000

    return limit


def _sign_in(engine: sa.Engine, access: Access) -> sa.Connection:
    for pause in (*access.pauses, None):
        try:
            return engine.connect()
        except sa.exc.DBAPIError as problem:
            if pause is None:
                raise _no_connection(problem, access) from None
        time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _no_connection(problem: sa.exc.DBAPIError, access: Access) -> DeliveryProblem:
    told = str(problem.orig)
    attempts = len(access.pauses) + 1
    if any(sign in told for sign in _LOGIN_REFUSED):
        return held(
            "CREDENTIALS",
            f"{access.source}: {access.noun} refused the login {attempts} times",
            f"{access.owner} must renew or unlock it; the next run takes what is due since the last one",
        )
    return held(
        "MART_UNREACHABLE",
        f"{access.source}: {access.noun} did not answer ({type(problem.orig).__name__})",
        f"check that it is up; if it is, ask {access.owner}, then run again",
    )


def arrow_schema(columns: Mapping[str, str], table: str) -> pa.Schema:
    """The types in which rows of a table are kept, from column and type tag: ids are whole numbers, never floats."""
    import pyarrow as pa

    kinds = {"int": pa.int64(), "bigint": pa.int64(), "datetime": pa.timestamp("us")}
    decimal, text = pa.decimal128(18, 2), pa.string()
    fields = [
        pa.field(name, kinds.get(tag) or (decimal if tag.startswith("numeric") else text))
        for name, tag in columns.items()
    ]
    return pa.schema(fields, metadata={b"table": table.encode()})


def as_text(values: pa.Array) -> pa.Array:
    """A column as text: whole numbers and amounts plain, moments ISO without empty fractions of a second."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_string(values.type):
        return values
    text = values.cast(pa.string())
    return pc.replace_substring_regex(text, r"\.0+$", "") if pa.types.is_timestamp(values.type) else text


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


def _with_password(address: sa.URL, source: str) -> sa.URL:
    """The address with the login lent to this run, else the environment's password; never a profile's (CTL-29)."""
    name = source.upper()
    if lent := credentials_in_use():
        return address.set(username=lent.get("login") or address.username, password=lent.get("password"))
    if file := os.environ.get(f"ONESTORY_PASSWORD_FILE_{name}"):
        password = Path(file).read_text(encoding="utf-8").strip()
    else:
        password = os.environ.get(f"ONESTORY_PASSWORD_{name}", "")
    return address.set(password=password) if password else address
