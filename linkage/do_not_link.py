"""The do-not-link list: records, or pairs of records, that a named officer keeps out of every matching step.

An entry stands above verified numbers, notices and reviewers, is read anew by every run, and is struck off, never
deleted (governance PRO-4).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from domain.run import RunContext, RunResult
from governance.acts import Told, act_as_linker
from governance.records_named import NotTaken, plain, record_number

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TOLD = Told(
    "do_not_link",
    "entry",
    "LIST_CHANGED",
    "LIST_REFUSED",
    "entry {} of the do-not-link list",
    "the next link run follows",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is kept; `other` is empty for a record that joins nobody, `ended_at` while it is in force."""

    number: int
    record: int
    other: int | None
    officer: str
    reason: str
    listed_at: datetime
    ended_at: datetime | None
    ended_by: str


def keep_apart(context: RunContext, record: str, other: str | None, *, officer: str, reason: str) -> RunResult:
    """Put a record (`source:key`) on the list: never with `other`, or with no other record at all.

    The next link run follows it. Ends `refused`, with the reason, without an officer or a reason or for an unknown
    record.
    """
    return act_as_linker(context, lambda connection: _put(connection, record, other, officer, reason), _TOLD)


def strike_off(context: RunContext, entry: int, *, officer: str) -> RunResult:
    """End an entry; it stays on record with who ended it. Ends `refused` when there is none in force."""
    return act_as_linker(context, lambda connection: _end(connection, entry, officer), _TOLD)


def entries(connection: Connection, *, only_in_force: bool = True) -> tuple[Entry, ...]:
    """The list, oldest entry first."""
    rows = connection.exec_driver_sql(
        """select entry_id, source_record_id, other_record_id, officer, reason, listed_at, ended_at, ended_by
             from identity.do_not_link where ended_at is null or not %(now)s order by entry_id""",
        {"now": only_in_force},
    )
    return tuple(Entry(*row) for row in rows)


def _put(connection: Connection, record: str, other: str | None, officer: str, reason: str) -> tuple[int, str]:
    officer, reason = plain(officer, "the officer"), plain(reason, "the reason")
    numbers = sorted(record_number(connection, name) for name in (record, other) if name is not None)
    if len(set(numbers)) < len(numbers):
        raise NotTaken("a pair is two different records")
    facts = {"record": numbers[0], "other": numbers[1] if len(numbers) > 1 else None, "who": officer, "why": reason}
    entry = connection.exec_driver_sql(
        """insert into identity.do_not_link (source_record_id, other_record_id, officer, reason)
           values (%(record)s, %(other)s, %(who)s, %(why)s) returning entry_id""",
        facts,
    ).scalar_one()
    return int(entry), "was made"


def _end(connection: Connection, entry: int, officer: str) -> tuple[int, str]:
    officer = plain(officer, "the officer")
    done = connection.exec_driver_sql(
        """update identity.do_not_link set ended_at = clock_timestamp(), ended_by = %(who)s
            where entry_id = %(entry)s and ended_at is null""",
        {"who": officer, "entry": entry},
    )
    if done.rowcount != 1:
        raise NotTaken("there is no such entry in force")
    return entry, "was struck off"
