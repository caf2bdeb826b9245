"""The do-not-trace list: records a named officer keeps out of number tracing altogether (governance PRO-4).

A listed record is not asked about, an answer that still arrives is not taken, and what was answered before ends; every
run applies the list anew. An entry has the time its order is for and the time we knew it; it is ended, never deleted.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

from domain.run import RunContext, RunResult
from governance.acts import Told, act_as_linker
from governance.ledger import latest_moment
from governance.records_named import NotTaken, plain, record_number

if TYPE_CHECKING:
    from sqlalchemy import Connection

_TOLD = Told(
    "do_not_trace",
    "entry",
    "LIST_CHANGED",
    "LIST_REFUSED",
    "entry {} of the do-not-trace list",
    "tracing follows at once",
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry as it is kept; `known_to` is empty while it is in force."""

    number: int
    record: int
    officer: str
    reason: str
    valid_from: date
    valid_to: date | None
    known_from: datetime
    known_to: datetime | None
    ended_by: str


def spare(
    context: RunContext,
    record: str,
    *,
    officer: str,
    reason: str,
    since: date | None = None,
    until: date | None = None,
) -> RunResult:
    """Put a record (`source:key`) on the list, for ever or `until` a day; at once what was answered before ends.

    Ends `refused`, with the reason, without an officer or a reason, for an unknown record, or for days in no order.
    """

    def act(connection: Connection) -> tuple[int, str]:
        told = {"who": plain(officer, "the officer"), "why": plain(reason, "the reason"), "until": until}
        first = since or _today(connection)
        if until is not None and until < first:
            raise NotTaken("the order ends before it begins")
        facts = told | {"record": record_number(connection, record), "since": first}
        entry = connection.exec_driver_sql(
            """insert into identity.do_not_trace (source_record_id, officer, reason, valid_from, valid_to)
               values (%(record)s, %(who)s, %(why)s, %(since)s, %(until)s) returning entry_id""",
            facts,
        ).scalar_one()
        forget_answers(connection)
        return int(entry), "was made"

    return act_as_linker(context, act, _TOLD)


def end(context: RunContext, entry: int, *, officer: str) -> RunResult:
    """End an entry; the record may be asked about again. Ends `refused` when there is none of that number in force."""

    def act(connection: Connection) -> tuple[int, str]:
        done = connection.exec_driver_sql(
            """update identity.do_not_trace set known_to = clock_timestamp(), ended_by = %(who)s
                where entry_id = %(entry)s and known_to is null""",
            {"who": plain(officer, "the officer"), "entry": entry},
        )
        if done.rowcount != 1:
            raise NotTaken("there is no such entry in force")
        return entry, "was ended"

    return act_as_linker(context, act, _TOLD)


def entries(connection: Connection, *, only_in_force: bool = True) -> tuple[Entry, ...]:
    """The list, oldest entry first."""
    rows = connection.exec_driver_sql(
        """select entry_id, source_record_id, officer, reason, valid_from, valid_to, known_from, known_to, ended_by
             from identity.do_not_trace where known_to is null or not %(now)s order by entry_id""",
        {"now": only_in_force},
    )
    return tuple(Entry(*row) for row in rows)


def spared(connection: Connection) -> frozenset[int]:
    """The records that may not be traced on the day up to which data are known."""
    rows = connection.exec_driver_sql(_LISTED, {"day": _today(connection)})
    return frozenset(int(row[0]) for row in rows)


def forget_answers(connection: Connection) -> int:
    """End every answer about a record that may not be traced; returns how many. Linking then goes by the source."""
    moment = latest_moment(connection)
    if moment is None:
        return 0
    return connection.exec_driver_sql(
        f"""update identity.trace_answer a set known_to = %(moment)s from ({_LISTED}) l
             where l.source_record_id = a.source_record_id and a.known_to is null""",  # noqa: S608 - no value is put into the text
        {"moment": moment, "day": moment.date()},
    ).rowcount


_LISTED = """select source_record_id from identity.do_not_trace
    where known_to is null and valid_from <= %(day)s and coalesce(valid_to, 'infinity') >= %(day)s"""


def _today(connection: Connection) -> date:
    from domain.periods import now

    moment = latest_moment(connection)
    return (moment or now()).date()
