"""A reporting database rebuilt every night, taken one snapshot at a time: what Liquidlogic and ContrOCC have in common.

A snapshot is named by the database's own refresh stamp. Small tables are read whole; large ones by the moment their
rows changed, with an overlap, and once a week by their keys, because deleted rows simply vanish.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Final

from connectors import database_statements as statements
from connectors.base import DeliveryMode, DeliveryProblem, LandedDelivery, NotLiveYet, Past, TableMode
from connectors.database import Access, Content, DatabaseSession, open_database
from connectors.database_guards import Guards
from connectors.database_reading import TableReader
from connectors.door import entering, lets_somebody_in, people_first
from connectors.spec import TableSpec, table_specs
from domain.periods import LONDON
from domain.run import Finding, RunState

_WEEK: Final = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Habits:
    """What is true of every site of one supplier.

    `refresh` is the table and column of the refresh stamp, `load_number` the column that is filled while the tables
    hold a trial load. Tables whose names begin with `by_change` are read by `changed`. `people` is the table and key
    column that facts point to under the same column name.
    """

    supplier: str
    refresh: tuple[str, str]
    load_number: str = ""
    by_change: str = ""
    changed: str = ""
    people: tuple[str, str] = ("", "")
    not_read: frozenset[str] = frozenset()
    answers: statements.Answers | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """How one source is read. `keys_weekday` counts from Monday, 0; no snapshot before `live_from` is taken."""

    habits: Habits
    access: Access
    keys_weekday: int = 6
    overlap: timedelta = timedelta(days=3)
    accepted: frozenset[str] = frozenset()
    live_from: date | None = None

    @property
    def specs(self) -> Mapping[str, TableSpec]:
        return table_specs(self.habits.supplier)

    def is_read_by_change(self, spec: TableSpec) -> bool:
        prefix = self.habits.by_change
        return bool(prefix) and spec.table.startswith(prefix)


@dataclass(frozen=True, slots=True)
class DatabaseConnector:
    """Looks at the database."""

    plan: Plan

    def discover(self, past: Past) -> Iterable[Snapshot]:
        """The one snapshot the database holds now.

        Raises:
            DeliveryProblem: held, when it cannot be reached or is being rebuilt.
        """
        with open_database(self.plan.access) as session:
            stamp, load_number = refreshed_at(session, self.plan)
            headings = headings_of(session, self.plan)
            changed = self.plan.habits.changed
            contents = {t: session.content(s, headings[t], changed) for t, s in self.plan.specs.items()}
            return [Snapshot(self.plan, stamp, load_number, contents, session.layout_of(list(self.plan.specs)))]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The database as one rebuild left it."""

    plan: Plan
    refreshed_at: datetime  # the database's local time
    load_number: int | None  # None in live running
    contents: dict[str, Content]
    layout: dict[str, list[str]]  # every table's columns and their types

    @property
    def name(self) -> str:
        return self.refreshed_at.isoformat(timespec="seconds")

    @property
    def as_known_at(self) -> datetime:
        return self.refreshed_at.replace(tzinfo=LONDON)

    def content_hash(self) -> str:
        """A hash over the refresh stamp, every table's fingerprint and layout: it knows a night again (F12, F13).

        The layout counts, because a night refused for a column (F28) is another one when its supplier has mended it.
        """
        facts = [self.refreshed_at.isoformat(), *(f"{name} {found}" for name, found in sorted(self.contents.items()))]
        facts += [f"{name} {columns}" for name, columns in sorted(self.layout.items())]
        return hashlib.sha256("\n".join(facts).encode()).hexdigest()

    def land(self, area: Path, past: Past) -> LandedDelivery:
        """Read the snapshot: keep what was read as it was read, write one landed table for each table.

        Raises:
            DeliveryProblem: held when it holds a trial load, is being rebuilt, has changed since it was discovered, or
                its volume is far from usual; refused when a mandatory column is missing or holds another type.
        """
        self._refuse_trial_loads()
        guards = Guards(self.plan.specs, self.plan.access.noun, self.name, self.name in self.plan.accepted)
        if past.last_known_at is None or self.as_known_at > past.last_known_at:
            volumes = {table: content.rows for table, content in self.contents.items()}
            guards.compare_volumes(volumes, past.last_records, self.plan.habits.people[0])
        folder = area / "tables" / self.plan.access.source / self.content_hash()[:32]
        entering(self.as_known_at)
        try:
            with open_database(self.plan.access) as session:
                self._prove_unchanged(session)
                headings = headings_of(session, self.plan)
                guards.prove_people_are_there(session, headings, *self.plan.habits.people)
                habits = self.plan.habits
                reader = TableReader(session, area, folder, headings, habits.not_read, habits.answers)
                changed = self.plan.habits.changed
                landed = [
                    reader.read(s, mode, (changed, since) if since else None) for s, mode, since in self._reads(past)
                ]
                self._prove_unchanged(session)
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # half a night is never visible (F23)
            raise
        since = self._since(past)
        files, tables = tuple(file for file, _ in landed), tuple(table for _, table in landed)
        by_change = bool(self.plan.habits.by_change)
        mode: DeliveryMode = "delta" if since and by_change else "bulk" if by_change or self._is_old(past) else "full"
        window_from = since.replace(tzinfo=LONDON) if since and by_change else None
        return LandedDelivery(mode, window_from, self.as_known_at, files, tables)

    def _reads(self, past: Past) -> Iterator[tuple[TableSpec, TableMode, datetime | None]]:
        """What to read of each table: in which mode and, for large ones, changed since when.

        When the people, who are read first, tell of an adult who was left out as a child, facts are read whole: those
        of that person have not changed since.
        """
        since, is_whole = self._since(past), None
        specs = people_first(self.plan.specs).values()
        for spec in specs:
            if since is not None and self.plan.is_read_by_change(spec):
                is_whole = lets_somebody_in() if is_whole is None else is_whole
                yield (spec, "bulk", None) if is_whole else (spec, "delta", since)
            else:  # a snapshot older than what we know only fills history: it may end nothing (CTL-15)
                yield spec, "bulk" if self._is_old(past) else "full", None
        if self._keys_are_due(past):
            for spec in specs:
                if self.plan.is_read_by_change(spec):
                    yield spec, "keys", None

    def _is_old(self, past: Past) -> bool:
        return past.last_known_at is not None and self.as_known_at <= past.last_known_at

    def _since(self, past: Past) -> datetime | None:
        """From when on changed rows are read; None for all of them: at first, and for an older snapshot."""
        if past.last_known_at is None or self._is_old(past):
            return None
        return past.last_known_at.astimezone(LONDON).replace(tzinfo=None) - self.plan.overlap

    def _keys_are_due(self, past: Past) -> bool:
        if self._since(past) is None:
            return False
        last = past.last_keys_read_at
        missed = last is not None and self.as_known_at - last >= _WEEK
        return missed or self.refreshed_at.weekday() == self.plan.keys_weekday

    def _refuse_trial_loads(self) -> None:
        """Before go-live the tables hold stale copies of the old system's records (sources hand-book 6.4)."""
        live_from = self.plan.live_from
        if live_from is None or (self.load_number is None and self.refreshed_at.date() >= live_from):
            return
        loaded = "" if self.load_number is None else f", it holds trial load {self.load_number}"
        finding = Finding(
            "NOT_LIVE",
            f"{self.plan.access.source}: {self.plan.access.noun} is not live before {live_from.isoformat()}{loaded}",
            "nothing to do: snapshots are taken from that day on; change live_from if go-live moved",
        )
        raise NotLiveYet(finding)

    def _prove_unchanged(self, session: DatabaseSession) -> None:
        if refreshed_at(session, self.plan)[0] != self.refreshed_at:
            raise being_rebuilt(self.plan, "it was refreshed while it was read")


