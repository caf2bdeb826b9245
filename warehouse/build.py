"""Brings the core tables up to date: each file of `core/` says what one table should hold now; what it held is kept.

The order matters once only: every event gets its lasting internal number before any table refers to it. All of it
happens inside the caller's transaction, so that readers never see half a build (governance CTL-7).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from governance.history import StateCounts, apply_state

if TYPE_CHECKING:
    from sqlalchemy import Connection


@dataclass(frozen=True, slots=True)
class CoreTable:
    """One table of the core zone, filled by the file of its name; `key` tells its current rows apart."""

    name: str
    key: str
    is_event: bool = True

    @property
    def target(self) -> str:
        return f"core.{self.name}"


EVENTS = ("request", "assessment", "review", "service", "characteristic", "caring", "referral", "contact")
TABLES = (
    CoreTable("person", "person_id", is_event=False),
    CoreTable("identity", "source_record_id", is_event=False),
    CoreTable("same_event", "event_id", is_event=False),  # before the events, which ask it
    *(CoreTable(name, "event_id") for name in EVENTS),
)


def apply_core(connection: Connection, moment: datetime) -> dict[str, StateCounts]:
    """Make the current rows of every core table what the identity and payload zones say now.

    A row that differs is closed at `moment` and its new version opened there; a row that is only newly confirmed by a
    later extract line stays as it is. Returns what became of the rows, by table.
    """
    if number_events(connection):
        refresh_statistics(connection, "core")
    has_former_work = write_former_work(connection)
    return {
        table.name: _apply(connection, table, moment, without_former_work=has_former_work and table.name in EVENTS)
        for table in TABLES
    }


def number_events(connection: Connection) -> int:
    """Give each event that has none its internal number; returns how many were given."""
    return connection.exec_driver_sql("insert into core.event (kind, source, event_key) " + select_of("event")).rowcount


def write_former_work(connection: Connection) -> bool:
    """Make `core.former_work` say what of the work delivered now is that of a key's former bearer; is there any?

    Asks nothing of the events where no key ever had a second bearer (governance F47).
    """
    connection.exec_driver_sql("delete from core.former_work")
    if not connection.exec_driver_sql("select exists (select from identity.new_bearer)").scalar_one():
        return False
    columns = "event_id, kind, source, event_key, person_id, cared_for_person_id, is_withheld"
    return (
        connection.exec_driver_sql(f"insert into core.former_work ({columns}) {select_of('former_work')}").rowcount > 0
    )


def refresh_statistics(connection: Connection, *zones: str) -> None:
    """Tell the planner how large the tables of `zones` have become; loads do not do it by themselves in time."""
    for zone in zones:
        connection.exec_driver_sql("select ledger.refresh_statistics(%(zone)s)", {"zone": zone})


@cache
def select_of(name: str) -> str:
    """The select that says what the core table `name` should hold."""
    return (files(__package__) / "core" / f"{name}.sql").read_text(encoding="utf-8")


def _apply(connection: Connection, table: CoreTable, moment: datetime, *, without_former_work: bool) -> StateCounts:
    select = select_of(table.name)
    columns = tuple(connection.exec_driver_sql(f"select * from ({select}) s limit 0").keys())
    return apply_state(
        connection,
        target=table.target,
        state_sql=_given_back(select, columns) if without_former_work else select,
        columns=columns,
        key=(table.key,),
        as_known_at=moment,
        ignore_in_digest=("landed_version_id",),
    )


def _given_back(select: str, columns: tuple[str, ...]) -> str:
    """The events of `select` with the work of former bearers under their own person, and without what is withheld."""
    people = ("person_id", "cared_for_person_id")
    shown = (f"coalesce(former.{c}, shown.{c}) as {c}" if c in people else f"shown.{c}" for c in columns)
    return f"""select {", ".join(shown)} from ({select}) as shown
                 left join core.former_work as former on former.event_id = shown.event_id
                where former.is_withheld is not true"""
