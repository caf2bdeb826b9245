"""The do-not-link list: records, or pairs of records, that a named officer keeps out of every matching step.

An entry stands above verified numbers, notices and reviewers, is read anew by every run, and is struck off, never
deleted (governance PRO-4).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.run import Finding, RunContext, RunResult, RunState
from governance.ledger import recorded
from governance.store import Store

if TYPE_CHECKING:
    from sqlalchemy import Connection


class ListRefused(ValueError):
    """An entry that cannot be taken; says why without naming a person."""


def keep_apart(context: RunContext, record: str, other: str | None, *, officer: str, reason: str) -> RunResult:
    """Put a record (`source:key`) on the list: never with `other`, or with no other record at all.

    The next link run follows it. Ends `refused`, with the reason, without an officer or a reason or for an unknown
    record.
    """
    return _recorded(context, lambda connection: _put(connection, record, other, officer.strip(), reason.strip()))


def strike_off(context: RunContext, entry: int, *, officer: str) -> RunResult:
    """End an entry; it stays on record with who ended it. Ends `refused` when there is none in force."""
    return _recorded(context, lambda connection: _end(connection, entry, officer.strip()))


def _recorded(context: RunContext, act: _Act) -> RunResult:
    def body(store: Store, _: object) -> RunResult:
        try:
            with store.connect("linker") as connection:
                number, told = act(connection)
        except ListRefused as problem:
            refused = Finding("LIST_REFUSED", str(problem), "nothing was changed")
            return RunResult("do_not_link", "", RunState.REFUSED, findings=(refused,))
        finding = Finding("LIST_CHANGED", f"entry {number} of the do-not-link list {told}", "the next link run follows")
        return RunResult("do_not_link", "", RunState.DONE, {"entry": number}, (finding,))

    return recorded("do_not_link", "linker", context, body)


def _put(connection: Connection, record: str, other: str | None, officer: str, reason: str) -> tuple[int, str]:
    if not officer or not reason:
        raise ListRefused("an entry needs a named officer and a reason")
    numbers = sorted(_number(connection, name) for name in (record, other) if name is not None)
    if len(set(numbers)) < len(numbers):
        raise ListRefused("a pair is two different records")
    facts = {"record": numbers[0], "other": numbers[1] if len(numbers) > 1 else None, "who": officer, "why": reason}
    entry = connection.exec_driver_sql(
        """insert into identity.do_not_link (source_record_id, other_record_id, officer, reason)
           values (%(record)s, %(other)s, %(who)s, %(why)s) returning entry_id""",
        facts,
    ).scalar_one()
    return int(entry), "was made"


def _end(connection: Connection, entry: int, officer: str) -> tuple[int, str]:
    if not officer:
        raise ListRefused("a named officer strikes an entry off")
    done = connection.exec_driver_sql(
        """update identity.do_not_link set ended_at = clock_timestamp(), ended_by = %(who)s
            where entry_id = %(entry)s and ended_at is null""",
        {"who": officer, "entry": entry},
    )
    if done.rowcount != 1:
        raise ListRefused("there is no such entry in force")
    return entry, "was struck off"


def _number(connection: Connection, name: str) -> int:
    source, _, key = name.partition(":")
    found = connection.exec_driver_sql(
        "select source_record_id from identity.source_record where source = %(source)s and source_person_key = %(key)s",
        {"source": source, "key": key},
    ).scalar_one_or_none()
    if found is None:
        raise ListRefused("the record is not known; name it as source:key")
    return int(found)


if TYPE_CHECKING:
    from collections.abc import Callable

    _Act = Callable[[Connection], tuple[int, str]]
