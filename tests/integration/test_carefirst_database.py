"""CareFirst read by SQL: a real server plays the Oracle account, and what lands is what the dump would have brought."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pyarrow.parquet as pq
import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import oracle

from connectors.base import LandedDelivery, Past
from connectors.carefirst.connector import make
from connectors.carefirst.database import CareFirstDatabase, _as_dumped
from connectors.spec import TableSpec, table_specs
from domain.profile import Profile
from domain.run import RunState
from tests.support.carefirst_world import Desk, collect, event, person, record, rows, world

_TYPES = {"id": "numeric(10)", "number": "numeric", "date": "date", "moment": "timestamp"}
_READ = {
    "date": "to_date(nullif(%s, ''), 'DD-MON-YYYY')",
    "moment": "to_timestamp(nullif(%s, ''), 'DD/MM/YYYY HH24:MI:SS')",
}


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    desk = Desk(tmp_path)
    happened = [event(1, "request"), event(2, "service"), event(3, "review"), event(4, "assessment", of=2)]
    desk.write(world([person(1), person(2)], [record(1), record(2)], happened, nights=0))
    desk.release(0)
    return desk


@pytest.fixture
def oracle_account(cluster: Any, desk: Desk) -> Iterator[str]:
    """A database with the tables of the dump, typed; its address."""
    name = f"cf_{abs(hash(str(desk.home))) % 10**8}"
    with psycopg.connect(cluster.admin_url, autocommit=True) as connection:
        connection.execute(f"create database {name}")
    with psycopg.connect(cluster.url(name, "admin")) as connection:
        connection.execute("create schema carefirst")
        for spec in table_specs("carefirst").values():
            _fill(connection, spec, desk.file(spec.table.removeprefix("CF_")))
    yield cluster.url(name, "admin")


def _fill(connection: Any, spec: TableSpec, dump: Path) -> None:
    columns = ", ".join(f"{c.name.lower()} {_TYPES.get(c.tag, 'varchar(4000)')}" for c in spec.columns)
    connection.execute(f"create table carefirst.{spec.table.lower()} ({columns})")
    places = ", ".join(
        _READ.get(c.tag, "nullif(%s, '')::numeric" if c.tag in _TYPES else "nullif(%s, '')") for c in spec.columns
    )
    with dump.open(encoding="cp1252", newline="") as handle:
        for row in csv.DictReader(handle, delimiter="|"):
            values = [row[c.name] for c in spec.columns]
            connection.execute(f"insert into carefirst.{spec.table.lower()} values ({places})", values)


def by_url(database: Profile, url: str) -> Profile:
    source = replace(database.source("carefirst"), options={"url": url})
    return replace(database, sources=(source,))


def content(landed: LandedDelivery) -> dict[str, list[tuple[str, ...]]]:
    found = {}
    for table in landed.tables:
        rows = pq.read_table(table.parquet).drop_columns(["landed_line"]).to_pylist()
        found[table.dataset] = sorted(tuple(str(value or "") for value in row.values()) for row in rows)
    return found


def test_what_is_read_by_sql_is_what_the_dump_brings(database: Profile, desk: Desk, oracle_account: str) -> None:
    (dump,) = make(database, database.source("carefirst")).discover(Past())
    asked = by_url(database, oracle_account)
    connector = make(asked, asked.source("carefirst"))
    assert isinstance(connector, CareFirstDatabase)
    (snapshot,) = connector.discover(Past())
    by_file, by_sql = dump.land(desk.home / "a", Past()), snapshot.land(desk.home / "b", Past())
    assert content(by_sql) == content(by_file)
    assert {file.path.stat().st_mode & 0o777 for file in by_sql.files} == {0o400}


def test_the_account_is_read_once_a_day_and_a_lost_table_holds_the_night(
    database: Profile, desk: Desk, oracle_account: str
) -> None:
    asked = by_url(database, oracle_account)
    assert collect(asked).state is RunState.DONE
    again = collect(asked)
    assert (again.counts["deliveries"], again.counts["repeats"]) == (0, 1)
    assert [r["mode"] for r in rows(asked, "select distinct mode from ledger.landed_table")] == ["full"]
    with psycopg.connect(oracle_account) as connection:
        connection.execute("delete from carefirst.cf_person")
    shrunk = collect(asked)
    assert (shrunk.state, shrunk.findings[0].code) == (RunState.HELD, "SHRANK")
    with psycopg.connect(oracle_account) as connection:
        connection.execute("drop table carefirst.cf_activity")
    lost = collect(asked)
    assert (lost.state, lost.findings[0].code) == (RunState.HELD, "TABLE_MISSING")
    assert "CF_ACTIVITY" in lost.findings[0].message and oracle_account not in lost.findings[0].message


def test_the_statements_are_oracles_own() -> None:
    spec = table_specs("carefirst")["CF_ACTIVITY"]
    columns = {c.field: c.name for c in spec.columns}
    statement = _as_dumped("carefirst", spec, columns, {c.field: c.tag for c in spec.columns})
    text = str(statement.compile(dialect=oracle.dialect(), compile_kwargs={"literal_binds": True}))
    assert "to_char(carefirst.cf_activity.start_date, 'DD/MM/YYYY HH24:MI:SS')" in text
    assert "FROM carefirst.cf_activity ORDER BY carefirst.cf_activity.activity_id" in text
    assert "FROM DUAL" in str(sa.select(sa.func.current_timestamp()).compile(dialect=oracle.dialect()))