def refreshed_at(session: DatabaseSession, plan: Plan) -> tuple[datetime, int | None]:
    """When the last rebuild was complete, in the database's local time, and the trial load it holds, if any.

    Raises:
        DeliveryProblem: held, while there is no stamp: the tables are being rebuilt.
    """
    table, column = plan.habits.refresh
    heading = session.columns_of([table]).get(table, [])
    if column not in heading:
        raise being_rebuilt(plan, f"table {table} is not there")
    stamp: datetime | None = session.value(statements.stamp(plan.access.schema, table, column))
    if stamp is None:
        raise being_rebuilt(plan, "there is no refresh stamp")
    if plan.habits.load_number not in heading:
        return stamp, None
    number = session.value(statements.highest(plan.access.schema, table, plan.habits.load_number))
    return stamp, None if number is None else int(number)


def headings_of(session: DatabaseSession, plan: Plan) -> dict[str, list[str]]:
    """The columns each specified table has at the moment.

    Raises:
        DeliveryProblem: held, when a table is not there.
    """
    headings = session.columns_of(list(plan.specs))
    if missing := [table for table in plan.specs if table not in headings]:
        raise being_rebuilt(plan, f"table {', '.join(missing)} is not there")
    return headings


def being_rebuilt(plan: Plan, what: str) -> DeliveryProblem:
    """The tables as they look in their rebuild window (sources hand-book 3.5)."""
    finding = Finding(
        "MART_BEING_REBUILT",
        f"{plan.access.noun} is being rebuilt: {what}",
        "run again after the rebuild window; if it lasts, ask the supplier's operations",
    )
    return DeliveryProblem(RunState.HELD, finding)
