"""Suppliers that are databases: what a simulated one holds each night on disk, and its nightly rebuild in PostgreSQL.

Every table is one file in which each row carries the nights between which it is there, so ninety nights cost little
more than one. A rebuild fills a schema of its own and swaps it in by one transaction: a reader sees all of a night or
all of the night before, and one at work holds the swap back until it is done.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit, urlunsplit

from connectors.synthetic.world import Defect, System, World

if TYPE_CHECKING:
    import pyarrow as pa
    from adbc_driver_manager.dbapi import Connection

PLAN: Final = "plan.json"
_PATIENCE: Final = "120s"


@dataclass(frozen=True, slots=True)
class Kit:
    """One simulated database: its schema, its read-only login, and its tables with column and type.

    `emptied` is the table a fault leaves empty, `extra` the table and column a fault adds, `renamed` the table, the
    mandatory column a fault renames and its new heading.
    """

    system: System
    schema: str
    reader: str
    tables: Mapping[str, Mapping[str, str]]
    refresh_table: str
    emptied: str
    extra: tuple[str, str]
    renamed: tuple[str, str, str]


@dataclass(slots=True)
class NightPlan:
    """What each night shows: faults by night, from which night a column stays renamed, and folders by first night.

    A folder that holds a single state (a trial load) is read as its night 0; `live` is read by night.
    """

    nights: int
    faults: dict[str, str] = field(default_factory=dict)
    renamed_from: int | None = None
    folders: list[tuple[int, str]] = field(default_factory=lambda: [(0, "live")])

    def folder(self, night: int) -> str:
        """The folder whose tables that night shows."""
        return [name for first, name in self.folders if first <= night][-1]


def write_tables(folder: Path, tables: Mapping[str, Any], columns: Mapping[str, Mapping[str, str]]) -> None:
    """Write each table with its rows' nights (`rows`, `first`, `end` of `tables`), one Parquet file each."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    folder.mkdir(parents=True, exist_ok=True)
    for name, typed in columns.items():
        table = tables[name]
        arrays = {c: pa.array([row.get(c) for row in table.rows], arrow_type(tag)) for c, tag in typed.items()}
        arrays |= {"_first": pa.array(table.first, pa.int16()), "_end": pa.array(table.end, pa.int16())}
        pq.write_table(pa.table(arrays), folder / f"{name}.parquet")


def write_plan(
    world: World, supply: Path, system: System, names: Sequence[str], folders: list[tuple[int, str]]
) -> None:
    """Write what each night shows and log its faults (D91); `names` are the snapshots' names by night."""
    faults = {night: kind for night, kind in world.faults_of(system).items() if 0 < night <= world.nights}
    renamed = min((night for night, kind in faults.items() if kind == "renamed_column"), default=None)
    plan = NightPlan(world.nights, {str(night): kind for night, kind in faults.items()}, renamed, folders)
    (supply / system / PLAN).write_text(json.dumps(asdict(plan)), encoding="utf-8")
    for told in (supply / system).glob("told_*"):
        told.unlink()
    for night, kind in sorted(faults.items()):
        world.defects.append(Defect("D91", system, names[night], names[night], kind, night))


def night_rows(supply: Path, system: str, night: int, table: str) -> pa.Table:
    """The rows a table holds on a night, faults of that night left out.

    Raises:
        FileNotFoundError: when the night was not written.
    """
    import pyarrow.parquet as pq

    plan = _plan(supply / system, night)
    is_live = (folder := plan.folder(night)) == "live"
    path = supply / system / folder / f"{table}.parquet"
    at = night if is_live else 0
    found = pq.read_table(path, filters=[("_first", "<=", at), ("_end", ">", at)])
    return found.drop_columns(["_first", "_end"])


