"""CareFirst asked directly: the same tables by SQL from the Oracle reporting account, once a night, one connection.

Every value is asked for as text in the dump's own style, so that rows read this way and rows of a dump are the same
rows. Table names and the account are assumptions like the layout itself (sources hand-book 5.1, 5.2).
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import sqlalchemy as sa

from connectors.base import DeliveryProblem, LandedDelivery, LandedTable, Past, RawFile
from connectors.database import Access, DatabaseSession, arrow_schema, open_database
from connectors.database_reading import kept_batches
from connectors.database_statements import AS_TEXT
from connectors.door import entering, people_first
from connectors.drift import columns_by_field
from connectors.landing import TableWriter, keep
from connectors.spec import TableSpec, table_specs
from connectors.volumes import compare_volumes
from domain.periods import LONDON, london
from domain.run import Finding, RunState

SOURCE: Final = "carefirst"
SCHEMA: Final = "carefirst"
_STYLES: Final = {"date": "DD-MON-YYYY", "moment": "DD/MM/YYYY HH24:MI:SS"}
_LONGEST: Final = 4000


@dataclass(frozen=True, slots=True)
class CareFirstDatabase:
    """Looks at the reporting account. `accepted`: days (yyyymmdd) whose volume a person has looked at and accepted."""

    access: Access
    accepted: frozenset[str] = frozenset()

    def discover(self, past: Past) -> list[CareFirstSnapshot]:
        """What the database holds now: one delivery a day, and again only when rows came or went since.

        Raises:
            DeliveryProblem: held, when it cannot be reached or a table is not there.
        """
        with open_database(self.access) as session:
            headings = _headings(session, self.access)
            told: Any = session.value(sa.select(sa.func.current_timestamp()))
            counts = {table: int(session.value(_counted(table, self.access.schema))) for table in headings}
        moment = told.astimezone(UTC) if told.tzinfo else london(told)
        return [CareFirstSnapshot(self, moment, counts, headings)]


@dataclass(frozen=True, slots=True)
class CareFirstSnapshot:
    """The tables as one read-only transaction sees them."""

    source: CareFirstDatabase
    as_known_at: datetime
    counts: Mapping[str, int]
    headings: Mapping[str, Sequence[str]]

    @property
    def stamp(self) -> str:
        return f"{self.as_known_at.astimezone(LONDON):%Y%m%d}"

    @property
    def name(self) -> str:
        return f"CF_{self.stamp}"

    def content_hash(self) -> str:
        """A hash over the day, how many rows each table has and its columns: one refused for a column can be mended."""
        facts = [self.stamp, *(f"{table} {rows}" for table, rows in sorted(self.counts.items()))]
        facts += [f"{table} {', '.join(columns)}" for table, columns in sorted(self.headings.items())]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Read every table: keep what was read, write the landed tables.

        Raises:
            DeliveryProblem: held when the connection is lost or the volume is far from usual; refused when a mandatory
                column is missing.
        """
        folder = area / "tables" / SOURCE / self.content_hash()[:32]
        entering(self.as_known_at)
        access = self.source.access
        try:
            with open_database(access) as session:
                headings = _headings(session, access)
                specs = people_first(table_specs(SOURCE)).values()
                landed = [_read(session, spec, headings[spec.table], area, folder) for spec in specs]
            tables = tuple(table for _, table in landed)
            if self.stamp not in self.source.accepted:
                compare_volumes(tables, past, "carefirst__person", self.stamp)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # half a night is never visible (F23)
            raise
        files = tuple(sorted((file for file, _ in landed), key=lambda file: file.name))
        return LandedDelivery("full", None, self.as_known_at, files, tables)


def _read(
    session: DatabaseSession, spec: TableSpec, heading: Sequence[str], area: Path, folder: Path
) -> tuple[RawFile, LandedTable]:
    positions, findings = columns_by_field(heading, spec)
    tags = {column.field: column.tag for column in spec.columns}
    columns = {field: heading[place] for field, place in positions.items()}
    statement = _as_dumped(session.access.schema, spec, columns, tags)
    schema = arrow_schema(dict.fromkeys(columns, AS_TEXT), spec.table)
    original, parquet = folder / f"{spec.table}.parquet", folder / f"{spec.dataset}.parquet"
    with TableWriter(parquet, spec) as writer:
        for batch in kept_batches(original, session.batches(statement, schema), schema):
            writer.write(dict(zip(columns, batch.columns, strict=True)), batch.num_rows)
    file = replace(keep(original, area, original.name), records=writer.records)
    original.unlink()
    return file, LandedTable(spec.dataset, original.name, parquet, writer.records, "full", findings)


def _as_dumped(
    schema: str, spec: TableSpec, columns: Mapping[str, str], tags: Mapping[str, str]
) -> sa.Select[tuple[Any, ...]]:
    """The rows in order of their key, every value as the dump writes it."""
    # Oracle knows its names in capitals and SQLAlchemy calls them by small letters; so does PostgreSQL.
    table = sa.table(spec.table.lower(), *(sa.column(name.lower()) for name in columns.values()), schema=schema)
    shown = [_text(table.c[name.lower()], tags.get(field, "text")).label(field) for field, name in columns.items()]
    return sa.select(*shown).order_by(*(table.c[columns[field].lower()] for field in spec.key if field in columns))


def _text(column: Any, tag: str) -> Any:
    if tag in _STYLES:
        return sa.func.to_char(column, _STYLES[tag])
    return sa.cast(column, sa.String(_LONGEST))


def _counted(table: str, schema: str) -> sa.Select[Any]:
    return sa.select(sa.func.count()).select_from(sa.table(table.lower(), schema=schema))


def _headings(session: DatabaseSession, access: Access) -> dict[str, list[str]]:
    wanted = {table.lower(): table for table in table_specs(SOURCE)}
    found = {name.lower(): columns for name, columns in session.columns_of(list(wanted)).items()}
    if missing := sorted(table for name, table in wanted.items() if name not in found):
        raise DeliveryProblem(
            RunState.HELD,
            Finding(
                "TABLE_MISSING",
                f"{access.source}: {access.noun} shows no table {', '.join(missing)}",
                f"ask {access.owner}: the reporting account may have lost a right",
            ),
        )
    return {table: [column.upper() for column in found[name]] for name, table in wanted.items()}
