"""Liquidlogic's door: a reporting mart rebuilt every night, read through a read-only login.

One delivery is one snapshot, named by the mart's own refresh stamp. `DIM_` tables are read whole; facts by the moment
they changed, with an overlap; once a week the keys of all facts are read, because deleted rows simply vanish.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from connectors.base import DeliveryMode, DeliveryProblem, LandedDelivery, LandedTable, Past, RawFile, TableMode
from connectors.drift import columns_by_field
from connectors.landing import TableWriter, keep
from connectors.liquidlogic.mart import (
    Content,
    MartSession,
    arrow_schema,
    as_text,
    being_rebuilt,
    open_mart,
    write_rows,
)
from connectors.liquidlogic.statements import CHANGED, key_columns
from connectors.spec import TableSpec, table_specs
from domain.profile import Profile, ProfileError, SourceSettings
from domain.run import Finding, RunState

SUPPLIER: Final = "liquidlogic"

#: A table may lose this share of its rows overnight, or this many rows if that is more (small tables); sources 3.5.
SHRINK_SHARE: Final = 0.05
SHRINK_ROWS: Final = 10

#: Columns the mart has and OneStory never reads: case-note text (sources 15).
NOT_READ: Final = frozenset({"OUTCOME_COMMENTS"})

_LONDON: Final = ZoneInfo("Europe/London")
_WEEK: Final = timedelta(days=7)
_DAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_NEVER_EMPTY: Final = frozenset({"DIM_PERSON"})


@dataclass(frozen=True, slots=True)
class MartSettings:
    """How the mart is read.

    `keys_weekday` counts from Monday, 0. `shrink_accepted` names snapshots (2026-03-30T04:17:00) whose shrinking a
    person has looked at and accepted.
    """

    source: str
    url: str
    schema: str = "Adult_Social"
    keys_weekday: int = 6
    overlap: timedelta = timedelta(days=3)
    shrink_accepted: frozenset[str] = frozenset()


def make(profile: Profile, source: SourceSettings) -> LiquidlogicConnector:
    """The connector of one Liquidlogic source of a profile.

    Options of the source: `url` (address of the mart with its read-only login, without password), `schema`,
    `keys_weekday` (default sunday), `overlap_days` (default 3), `shrink_accepted` (snapshot names, comma between).

    Raises:
        ProfileError: when an option is missing or cannot be understood.
    """
    options = source.options
    weekday, overlap = options.get("keys_weekday", "sunday").strip().lower(), options.get("overlap_days", "3").strip()
    if "url" not in options:
        raise ProfileError(f"{profile.path}: source {source.name} needs the setting url, the address of the mart")
    if weekday not in _DAYS:
        raise ProfileError(f"{profile.path}: keys_weekday of {source.name} is a day of the week, in English")
    if not overlap.isdecimal():
        raise ProfileError(f"{profile.path}: overlap_days of {source.name} is a whole number of days")
    accepted = frozenset(part.strip() for part in options.get("shrink_accepted", "").split(",") if part.strip())
    settings = MartSettings(
        source.name,
        options["url"],
        options.get("schema", "Adult_Social"),
        _DAYS.index(weekday),
        timedelta(int(overlap)),
        accepted,
    )
    return LiquidlogicConnector(settings)


@dataclass(frozen=True, slots=True)
class LiquidlogicConnector:
    """Looks at the mart."""

    settings: MartSettings

    def discover(self, past: Past) -> Iterable[Snapshot]:
        """The one snapshot the mart holds now.

        Raises:
            DeliveryProblem: held, when the mart cannot be reached or is being rebuilt.
        """
        with _mart(self.settings) as mart:
            stamp, specs = mart.refreshed_at(), table_specs(SUPPLIER)
            headings = mart.headings(specs)
            contents = {table: mart.content(spec, headings[table]) for table, spec in specs.items()}
            return [Snapshot(self.settings, stamp, contents)]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The mart as one rebuild left it."""

    settings: MartSettings
    refreshed_at: datetime  # the mart's local time
    contents: dict[str, Content]

    @property
    def name(self) -> str:
        return self.refreshed_at.isoformat(timespec="seconds")

    @property
    def as_known_at(self) -> datetime:
        return self.refreshed_at.replace(tzinfo=_LONDON)

    def content_hash(self) -> str:
        """A hash over the refresh stamp and every table's fingerprint: it knows a night again (F12, F13)."""
        facts = [
            self.refreshed_at.isoformat(),
            *(f"{table} {content}" for table, content in sorted(self.contents.items())),
        ]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Read the snapshot: keep what was read as it was read, write one landed table for each mart table.

        Raises:
            DeliveryProblem: held when the mart is being rebuilt, has changed since it was discovered, or has shrunk;
                refused when a mandatory column is missing or holds another type.
        """
        self._refuse_to_shrink(past)
        folder = area / "tables" / SUPPLIER / self.content_hash()[:32]
        try:
            with _mart(self.settings) as mart:
                self._prove_unchanged(mart)
                headings = mart.headings(table_specs(SUPPLIER))
                reader = _Reader(mart, area, folder, headings)
                landed = [reader.read(*read) for read in self._reads(past)]
                self._prove_unchanged(mart)
        except DeliveryProblem:
            shutil.rmtree(folder, ignore_errors=True)
            raise
        files, tables = tuple(file for file, _ in landed), tuple(table for _, table in landed)
        since = self._since(past)
        mode: DeliveryMode = "delta" if since else "bulk"
        return LandedDelivery(mode, since.replace(tzinfo=_LONDON) if since else None, self.as_known_at, files, tables)

    def _reads(self, past: Past) -> Iterator[tuple[TableSpec, TableMode, datetime | None]]:
        """What to read of each table: in which mode and, for facts, changed since when."""
        since = self._since(past)
        is_newest = past.last_known_at is None or self.as_known_at > past.last_known_at
        specs = table_specs(SUPPLIER)
        for spec in specs.values():
            if since is not None and _is_fact(spec):
                yield spec, "delta", since
            else:  # a snapshot older than what we know only fills history: it may end nothing (CTL-15)
                yield spec, "full" if is_newest else "bulk", None
        if self._keys_are_due(past):
            for spec in specs.values():
                if _is_fact(spec):
                    yield spec, "keys", None

    def _since(self, past: Past) -> datetime | None:
        """From when on changed facts are read; None for all of them: at first, and for an older snapshot."""
        if past.last_known_at is None or self.as_known_at <= past.last_known_at:
            return None
        return past.last_known_at.astimezone(_LONDON).replace(tzinfo=None) - self.settings.overlap

    def _keys_are_due(self, past: Past) -> bool:
        if self._since(past) is None:
            return False
        last = past.last_keys_read_at
        missed = last is not None and self.as_known_at - last >= _WEEK
        return missed or self.refreshed_at.weekday() == self.settings.keys_weekday

    def _refuse_to_shrink(self, past: Past) -> None:
        """Hold a snapshot in which a table lost more rows than a night explains: each would count as a deletion."""
        if self.name in self.settings.shrink_accepted or (
            past.last_known_at and self.as_known_at <= past.last_known_at
        ):
            return
        for table, spec in table_specs(SUPPLIER).items():
            before, now = past.last_records.get(spec.dataset, 0), self.contents[table].rows
            emptied = now == 0 and (before > 0 or table in _NEVER_EMPTY)
            if emptied or before - now > max(SHRINK_ROWS, SHRINK_SHARE * before):
                finding = Finding(
                    "SHRANK",
                    f"{table}: {now} rows after {before}",
                    f"ask the supplier's operations; if it is right, add {self.name} to the source's shrink_accepted",
                )
                raise DeliveryProblem(RunState.HELD, finding)

    def _prove_unchanged(self, mart: MartSession) -> None:
        if mart.refreshed_at() != self.refreshed_at:
            raise being_rebuilt("it was refreshed while it was read")


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads tables of one snapshot into the landing area."""

    mart: MartSession
    area: Path
    folder: Path
    headings: dict[str, list[str]]

    def read(self, spec: TableSpec, mode: TableMode, since: datetime | None) -> tuple[RawFile, LandedTable]:
        """Read a table, keep the original, write the landed table."""
        heading = [name for name in self.headings[spec.table] if name not in NOT_READ]
        positions, findings = columns_by_field(heading, spec)
        if mode == "keys":
            columns, findings = key_columns(spec), ()
            return self._write(spec, mode, self.mart.keys_of(spec), columns, spec.key, findings)
        names = {column.field: column.name for column in spec.columns}
        fields = [field for field in spec.fields if field in positions]
        columns = [names[field] for field in fields]
        if since is not None and CHANGED not in columns:
            since = None
        statement = self.mart.statements_for(spec, columns, since)
        return self._write(spec, mode, statement, columns, fields, findings)

    def _write(
        self,
        spec: TableSpec,
        mode: TableMode,
        statement: sa.Select[tuple[object, ...]],
        columns: Sequence[str],
        fields: Sequence[str],
        findings: tuple[Finding, ...],
    ) -> tuple[RawFile, LandedTable]:
        suffix = ".keys" if mode == "keys" else ""
        original = self.folder / f"{spec.table}{suffix}.parquet"
        parquet = self.folder / f"{spec.dataset}{suffix}.parquet"
        schema = arrow_schema(spec, columns)
        with TableWriter(parquet, spec, fields if mode == "keys" else None) as writer:
            for batch in write_rows(original, self.mart.batches(statement, schema), schema):
                writer.write({f: as_text(v) for f, v in zip(fields, batch.columns, strict=True)}, batch.num_rows)
        file = replace(keep(original, self.area, original.name), records=writer.records)
        original.unlink()
        return file, LandedTable(spec.dataset, original.name, parquet, writer.records, mode, findings)


def _mart(settings: MartSettings) -> AbstractContextManager[MartSession]:
    return open_mart(settings.url, settings.schema, settings.source)


def _is_fact(spec: TableSpec) -> bool:
    return spec.table.startswith("FACT_")