def rebuild(kit: Kit, supply: Path, night: int, admin_url: str, *, half_filled: bool = False) -> None:
    """Make the database hold what `night` holds; it and its read-only login are made when missing.

    A night with a fault shows it the first time and is right the second time; a column once renamed stays renamed.

    Args:
        kit: which database.
        supply: the folder the door's `write` filled.
        night: which night to load.
        admin_url: address of the database, for a user who may create schemas (and roles, the first time).
        half_filled: leave it as it looks in the middle of the rebuild window: no refresh stamp, every table in place,
            the later half of them half filled.

    Raises:
        FileNotFoundError: when the night was not written.
        adbc_driver_manager.Error: when the database refuses, for instance because a reader holds it too long.
    """
    home = supply / kit.system
    plan = _plan(home, night)
    told = home / f"told_{night}"
    fault = plan.faults.get(str(night), "") if not told.exists() else ""
    told.touch()
    if fault == "missing":
        return
    shown = night - {"duplicated": 1, "out_of_order": 2}.get(fault, 0)
    address = admin_url.replace("postgresql+psycopg://", "postgresql://", 1)
    _make_database(address)
    from adbc_driver_postgresql import dbapi

    with closing(dbapi.connect(address)) as connection:
        _prepare(connection, kit)
        for place, table in enumerate(kit.tables):
            rows = _stamped(kit, supply, shown) if table == kit.refresh_table else _of(kit, supply, shown, table)
            if half_filled and table == kit.refresh_table:
                continue
            if (half_filled or fault == "truncated") and table != kit.refresh_table and place * 2 >= len(kit.tables):
                rows = rows.slice(0, len(rows) // 2)
            if fault == "empty" and table == kit.emptied:
                continue
            _ingest(connection, kit, table, rows)
        _run(connection, _headings(kit, extra=fault == "extra_column", plan=plan, night=night))
        _swap(connection, kit)
        connection.commit()


def _of(kit: Kit, supply: Path, night: int, table: str) -> Any:
    return night_rows(supply, kit.system, night, table)


def _stamped(kit: Kit, supply: Path, night: int) -> Any:
    """The refresh stamp belongs to the night, whichever state is loaded."""
    import pyarrow.parquet as pq

    path = supply / kit.system / "live" / f"{kit.refresh_table}.parquet"
    found = pq.read_table(path, filters=[("_first", "<=", night), ("_end", ">", night)])
    return found.drop_columns(["_first", "_end"])


def _plan(home: Path, night: int) -> NightPlan:
    if not (home / PLAN).is_file():
        raise FileNotFoundError(f"{home}: nothing was written here; run the simulator first")
    raw = json.loads((home / PLAN).read_text(encoding="utf-8"))
    plan = NightPlan(**{**raw, "folders": [(int(first), str(name)) for first, name in raw["folders"]]})
    if not 0 <= night <= plan.nights:
        raise FileNotFoundError(f"{home}: night {night} was not written; run the simulator first")
    return plan


def _headings(kit: Kit, *, extra: bool, plan: NightPlan, night: int) -> list[str]:
    statements = []
    if extra:
        table, column = kit.extra
        statements.append(f"alter table {_next(kit)}.{_quoted(table)} add {_quoted(column)} text default 'POST'")
    if plan.renamed_from is not None and night >= plan.renamed_from:
        table, column, new = kit.renamed
        statements.append(f"alter table {_next(kit)}.{_quoted(table)} rename {_quoted(column)} to {_quoted(new)}")
    return statements


def arrow_type(tag: str) -> pa.DataType:
    """How a column of that type is kept on disk."""
    import pyarrow as pa

    kinds: dict[str, Any] = {"int": pa.int32(), "bigint": pa.int64(), "datetime": pa.timestamp("us")}
    return kinds.get(tag) or (pa.decimal128(18, 2) if tag.startswith("numeric") else pa.string())


def _postgres_type(tag: str) -> str:
    known = {"int": "integer", "bigint": "bigint", "datetime": "timestamp"}
    return known.get(tag) or (tag if tag.startswith("numeric") else "text")


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


def _prepare(connection: Connection, kit: Kit) -> None:
    statements = [
        f"set local lock_timeout = '{_PATIENCE}'",
        f"do $$ begin if not exists (select from pg_roles where rolname = '{kit.reader}') then "
        f"create role {kit.reader} login; end if; end $$",
        f"alter role {kit.reader} set default_transaction_read_only = on",
        "revoke create on schema public from public",
        f"drop schema if exists {_next(kit)} cascade",
        f"create schema {_next(kit)}",
    ]
    for table, columns in kit.tables.items():
        listed = ", ".join(f"{_quoted(name)} {_postgres_type(tag)}" for name, tag in columns.items())
        statements.append(f"create table {_next(kit)}.{_quoted(table)} ({listed})")
    _run(connection, statements)


def _ingest(connection: Connection, kit: Kit, table: str, rows: Any) -> None:
    if len(rows):
        with connection.cursor() as cursor:
            cursor.adbc_ingest(table, rows, mode="append", db_schema_name=f"{kit.schema}_next")


def _swap(connection: Connection, kit: Kit) -> None:
    _run(
        connection,
        [
            f"grant usage on schema {_next(kit)} to {kit.reader}",
            f"grant select on all tables in schema {_next(kit)} to {kit.reader}",
            f"drop schema if exists {_quoted(kit.schema)} cascade",
            f"alter schema {_next(kit)} rename to {_quoted(kit.schema)}",
        ],
    )


def _next(kit: Kit) -> str:
    return _quoted(f"{kit.schema}_next")


def _run(connection: Connection, statements: list[str]) -> None:
    with connection.cursor() as cursor:
        for statement in statements:
            cursor.execute(statement)


def _quoted(name: str) -> str:
    """An SQL name in quotes; the names are our own constants or the operator's database name."""
    doubled = name.replace('"', '""')
    return f'"{doubled}"'
